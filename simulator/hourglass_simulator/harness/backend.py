"""Plays scenarios on the simulator."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_operator.controller import Settings
from hourglass_operator.hardware.catalogue import load
from hourglass_simulator.apiserver import APIError, WatchEvent
from hourglass_simulator.apiserver.calls import Audit
from hourglass_simulator.clock import EPOCH
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers.drain import cordon, drain, uncordon
from hourglass_simulator.faults import FaultNotPossibleError, Undo, inject
from hourglass_simulator.harness import apply
from hourglass_simulator.harness.operator import USER
from hourglass_simulator.harness.setup import set_up
from hourglass_simulator.harness.target import LEASE, SimulatedTarget
from hourglass_simulator.kubernetes.version import DEFAULT, Version
from hourglass_simulator.scenario.backend import Change, Observer, RefusedError, Write
from hourglass_simulator.scenario.behaviour import annotated
from hourglass_simulator.scenario.cluster import Cluster as Wanted
from hourglass_simulator.scenario.step import Delete, Patch

USER_NAME = "user"
"""Who makes the calls of a scenario's steps."""


class SimulatedBackend:
    """A simulated cluster with the operator in it; the same seed gives the same run.

    `epoch` is when the simulation starts; `managed_fields` and `without` as for the cluster.
    """

    def __init__(
        self,
        seed: int = 0,
        version: Version = DEFAULT,
        *,
        epoch: datetime = EPOCH,
        with_operator: bool = True,
        managed_fields: bool = False,
        without: Collection[str] = (),
    ) -> None:
        self._seed = seed
        self._with_operator = with_operator
        self.cluster = Cluster(
            seed,
            crd=generate(),
            epoch=epoch,
            version=version,
            managed_fields=managed_fields,
            without=without,
        )
        if "kubelet" not in without:
            self.cluster.kubelets.declared = annotated
        self.target = SimulatedTarget(self.cluster, load(), Settings())
        self._namespace = "default"
        self._resources = {r.kind: r for r in self.cluster.api.resources()}
        self._applied: dict[tuple[str, str, str], JSON] = {}
        self._healing: dict[str, list[Undo]] = {}
        self.happened = False
        """Something that expectations may be about, since this was last set to False."""

    @property
    def now(self) -> float:
        """Seconds since the start of the scenario."""
        return self.cluster.clock.now

    def start(
        self, cluster: Wanted, namespace: str, resources: Collection[str], observer: Observer
    ) -> None:
        """Set up the cluster, then start the operator."""
        self._namespace = self.target.namespace = namespace
        self._ensure_namespace(namespace)
        set_up(self.cluster, cluster, namespace)

        def observe(resource: str, event: WatchEvent) -> None:
            self.happened = True
            observer.changed(Change(self.now, event.type, resource, event.object))

        def observe_write(audit: Audit) -> None:
            if audit.call.user == USER:
                self.happened = True
                call = audit.call
                observer.wrote(
                    Write(
                        audit.time,
                        call.verb,
                        call.resource,
                        call.namespace,
                        call.name,
                        call.subresource,
                        audit.code,
                    )
                )

        for resource in resources:
            self.cluster.api.watch(resource, sink=partial(observe, resource))
        self.cluster.api.auditors.append(observe_write)
        if self._with_operator:
            if cluster.operator_replicas > 1:
                self._ensure_namespace(LEASE[1])
                self.target.elect()
            self.target.operator.start()
            if cluster.operator_replicas > 1:
                # The first one leads: it is the one that faults strike.
                self.target.second.start()

    def advance(self, until: float, stop: Callable[[], bool]) -> None:
        """Let time pass; `stop` is asked after everything that happens."""
        clock = self.cluster.clock
        self.happened = False
        while clock.step(until):
            if self.happened:
                self.happened = False
                if stop():
                    return
        clock.run_until(until)

    def apply(self, obj: JSON) -> None:
        """As `kubectl apply`."""
        resource, namespace, name = self._place(obj)
        key = (resource, namespace, name)
        api = self.cluster.api
        self._call(partial(api.refuse_unknown_fields, resource, obj))
        if self._exists(resource, namespace, name):
            patch = apply.merge_patch(self._applied.get(key, {}), obj)
            self._call(partial(api.patch, resource, namespace, name, patch, user=USER_NAME))
        else:
            self._call(partial(api.create, resource, obj, namespace=namespace, user=USER_NAME))
        self._applied[key] = obj

    def create(self, obj: JSON) -> None:
        """As `kubectl create`."""
        resource, namespace, _ = self._place(obj)
        api = self.cluster.api
        self._call(partial(api.refuse_unknown_fields, resource, obj))
        self._call(partial(api.create, resource, obj, namespace=namespace, user=USER_NAME))

    def patch(self, patch: Patch) -> None:
        """As `kubectl patch --type=merge`."""
        api = self.cluster.api
        namespace = self._in(patch.resource, patch.namespace)
        self._call(
            partial(
                api.patch,
                patch.resource,
                namespace,
                patch.name,
                patch.merge,
                subresource=patch.subresource or "",
                user=USER_NAME,
            )
        )

    def delete(self, delete: Delete) -> None:
        """As `kubectl delete --wait=false`."""
        namespace = self._in(delete.resource, delete.namespace)
        self._applied.pop((delete.resource, namespace, delete.name), None)
        if delete.resource == "nodes":
            self._call(partial(self.cluster.remove_node, delete.name))
            return
        self._call(
            partial(
                self.cluster.api.delete,
                delete.resource,
                namespace,
                delete.name,
                grace_period_seconds=delete.grace_period_seconds,
                user=USER_NAME,
            )
        )

    def cordon(self, node: str) -> None:
        """As `kubectl cordon`."""
        self._call(partial(cordon, self.cluster.api, node))

    def uncordon(self, node: str) -> None:
        """As `kubectl uncordon`."""
        self._call(partial(uncordon, self.cluster.api, node))

    def drain(self, node: str) -> None:
        """As `kubectl drain`."""
        self._call(partial(drain, self.cluster.clock, self.cluster.api, node))

    def inject(self, fault: str, parameters: JSON) -> None:
        """Begin a fault of the registry."""
        try:
            undo = inject(fault, self.target, parameters, f"{self._seed}/{len(self._healing)}")
        except FaultNotPossibleError as error:
            raise RefusedError(f"{fault}: {error}") from error
        self._healing.setdefault(fault, []).append(undo)

    def heal(self, fault: str) -> None:
        """End every fault of that name."""
        for undo in self._healing.pop(fault, []):
            undo()

    def _call(self, call: Callable[[], object]) -> None:
        try:
            call()
        except APIError as error:
            raise RefusedError(error.message) from error

    def _exists(self, resource: str, namespace: str, name: str) -> bool:
        try:
            self.cluster.api.get(resource, namespace, name)
        except APIError as error:
            if error.code == 404:
                return False
            raise
        return True

    def _place(self, obj: JSON) -> tuple[str, str, str]:
        """Resource, namespace and name of a manifest."""
        resource = self._resources.get(obj["kind"])
        if resource is None:
            raise RefusedError(
                f'no matches for kind "{obj["kind"]}" in version "{obj["apiVersion"]}"'
            )
        meta = obj["metadata"]
        namespace = meta.get("namespace") or self._namespace if resource.namespaced else ""
        if namespace:
            self._ensure_namespace(namespace)
        return resource.plural, namespace, meta["name"]

    def _in(self, resource: str, namespace: str | None) -> str:
        namespaced = {r.plural: r.namespaced for r in self._resources.values()}
        return (namespace or self._namespace) if namespaced.get(resource, True) else ""

    def _ensure_namespace(self, namespace: str) -> None:
        api = self.cluster.api
        if all(ns["metadata"]["name"] != namespace for ns in api.list("namespaces").items):
            api.create("namespaces", {"metadata": {"name": namespace}})
