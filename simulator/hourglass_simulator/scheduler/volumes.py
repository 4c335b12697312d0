"""The plugins that look at a pod's volumes, in their order.

VolumeRestrictions, NodeVolumeLimits, VolumeBinding, VolumeZone of
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/scheduler/framework/plugins
VolumeAttachments are not counted, and volumes of in-tree plugins are not translated to CSI.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.scheduler import status, volumematch
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import Status
from hourglass_simulator.scheduler.volumematch import SELECTED_NODE

Changes = Sequence[tuple[PodInfo, int]]

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
_ZONES = (
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)
_GA = dict(zip(_ZONES[:2], _ZONES[2:], strict=True))
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_DISKS = ("gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")


@dataclass(frozen=True, slots=True)
class Bindings:
    """What is to be written before the pod is bound: names of volumes and claims of its namespace.

    `static` are volumes with the claims that they are for, `provision` claims whose volumes are to
    be made on the node.
    """

    static: tuple[tuple[str, str], ...] = ()
    provision: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.static or self.provision)


NO_BINDINGS = Bindings()


class PodVolumes:
    """The volumes of one pod; false if none of them matters to scheduling."""

    def __init__(self, pod: PodInfo, snapshot: Snapshot) -> None:
        self._pod = pod
        self._snapshot = snapshot
        self._listers = snapshot.listers
        self._disks = [v for v in pod.spec.get("volumes") or () if any(d in v for d in _DISKS)]
        self._bound: list[JSON] = []
        self._delayed: list[JSON] = []
        self._available: dict[str, list[JSON]] = {}
        self._zones: list[tuple[str, frozenset[str]]] = []
        self._exclusive: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self._pod.volume_claims or self._disks)

    # PreFilter

    def pre_filter(self) -> Status | None:
        """What keeps the pod off all nodes."""
        if not self._pod.volume_claims:
            return None
        return self._restrictions() or self._claims() or self._topologies()

    def _restrictions(self) -> Status | None:
        exclusive = set()
        for volume in self._pod.spec.get("volumes") or ():
            if "persistentVolumeClaim" not in volume:
                continue
            name = volume["persistentVolumeClaim"]["claimName"]
            claim = self._claim(name)
            if claim is None:
                return status.rejected(status.VOLUME_RESTRICTIONS, _not_found(name))
            if "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()):
                exclusive.add(name)
        self._exclusive = frozenset(exclusive)
        return None

    def _claims(self) -> Status | None:
        for volume in self._pod.spec.get("volumes") or ():
            fault = self._fault(volume)
            if fault:
                return status.rejected(status.VOLUME_BINDING, fault)
        for name in self._pod.volume_claims:
            claim = self._claim(name)
            assert claim is not None
            if _is_bound(claim):
                self._bound.append(claim)
            elif self._waits_for_consumer(claim) and not claim["spec"].get("volumeName"):
                self._delayed.append(claim)
            else:
                return status.UNBOUND_CLAIMS
        for claim in self._delayed:
            name = volumematch.class_of(claim)
            self._available[name] = volumematch.volumes_of(self._listers, name)
        return None

    def _fault(self, volume: JSON) -> str:
        pod = self._pod
        if "persistentVolumeClaim" in volume:
            name = volume["persistentVolumeClaim"]["claimName"]
        elif "ephemeral" in volume:
            name = f"{pod.name}-{volume['name']}"
        else:
            return ""
        claim = self._claim(name)
        if claim is None:
            if "ephemeral" not in volume:
                return _not_found(name)
            return (
                "waiting for ephemeral volume controller to create the persistentvolumeclaim "
                f'"{name}"'
            )
        if (claim.get("status") or {}).get("phase") == "Lost":
            gone = claim["spec"].get("volumeName", "")
            return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{gone}"'
        if "deletionTimestamp" in claim["metadata"]:
            return f'persistentvolumeclaim "{name}" is being deleted'
        if "ephemeral" in volume and not _belongs(claim, pod):
            return (
                f"PVC {pod.namespace}/{name} was not created for pod {pod.namespace}/{pod.name} "
                "(pod is not owner)"
            )
        return ""

    def _topologies(self) -> Status | None:
        for name in self._pod.volume_claims:
            claim = self._claim(name)
            assert claim is not None
            wanted = claim["spec"].get("volumeName")
            if not wanted:
                continue
            volume = self._listers["persistentvolumes"].get(wanted)
            if volume is None:
                fault = f'persistentvolume "{wanted}" not found'
                return status.rejected(status.VOLUME_ZONE, fault)
            labels = volume["metadata"].get("labels") or {}
            self._zones += [
                (key, frozenset(value.split("__")))
                for key, value in sorted(labels.items())
                if key in _ZONES
            ]
        return None

    # Filter

    def filter(self, node: NodeInfo, changes: Changes) -> Status | None:
        """What keeps the pod off a node; `changes` are pods that came to it (1) or left it (-1)."""
        return (
            self._restricted(node, changes)
            or self._too_many(node)
            or self._find(node)[0]
            or self._elsewhere(node)
        )

    def bindings(self, node: NodeInfo) -> Bindings:
        """What is to be bound on a node that fits."""
        return self._find(node)[1] if self._delayed else NO_BINDINGS

    def _restricted(self, node: NodeInfo, changes: Changes) -> Status | None:
        for volume in self._disks:
            for other in node.pods.values():
                if any(_clash(volume, theirs) for theirs in other.spec.get("volumes") or ()):
                    return status.DISK_IN_USE
        if self._exclusive:
            users, space = self._snapshot.claim_users, self._pod.namespace
            in_use = sum(users[space, name] > 0 for name in sorted(self._exclusive))
            for other, sign in changes:
                in_use += sign * sum(name in self._exclusive for name in other.volume_claims)
            if in_use > 0:
                return status.CLAIM_IN_USE
        return None

    def _too_many(self, node: NodeInfo) -> Status | None:
        found = self._listers["csinodes"].get(node.view.name)
        if self._snapshot.version.enabled("VolumeLimitScaling"):
            there = {
                driver["name"] for driver in (found or {}).get("spec", {}).get("drivers") or ()
            }
            for driver in sorted({driver for _, driver in self._attachable(self._pod)} - there):
                wanted = self._listers["csidrivers"].get(driver) or {"spec": {}}
                if wanted["spec"].get("preventPodSchedulingIfMissing"):
                    return status.without_driver(driver)
        if found is None:
            return None
        limits = {
            driver["name"]: driver["allocatable"]["count"]
            for driver in found["spec"].get("drivers") or ()
            if "count" in (driver.get("allocatable") or {})
        }
        new = dict(self._attachable(self._pod))
        if not limits or not new:
            return None
        attached: dict[tuple[str, str], str] = {}
        for other in node.pods.values():
            attached.update(self._attachable(other))
        counts: dict[str, int] = {}
        for key, driver in attached.items():
            new.pop(key, None)
            counts[driver] = counts.get(driver, 0) + 1
        for driver in new.values():
            counts[driver] = counts.get(driver, 0) + 1
        mine = set(new.values())
        if any(counts[driver] > limits[driver] for driver in sorted(mine) if driver in limits):
            return status.TOO_MANY_VOLUMES
        return None

    def _attachable(self, pod: PodInfo) -> Iterator[tuple[tuple[str, str], str]]:
        for name in pod.volume_claims:
            claim = self._listers["persistentvolumeclaims"].get(name, pod.namespace)
            if claim is None:
                continue
            volume = self._listers["persistentvolumes"].get(claim["spec"].get("volumeName") or "")
            if volume is None:
                found = self._class(claim)
                if found is not None:
                    driver = found["provisioner"]
                    yield (driver, f"{pod.namespace}/{name}"), driver
            elif "csi" in volume["spec"]:
                csi = volume["spec"]["csi"]
                yield (csi["driver"], csi["volumeHandle"]), csi["driver"]

    def _find(self, node: NodeInfo) -> tuple[Status | None, Bindings]:
        """VolumeBinding: whether the volumes can be had on a node, and what is to be bound."""
        reasons = []
        volumes = [
            self._listers["persistentvolumes"].get(c["spec"]["volumeName"]) for c in self._bound
        ]
        missing = False
        for volume in volumes:
            if volume is None:
                missing = True
                break
            if not volumematch.reaches(volume, node.view):
                reasons.append(status.NODE_CONFLICT)
                break
        satisfied, enough, bindings = self._delayed_on(node)
        if not satisfied:
            reasons.append(status.BIND_CONFLICT)
        if not enough:
            reasons.append(status.NOT_ENOUGH_SPACE)
        if missing:
            reasons.append(status.NO_VOLUME)
        if reasons:
            return status.rejected(status.VOLUME_BINDING, *reasons), NO_BINDINGS
        return None, bindings

    def _delayed_on(self, node: NodeInfo) -> tuple[bool, bool, Bindings]:
        """Whether volumes are there or can be made, whether there is enough space, and which."""
        provision, match = [], []
        for claim in self._delayed:
            selected = (claim["metadata"].get("annotations") or {}).get(SELECTED_NODE)
            if selected is None:
                match.append(claim)
            elif selected != node.view.name:
                return False, True, NO_BINDINGS
            else:
                provision.append(claim)
        static: list[tuple[str, str]] = []
        for claim in sorted(match, key=volumematch.size_of):
            there = self._available[volumematch.class_of(claim)]
            volume = volumematch.find(claim, there, node.view, [name for name, _ in static])
            if volume is None:
                provision.append(claim)
            else:
                static.append((volume["metadata"]["name"], claim["metadata"]["name"]))
        for claim in provision:
            found = self._class(claim)
            if found is None:
                name = volumematch.class_of(claim)
                raise status.PluginError(
                    f'running "VolumeBinding" filter plugin: failed to find storage class "{name}"'
                )
            if found["provisioner"] in ("", _NO_PROVISIONER):
                return False, True, NO_BINDINGS
            if not volumematch.allows(found, node.view):
                return False, True, NO_BINDINGS
            if not volumematch.has_space(self._listers, found, claim, node.view):
                return True, False, NO_BINDINGS
        names = tuple(claim["metadata"]["name"] for claim in provision)
        return True, True, Bindings(tuple(static), names)

    def _elsewhere(self, node: NodeInfo) -> Status | None:
        labels = node.view.labels
        if not self._zones or not any(key in labels for key in _ZONES):
            return None
        for key, values in self._zones:
            value = labels.get(key, labels.get(_GA.get(key, key)))
            if value not in values:
                return status.ZONE
        return None

    def _claim(self, name: str) -> JSON | None:
        return self._listers["persistentvolumeclaims"].get(name, self._pod.namespace)

    def _class(self, claim: JSON) -> JSON | None:
        return self._listers["storageclasses"].get(volumematch.class_of(claim))

    def _waits_for_consumer(self, claim: JSON) -> bool:
        found = self._class(claim)
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def _is_bound(claim: JSON) -> bool:
    annotations = claim["metadata"].get("annotations") or {}
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations


def _belongs(claim: JSON, pod: PodInfo) -> bool:
    owners = claim["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner["uid"] == pod.uid for owner in owners)


def _not_found(name: str) -> str:
    return f'persistentvolumeclaim "{name}" not found'


def _clash(one: JSON, other: JSON) -> bool:
    """Whether two volumes are the same disk, which only one pod may use."""
    kind = next((disk for disk in _DISKS if disk in one and disk in other), None)
    if kind is None:
        return False
    mine, theirs = one[kind], other[kind]
    if kind == "awsElasticBlockStore":
        return bool(mine["volumeID"] == theirs["volumeID"])
    if mine.get("readOnly") and theirs.get("readOnly"):
        return False
    if kind == "gcePersistentDisk":
        return bool(mine["pdName"] == theirs["pdName"])
    if kind == "iscsi":
        return bool(mine["iqn"] == theirs["iqn"])
    same = all(mine.get(key) == theirs.get(key) for key in ("pool", "image"))
    return same and bool(set(mine["monitors"]) & set(theirs["monitors"]))
