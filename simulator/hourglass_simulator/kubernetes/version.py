"""The recorded data of a version of Kubernetes, each part read when it is first asked for.

tests/goldens/record_kubernetes.py and record_protobuf.py write the files beside this one and
describe them.
"""

import json
import lzma
import re
from copy import deepcopy
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from hourglass_kube.mergepatch import merge_patch
from hourglass_simulator.kubernetes.texts import TEXTS, Texts

VERSIONS = ("1.34", "1.37")
"""The minor versions that are recorded, the oldest first."""
_CORE = "/api/v1"
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]


class Version:
    """A minor version; what it hands out is shared by the whole process and may not be changed.

    `resizes_pods`: pods have the subresource `resize`.
    """

    def __init__(self, name: str, *, resizes_pods: bool = True) -> None:
        self.name = name
        self._resizes_pods = resizes_pods

    @cached_property
    def discovery(self) -> dict[str, Any]:
        """`version`, `aggregated`, `groups`, `lists` and `columns`, as the server sent them."""
        found = self._read("discovery")
        return found if self._resizes_pods else _without_resize(found)

    @property
    def git_version(self) -> str:
        """`v1.34.4`: what the API server and the kubelets say they are."""
        found: str = self.discovery["version"]["gitVersion"]
        return found

    @cached_property
    def minor(self) -> int:
        """37 of 1.37."""
        return int(self.name.removeprefix("1."))

    @property
    def reports_faults_once(self) -> bool:
        """Whether a fault of a built-in object that is found twice is one cause of its refusal.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/apimachinery/pkg/api/validate/errors.go#L50
        """
        return self.minor >= 37

    @property
    def requeues_for_mutual_anti_affinity(self) -> bool:
        """Whether a pod is tried again when one leaves that wanted to be apart from it.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/interpodaffinity/plugin.go#L165
        """
        return self.minor >= 37

    @property
    def relates_preempted_to_preemptor(self) -> bool:
        """Whether an Event `Preempted` has the pod that is to come as `related`.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/preemption/executor.go
        """
        return self.minor < 37

    @property
    def balances_by_change(self) -> bool:
        """Whether a node is scored by how a pod changes the balance of what is taken of it.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go
        """
        return self.minor >= 36

    @property
    def prefers_first_alternatives(self) -> bool:
        """Whether nodes are better that have devices for early alternatives of requests.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go#L1386
        """
        return self.minor >= 35

    @property
    def spares_terminating_victims(self) -> bool:
        """Whether pods that end already are not preempted once more, for a pod more important.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/preemption/executor.go#L208
        """
        return self.minor >= 35

    @property
    def refuses_resizes(self) -> bool:
        """Whether the API server refuses a resize to more than the pod's node has.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/admission/podresize/admission.go
        """
        return self.minor >= 36

    @property
    def says_why_there_is_no_sandbox(self) -> bool:
        """Whether PodReadyToStartContainers has a reason, and is written when the sandbox is there.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/status/generate.go#L271
        """
        return self.minor >= 37

    @property
    def reports_resizes(self) -> bool:
        """Whether each step of a resize of a pod is an Event, not only its end.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/allocation/allocation_manager.go
        """
        return self.minor >= 37

    @property
    def published_keywords(self) -> tuple[str, ...]:
        """Keywords of definitions that OpenAPI has, besides those that all versions publish."""
        return ("example", "externalDocs") if self.minor >= 37 else ()

    def enabled(self, gate: str) -> bool:
        """Whether a feature gate is on by default; one that the version does not know is not."""
        return bool(self._features.get(gate, False))

    @property
    def texts(self) -> Texts:
        """What its components say in words of their own."""
        return TEXTS[self.name]

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The Go type of `apis/apps/v1/Deployment`."""
        return dict(self._types["kinds"])

    @cached_property
    def types(self) -> dict[str, Any]:
        """The fields of a Go type, or the expression that its name stands for."""
        return dict(self._types["types"])

    @cached_property
    def rbac(self) -> dict[str, Any]:
        """The roles and bindings that every cluster starts with, by plural name."""
        return self._read("rbac")

    @cached_property
    def objects(self) -> dict[str, Any]:
        """What else every cluster starts with, by plural name, `<time>` for times.

        By the order in which they are made; the server is said to be at 192.0.2.1:16443.
        """
        return self._read("objects")

    @cached_property
    def internal_types(self) -> dict[str, Any]:
        """The fields of a type that the server works with: see record_internal_types.py."""
        return self._read("internal")

    @cached_property
    def openapi_v3(self) -> dict[str, Any]:
        """The documents by path: `apis/apps/v1`."""
        return self._read("openapi-v3")

    @cached_property
    def openapi_v2(self) -> dict[str, Any]:
        """The one document."""
        return self._read("openapi-v2")

    @cached_property
    def custom(self) -> dict[str, Any]:
        """What the OpenAPI documents have of a definition, by scope: see record_openapi.py."""
        return self._read("custom")

    @cached_property
    def health(self) -> dict[str, list[str]]:
        """What is checked by `livez`, `readyz` and `healthz`: see record_health.py."""
        return dict(self._read("health")["checks"])

    @cached_property
    def flow_control(self) -> dict[str, list[dict[str, Any]]]:
        """The objects of API Priority and Fairness that every cluster has, by plural name."""
        return dict(self._read("health")["flow control"])

    @cached_property
    def descriptors(self) -> bytes:
        """The protocol buffer types: a FileDescriptorSet."""
        return _decompressed(f"{self.name}.protobuf.xz")

    @cached_property
    def _features(self) -> dict[str, Any]:
        return self._read("features")

    @cached_property
    def _types(self) -> dict[str, Any]:
        return self._read("types")

    def _read(self, part: str) -> dict[str, Any]:
        return _recorded(self.name, part)


@cache
def _recorded(name: str, part: str) -> dict[str, Any]:
    """A part of a version; of a newer one the file is a merge patch on that of the oldest."""
    found: dict[str, Any] = json.loads(_decompressed(f"{name}.{part}.json.xz"))
    if name == OLDEST:
        return found
    merged: dict[str, Any] = merge_patch(_recorded(OLDEST, part), found)
    return merged


def _decompressed(file: str) -> bytes:
    return lzma.decompress((files(__package__) / file).read_bytes())


def _without_resize(discovery: dict[str, Any]) -> dict[str, Any]:
    core = discovery["lists"][_CORE]
    listed = [each for each in core["resources"] if each["name"] != "pods/resize"]
    found: dict[str, Any] = {
        **discovery,
        "lists": {**discovery["lists"], _CORE: {**core, "resources": listed}},
        "aggregated": deepcopy(discovery["aggregated"]),
    }
    for group in found["aggregated"]["/api"]["items"]:
        for each in group["versions"]:
            for resource in each["resources"]:
                if resource["resource"] == "pods":
                    below = resource["subresources"]
                    kept = [one for one in below if one["subresource"] != "resize"]
                    resource["subresources"] = kept
    return found


@cache
def version(name: str, *, resizes_pods: bool = True) -> Version:
    """The data of one of `VERSIONS`."""
    if name not in VERSIONS:
        raise ValueError(f"{name!r} is not a recorded version, those are {', '.join(VERSIONS)}")
    return Version(name, resizes_pods=resizes_pods)


def minor_of(git_version: object) -> int | None:
    """34 of `v1.34.4-eks-1`; None of what is no version of Kubernetes 1."""
    found = re.match(r"v1\.(\d+)\.", git_version) if isinstance(git_version, str) else None
    return int(found[1]) if found else None


def nearest(minor: int) -> Version:
    """The newest recorded version that is not newer than a minor version, or the oldest."""
    names = [name for name in VERSIONS if int(name.removeprefix("1.")) <= minor]
    return version(names[-1] if names else OLDEST)


DEFAULT = version(OLDEST)
"""What is simulated where nobody names a version."""
