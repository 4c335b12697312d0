"""The Performers of a namespace: made, changed and judged through the API."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3 import Retry

from clusters import TOLERATION, Cluster, wait_until
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, PLURAL, VERSION
from hourglass_operator.transport.api import content_type
from hourglass_operator.transport.paths import path
from operators.namespace_state import NamespaceState, problems

AVS = "0x1234567890abcdef1234567890abcdef12345678"
ON_FAKE_NODES: JSON = {"nodeSelector": {"type": "kwok"}, "tolerations": [TOLERATION]}
"""`spec.scheduling` for nodes made by `Cluster.add_fake_nodes`."""

Wanted = Mapping[str, str]
"""Name → image of the Performers that are to serve."""


def performer_manifest(name: str, image: str, scheduling: JSON | None = None, **spec: Any) -> JSON:
    """A Performer; it goes to fake nodes unless `scheduling` says otherwise."""
    where = ON_FAKE_NODES if scheduling is None else scheduling
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {"avsAddress": AVS, "image": image, "scheduling": where, **spec},
    }


@dataclass
class Performers:
    """The Performers of one namespace, as the cluster's admin sees them."""

    namespace: str
    api: client.ApiClient

    @classmethod
    def of(cls, cluster: Cluster, namespace: str) -> "Performers":
        """With connections of its own, and without retries that nobody sees."""
        configuration = client.Configuration()
        configuration.retries = Retry(0, respect_retry_after_header=False)
        config.load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
        return cls(namespace, client.ApiClient(configuration))

    def create(self, name: str, image: str, scheduling: JSON | None = None, **spec: Any) -> JSON:
        """Create a Performer, see `performer_manifest`."""
        return self.call("POST", PLURAL, body=performer_manifest(name, image, scheduling, **spec))

    def set_spec(self, name: str, **fields: Any) -> JSON:
        """Change fields of a spec."""
        return self.patch(PLURAL, name, {"spec": fields})

    def delete(self, name: str) -> None:
        """Ask for the deletion; the Performer ends when the operator releases it."""
        self.call("DELETE", PLURAL, name)

    def get(self, name: str) -> JSON:
        """The Performer. Errors: `ApiException` with status 404."""
        return self.call("GET", PLURAL, name)

    def patch(self, resource: str, name: str, body: JSON, subresource: str = "") -> JSON:
        """A merge patch."""
        return self.call("PATCH", resource, name, subresource, body)

    def call(
        self,
        method: str,
        resource: str,
        name: str = "",
        subresource: str = "",
        body: JSON | None = None,
    ) -> JSON:
        """A call on a resource of the namespace.

        Errors: `ApiException`; `urllib3.exceptions.HTTPError` without an answer within 10 s.
        """
        request = self.api.param_serialize(
            method,
            path(resource, self.namespace, name, subresource),
            header_params={"Content-Type": content_type(method), "Accept": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self.api.call_api(*request, _request_timeout=10)
        answer: JSON = json.loads(response.read())
        if response.status >= 300:
            raise ApiException(response.status, answer.get("reason"), body=answer.get("message"))
        return answer

    def items(self, resource: str) -> list[JSON]:
        """All objects of a resource in the namespace."""
        items: list[JSON] = self.call("GET", resource)["items"]
        return items

    def pods(self, name: str) -> list[JSON]:
        """The pods that a Performer owns."""
        uid = self.get(name)["metadata"]["uid"]
        return [
            pod
            for pod in self.items("pods")
            if any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences") or ())
        ]

    def state(self) -> NamespaceState:
        """What exists now."""
        return NamespaceState(*(tuple(self.items(kind)) for kind in (PLURAL, "pods", "services")))

    def wait_settled(self, wanted: Wanted, seconds: float = 60) -> None:
        """Return once exactly the wanted Performers exist and each serves, with nothing besides.

        Errors: `AssertionError` with what is wrong after this time.
        """
        found: list[str] = []

        def settled() -> bool:
            found[:] = problems(self.state(), wanted)
            return not found

        try:
            wait_until("settled", settled, seconds)
        except TimeoutError:
            raise AssertionError(f"after {seconds:.0f} s:\n" + "\n".join(found)) from None

    def wait_phase(self, names: Iterable[str], phase: str, seconds: float = 60) -> None:
        """Return once all of these are in the phase."""
        wanted = set(names)

        def reached() -> bool:
            here = {
                each["metadata"]["name"]
                for each in self.items(PLURAL)
                if each["status"].get("phase") == phase
            }
            return wanted <= here

        wait_until(f"{len(wanted)} Performers are {phase}", reached, seconds)

    def delete_all(self) -> None:
        """Delete all at once, without an operator."""
        for each in self.items(PLURAL):
            name = each["metadata"]["name"]
            try:
                self.patch(PLURAL, name, {"metadata": {"finalizers": None}})
                self.delete(name)
            except ApiException as error:
                if error.status != 404:
                    raise
