"""How many replicas each ReplicaSet of a Deployment gets, and which revision it is.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/deployment/util/deployment_util.go
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.controllers.intorpercent import scaled
from hourglass_simulator.controllers.podstatus import created

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
HASH = "pod-template-hash"
LONGEST_HISTORY = 2000
"""Characters of the annotation with a ReplicaSet's earlier revisions."""

_NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
)


def replicas(obj: JSON) -> int:
    """How many are asked for."""
    return int(obj["spec"].get("replicas", 0))


def total(sets: Iterable[JSON]) -> int:
    """How many several ReplicaSets ask for."""
    return sum(replicas(each) for each in sets)


def counted(sets: Iterable[JSON], field: str) -> int:
    """The sum of a number of their statuses."""
    return sum((each.get("status") or {}).get(field, 0) for each in sets)


def is_rolling(deployment: JSON) -> bool:
    """Whether pods are replaced one after the other."""
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def max_surge(deployment: JSON) -> int:
    """How many pods there may be beyond those that are asked for."""
    return _fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: JSON) -> int:
    """How many of the pods that are asked for may be missing."""
    if not is_rolling(deployment) or not replicas(deployment):
        return 0
    return min(_fenceposts(deployment)[1], replicas(deployment))


def _fenceposts(deployment: JSON) -> tuple[int, int]:
    rolling = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    wanted = replicas(deployment)
    surge = scaled(rolling.get("maxSurge", 0), wanted, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", 0), wanted, up=False)
    return surge, (unavailable if surge or unavailable else 1)


def without_hash(template: JSON) -> JSON:
    """A pod template without the label that separates revisions."""
    meta = template.get("metadata") or {}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def split(deployment: JSON, sets: Sequence[JSON]) -> tuple[JSON | None, list[JSON]]:
    """The ReplicaSet of the template as it is now, and the others, oldest first."""
    wanted = without_hash(deployment["spec"]["template"])
    ordered = sorted(sets, key=_age)
    for each in ordered:
        if without_hash(each["spec"]["template"]) == wanted:
            return each, [other for other in ordered if other is not each]
    return None, ordered


def _age(obj: JSON) -> tuple[float, str]:
    return created(obj), obj["metadata"]["name"]


def active(sets: Iterable[JSON | None]) -> list[JSON]:
    """Those that ask for pods."""
    return [each for each in sets if each is not None and replicas(each)]


def active_or_latest(new: JSON | None, old: Sequence[JSON]) -> JSON | None:
    """The one ReplicaSet to scale; None if there are several or none at all."""
    found = active([*old, new])
    if len(found) > 1 or (new is None and not old):
        return None
    return found[0] if found else new if new is not None else old[-1]


def is_saturated(deployment: JSON, new: JSON | None) -> bool:
    """Whether the newest ReplicaSet has all that is asked for, available."""
    if new is None:
        return False
    wanted = replicas(deployment)
    desired = (new["metadata"].get("annotations") or {}).get(DESIRED, "")
    return (
        desired == str(wanted)
        and replicas(new) == wanted
        and counted([new], "availableReplicas") == wanted
    )


def new_replicas(deployment: JSON, sets: Iterable[JSON], new: JSON) -> int:
    """How many replicas the newest ReplicaSet may have now."""
    wanted = replicas(deployment)
    if not is_rolling(deployment):
        return wanted
    rolling = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    room = wanted + scaled(rolling.get("maxSurge", 0), wanted, up=True) - total(sets)
    if room <= 0:
        return replicas(new)
    return replicas(new) + min(room, wanted - replicas(new))


def proportional(deployment: JSON, sets: Sequence[JSON]) -> list[tuple[JSON, int]]:
    """The sizes of active ReplicaSets when a Deployment is scaled in the midst of a rollout."""
    wanted = replicas(deployment)
    allowed = wanted + max_surge(deployment) if wanted else 0
    missing = allowed - total(sets)
    if missing > 0:
        ordered = sorted(sets, key=lambda each: (-replicas(each), -created(each)))
    elif missing < 0:
        ordered = sorted(sets, key=lambda each: (-replicas(each), created(each)))
    else:
        return [(each, replicas(each)) for each in sets]
    sizes, added = [], 0
    for each in ordered:
        share = _share(each, deployment, missing, added)
        sizes.append(replicas(each) + share)
        added += share
    if sizes:
        sizes[0] = max(0, sizes[0] + missing - added)
    return list(zip(ordered, sizes, strict=True))


def _share(each: JSON, deployment: JSON, missing: int, added: int) -> int:
    if missing == added:
        return 0
    wanted, size = replicas(deployment), replicas(each)
    if not wanted:
        fraction = -size
    else:
        annotations = each["metadata"].get("annotations") or {}
        before = _number(annotations.get(MAXIMUM)) or counted([deployment], "replicas")
        if not before:
            return 0
        share = size * (wanted + max_surge(deployment)) / before
        fraction = math.floor(share + 0.5) - size
    left = missing - added
    return min(fraction, left) if missing > 0 else max(fraction, left)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def desired_annotation(each: JSON) -> int | None:
    """The Deployment's replicas when the ReplicaSet was scaled last."""
    text = (each["metadata"].get("annotations") or {}).get(DESIRED)
    return int(text) if text is not None and text.isdecimal() else None


def revision(each: JSON) -> int:
    """The revision that a ReplicaSet is, 0 where it is none."""
    return _number((each["metadata"].get("annotations") or {}).get(REVISION))


def scale_annotations(deployment: JSON) -> dict[str, str]:
    """What a scaled ReplicaSet remembers of the Deployment's size."""
    wanted = replicas(deployment)
    return {DESIRED: str(wanted), MAXIMUM: str(wanted + max_surge(deployment))}


def revision_annotations(
    deployment: JSON, annotations: Mapping[str, str], new: int
) -> dict[str, str]:
    """The annotations of the newest ReplicaSet: the Deployment's, its revision and earlier ones."""
    given = deployment["metadata"].get("annotations") or {}
    result = {**annotations, **{k: v for k, v in given.items() if k not in _NOT_COPIED}}
    before = result.get(REVISION, "")
    if before and not before.isdecimal():
        return result
    if _number(before) < new:
        result[REVISION] = str(new)
        if before:
            result[HISTORY] = _history(result.get(HISTORY, ""), before)
    return result


def _history(earlier: str, old: str) -> str:
    revisions = [*earlier.split(","), old] if earlier else [old]
    while len(revisions) > 1 and len(",".join(revisions)) > LONGEST_HISTORY:
        del revisions[0]
    return ",".join(revisions)


def superfluous(deployment: JSON, old: Sequence[JSON]) -> list[JSON]:
    """Old ReplicaSets beyond the history that is kept."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    if limit is None or limit == 2**31 - 1:
        return []
    alive = [each for each in old if "deletionTimestamp" not in each["metadata"]]
    alive.sort(key=lambda each: (revision(each), _age(each)))
    return [
        each
        for each in alive[: max(0, len(alive) - limit)]
        if not replicas(each)
        and not counted([each], "replicas")
        and each["metadata"].get("generation", 0)
        <= (each.get("status") or {}).get("observedGeneration", 0)
    ]
