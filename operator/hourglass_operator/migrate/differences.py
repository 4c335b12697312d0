"""Fields that mean more, or something else, than they did to the Go operator.

What that does with each: https://github.com/Layr-Labs/hourglass-monorepo/blob/master/hourglass-operator/internal/controller/performerController.go
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hourglass_operator.api.types import DEFAULT_GRPC_PORT

GO_DEFAULT_GRPC_PORT = 8080
"""Where the Go operator serves a Performer that has no `config`."""


def differences(spec: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Paths below `spec`, each with what is different, for the user."""
    if spec.get("config") is None:
        yield (
            (),
            f"without config it is served on port {DEFAULT_GRPC_PORT}, by the Go operator on "
            f"{GO_DEFAULT_GRPC_PORT}; set config.grpcPort",
        )
    if not spec.get("imagePullPolicy") and _is_latest(str(spec.get("image", ""))):
        yield (
            ("image",),
            "is pulled for every new pod; the Go operator's definition filled in imagePullPolicy: "
            "IfNotPresent",
        )
    scheduling = spec.get("scheduling")
    if isinstance(scheduling, Mapping) and scheduling.get("priorityClassName"):
        yield (
            ("scheduling", "priorityClassName"),
            "takes effect, so the PriorityClass must exist; the Go operator ignored it",
        )
    hardware = spec.get("hardwareRequirements")
    if not isinstance(hardware, Mapping):
        return
    for field in ("teeRequired", "teeType", "customLabels"):
        if hardware.get(field):
            yield (
                ("hardwareRequirements", field),
                "decides which nodes fit; the Go operator ignored it",
            )
    if gpu := hardware.get("gpuType"):
        yield (
            ("hardwareRequirements", "gpuType"),
            f"decides which nodes fit and which device is requested (docs/hardware.md); the Go "
            f"operator requested nvidia.com/{gpu}, if gpuCount was set",
        )


def _is_latest(image: str) -> bool:
    """The kubelet pulls this one always: https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting"""
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return "@" not in image and (not colon or tag == "latest")
