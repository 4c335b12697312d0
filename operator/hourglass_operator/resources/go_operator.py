"""What the Go hourglass-operator leaves in a cluster, and how it differs from our own.

https://github.com/Layr-Labs/hourglass-monorepo/blob/master/hourglass-operator/internal/controller/performerController.go
"""

from collections.abc import Mapping
from typing import Any

from hourglass_operator.api import KIND, PerformerStatus
from hourglass_operator.resources import names

NAME = "the Go hourglass-operator"
FINALIZER = "hourglass.eigenlayer.io/performer-finalizer"
APP = "hourglass-performer"
"""Value of the label `app` on its pods."""
TEMPLATE = "none"
"""Stands for the template hash, which its pods do not have; no hash of ours looks like it."""


def selector(performer: str) -> dict[str, str]:
    """The selector of its Service, which pods of both operators match."""
    return {names.PERFORMER_LABEL: performer}


def performer_of_pod(metadata: Mapping[str, Any]) -> str | None:
    """Name of the Performer whose pod this is; None if the Go operator has not made it.

    Its one pod is called like its Service. The label or the owner marks the pod of a Performer
    `a-bcdfghjklm-0` from our first one of a Performer `a`.
    """
    name = metadata["name"]
    performer = names.performer_of_service(name)
    if performer is None:
        return None
    labels = metadata.get("labels") or {}
    owners = metadata.get("ownerReferences") or ()
    says_so = labels.get(names.PERFORMER_LABEL) == performer or any(
        owner.get("kind") == KIND and owner.get("name") == performer for owner in owners
    )
    return performer if says_so else None


def wrote(status: PerformerStatus) -> bool:
    """It has written this status last: its `grpcEndpoint` has no port."""
    return status.grpc_endpoint is not None and ":" not in status.grpc_endpoint
