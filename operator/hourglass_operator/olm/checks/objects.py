"""What is installed beside the Deployment."""

from hourglass_operator.olm.checks.model import Bundle, Mistake, Mistakes, at

KINDS = ("NetworkPolicy", "PodDisruptionBudget", "Service")
"""Of the kinds that OLM takes, those that are of any use here.

https://github.com/operator-framework/operator-lifecycle-manager/blob/v0.46.0/pkg/controller/operators/catalog/supportedresources.go
"""
_SELECTORS = {
    "NetworkPolicy": "spec.podSelector.matchLabels",
    "PodDisruptionBudget": "spec.selector.matchLabels",
    "Service": "spec.selector",
}


def objects(bundle: Bundle) -> Mistakes:
    """One of each kind, in no namespace, about the pods that the bundle runs."""
    for file, obj in bundle.objects.items():
        kind = obj.get("kind")
        if kind not in KINDS:
            yield Mistake(file, "kind", f"one of {', '.join(KINDS)} is expected, found {kind!r}")
            continue
        if at(obj, "metadata.namespace") is not None:
            found = at(obj, "metadata.namespace")
            yield Mistake(
                file, "metadata.namespace", f"none is expected: OLM sets its own, found {found!r}"
            )
        selector = _SELECTORS[str(kind)]
        wanted = at(obj, selector)
        if not wanted or not any(_has(labels, wanted) for labels in _pods(bundle)):
            yield Mistake(
                file, selector, f"labels of the bundle's pods are expected, found {wanted}"
            )
    present = [obj.get("kind") for obj in bundle.objects.values()]
    for kind in KINDS:
        if present.count(kind) != 1:
            yield Mistake("manifests", kind, f"one is expected, found {present.count(kind)}")


def _pods(bundle: Bundle) -> list[object]:
    deployments = at(bundle.csv, "spec.install.spec.deployments") or []
    return [at(made, "spec.template.metadata.labels") for made in deployments]


def _has(labels: object, wanted: object) -> bool:
    if not isinstance(labels, dict) or not isinstance(wanted, dict):
        return False
    return wanted.items() <= labels.items()
