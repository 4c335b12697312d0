"""Calls to a real API server by resource names, and watches that feed a queue."""

import json
import threading
import time
from copy import copy
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient
from urllib3.exceptions import HTTPError

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.scenario.backend import Change, Write

Record = Change | Write
"""Its time is that of `time.monotonic`."""

_MERGE_PATCH = "application/merge-patch+json"


class CallError(Exception):
    """The API server refused a call: its code, reason and message."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Api:
    """An API server. Resources are those that scenarios know, by their plural names."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        """What the client keeps of the cluster's API goes into the folder."""
        self._namespace = ""
        self._client = DynamicClient(
            new_client_from_config(str(kubeconfig)), cache_file=str(folder / "discovery.json")
        )
        simulated = APIServer(Clock(), seed=0)
        simulated.create("customresourcedefinitions", generate())
        self._known = {resource.plural: resource for resource in simulated.resources()}
        self._plurals = {resource.kind: resource.plural for resource in simulated.resources()}
        self._watched: set[str] = set()
        self.records: SimpleQueue[Record] = SimpleQueue()

    def within(self, namespace: str) -> "Api":
        """The same with watches of its own; of what is namespaced, they see one namespace."""
        api = copy(self)
        api._namespace, api._watched, api.records = namespace, set(), SimpleQueue()
        return api

    def plural(self, kind: str) -> str | None:
        """The resource of a kind, None if scenarios do not know it."""
        return self._plurals.get(kind)

    def namespaced(self, resource: str) -> bool:
        """Whether its objects live in namespaces."""
        return self._known[resource].namespaced

    def list(self, resource: str, namespace: str = "", selector: str = "") -> list[JSON]:
        """The objects of a namespace, or of all."""
        found = self._call(
            "get", resource, namespace=namespace or None, field_selector=selector or None
        )
        items: list[JSON] = found["items"]
        return items

    def get(self, resource: str, namespace: str, name: str) -> JSON | None:
        """An object, None if there is none."""
        try:
            return self._call("get", resource, namespace=namespace or None, name=name)
        except CallError as error:
            if error.code != 404:
                raise
            return None

    def create(self, resource: str, namespace: str, body: JSON) -> JSON:
        """Create an object; `apiVersion` and `kind` are added."""
        known = self._known[resource]
        version = f"{known.group}/{known.version}" if known.group else known.version
        body = {"apiVersion": version, "kind": known.kind, **body}
        return self._call("create", resource, namespace=namespace or None, body=body)

    def patch(
        self, resource: str, namespace: str, name: str, patch: JSON, subresource: str = ""
    ) -> JSON:
        """A merge patch."""
        return self._call(
            "patch",
            resource,
            subresource,
            namespace=namespace or None,
            name=name,
            body=patch,
            content_type=_MERGE_PATCH,
        )

    def delete(
        self, resource: str, namespace: str, name: str, grace_period_seconds: int | None = None
    ) -> JSON:
        """Begin a deletion; the object, or a Status if it is gone at once."""
        options: JSON = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        return self._call("delete", resource, namespace=namespace or None, name=name, body=options)

    def evict(self, namespace: str, pod: str) -> None:
        """https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/"""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        self._call("create", "pods", "eviction", namespace=namespace, name=pod, body=body)

    def watches(self, resource: str) -> bool:
        """Whether `watch` was called for a resource."""
        return resource in self._watched

    def watch(self, resource: str) -> None:
        """Put every change of a resource from now on into `records`, to the process's end."""
        if resource in self._watched:
            return
        self._watched.add(resource)
        within = (self._namespace if self.namespaced(resource) else "") or None
        version = self._call("get", resource, namespace=within)["metadata"]["resourceVersion"]
        following = threading.Thread(
            target=self._follow, args=(resource, within, version), daemon=True
        )
        following.start()

    def _follow(self, resource: str, namespace: str | None, version: str) -> None:
        endpoint = self._endpoint(resource)
        while True:
            try:
                for event in self._client.watch(
                    endpoint, namespace=namespace, resource_version=version
                ):
                    found = event["raw_object"]
                    version = found["metadata"]["resourceVersion"]
                    change = Change(time.monotonic(), event["type"], resource, found)
                    self.records.put(change)
            except (ApiException, HTTPError, OSError):
                # Broken off; what happened in between comes by the version last seen.
                time.sleep(0.2)

    def _call(self, verb: str, resource: str, subresource: str = "", **arguments: Any) -> JSON:
        endpoint = self._endpoint(resource)
        if subresource:
            endpoint = endpoint.subresources[subresource]
        try:
            answer = getattr(endpoint, verb)(serialize=False, **arguments)
        except ApiException as error:
            raise _call_error(error) from None
        body: JSON = json.loads(answer.data)
        return body

    def _endpoint(self, resource: str) -> Any:
        known = self._known[resource]
        version = f"{known.group}/{known.version}" if known.group else known.version
        return self._client.resources.get(api_version=version, kind=known.kind)


def _call_error(error: ApiException) -> CallError:
    try:
        status = json.loads(error.body or "")
    except ValueError:
        return CallError(error.status, str(error.reason), str(error.body or error.reason))
    return CallError(error.status, status.get("reason", ""), status.get("message", ""))
