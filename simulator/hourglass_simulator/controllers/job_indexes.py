"""The completion indexes of Jobs, and the annotations that carry them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/indexed_job_utils.go
"""

from collections.abc import Collection, Iterable

from hourglass_kube.types import JSON

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
VARIABLE = "JOB_COMPLETION_INDEX"
_LONGEST_PREFIX = 58


def is_indexed(job: JSON) -> bool:
    """Whether each pod of a Job has an index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def index(pod: JSON) -> int | None:
    """A pod's index."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdecimal() else None


def indexes(pods: Iterable[JSON]) -> set[int]:
    """The indexes of pods."""
    return {found for pod in pods if (found := index(pod)) is not None}


def valid(job: JSON, pod: JSON) -> bool:
    """Whether a pod has one of the Job's indexes."""
    found = index(pod)
    return found is not None and found < job["spec"]["completions"]


def parse(text: str, completions: int) -> set[int]:
    """`0,2-4` as numbers below `completions`."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), min(int(last or first), completions - 1) + 1))
    return found


def printed(numbers: Collection[int]) -> str:
    """Numbers as `0,2-4`; two in a row are written as two."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(
        str(first) if first == last else f"{first}{',' if last == first + 1 else '-'}{last}"
        for first, last in runs
    )


def pending(count: int, completions: int, taken: Collection[int]) -> list[int]:
    """The first indexes that are free."""
    found: list[int] = []
    candidate = 0
    while len(found) < count and candidate < completions:
        if candidate not in taken:
            found.append(candidate)
        candidate += 1
    return found


def failures(pod: JSON) -> int:
    """How often the index of a pod had failed before it."""
    return _count(pod, FAILURES)


def absolute_failures(pod: JSON) -> int:
    """The same with failures that the pod failure policy ignores."""
    return _count(pod, FAILURES) + _count(pod, IGNORED)


def _count(pod: JSON, annotation: str) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(annotation, "")
    return int(text) if text.isdecimal() else 0


def failure_annotations(replaced: JSON | None, *, counts: bool) -> dict[str, str]:
    """The annotations of the pod that follows on a failed one, or on none."""
    if replaced is None:
        return {FAILURES: "0"}
    ignored = _count(replaced, IGNORED) + (not counts)
    found = {FAILURES: str(failures(replaced) + counts)}
    return {**found, IGNORED: str(ignored)} if ignored else found


def with_index(template: JSON, job: JSON, number: int) -> JSON:
    """A pod template for an index, with the variable by which its containers know it."""
    meta, spec = template.get("metadata") or {}, template["spec"]
    own = {INDEX: str(number)}
    meta = {
        **meta,
        "annotations": {**(meta.get("annotations") or {}), **own},
        "labels": {**(meta.get("labels") or {}), **own},
    }
    changed: JSON = {"hostname": f"{job['metadata']['name']}-{number}"}
    for field in ("initContainers", "containers"):
        if field in spec:
            changed[field] = [_with_variable(container) for container in spec[field]]
    return {"metadata": meta, "spec": {**spec, **changed}}


def _with_variable(container: JSON) -> JSON:
    env = container.get("env") or []
    if any(each["name"] == VARIABLE for each in env):
        return container
    path = f"metadata.labels['{INDEX}']"
    variable = {"name": VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": path}}}
    return {**container, "env": [*env, variable]}


def name_prefix(job: JSON, number: int) -> str:
    """What the name of the pod of an index begins with."""
    end = f"-{number}-"
    name: str = job["metadata"]["name"]
    return (
        name if len(name + end) <= _LONGEST_PREFIX else name[: _LONGEST_PREFIX - len(end)]
    ) + end
