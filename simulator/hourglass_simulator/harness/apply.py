"""`kubectl apply` on the client's side: what was applied before decides what is removed.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
"""

from hourglass_kube.types import JSON


def merge_patch(last: JSON, wanted: JSON) -> JSON:
    """A JSON merge patch to `wanted` that removes what `last` applied and `wanted` leaves out."""
    patch: JSON = {key: None for key in last if key not in wanted}
    for key, value in wanted.items():
        before = last.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            patch[key] = merge_patch(before, value)
        else:
            patch[key] = value
    return patch
