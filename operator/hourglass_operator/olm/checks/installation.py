"""What is installed, and what it may do."""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_operator.olm.checks.model import Bundle, Mistakes, at, in_csv

MODES = ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")


def install_modes(bundle: Bundle) -> Mistakes:
    """All modes are spoken of, and one is supported."""
    modes = at(bundle.csv, "spec.installModes") or []
    types = [mode.get("type") for mode in modes]
    if sorted(map(str, types)) != sorted(MODES):
        yield in_csv("spec.installModes", f"each of {', '.join(MODES)} once is expected")
    if not any(mode.get("supported") is True for mode in modes):
        yield in_csv("spec.installModes", "at least one supported mode is expected")


def install(bundle: Bundle) -> Mistakes:
    """A deployment, whose account has its permissions and whose containers say what they need."""
    if at(bundle.csv, "spec.install.strategy") != "deployment":
        found = at(bundle.csv, "spec.install.strategy")
        yield in_csv("spec.install.strategy", f"deployment is expected, found {found!r}")
    made = at(bundle.csv, "spec.install.spec.deployments") or []
    if not made:
        yield in_csv("spec.install.spec.deployments", "at least one is expected, found none")
    accounts = {account for account, _, _ in _rules(bundle)}
    for index, deployment in enumerate(made):
        where = f"spec.install.spec.deployments[{index}]"
        pod = at(deployment, "spec.template.spec") or {}
        if pod.get("serviceAccountName") not in accounts:
            found = pod.get("serviceAccountName")
            yield in_csv(f"{where}.serviceAccountName", f"no permissions are given to {found!r}")
        for container in pod.get("containers") or []:
            for resource in ("cpu", "memory"):
                if not at(container, f"resources.requests.{resource}"):
                    yield in_csv(
                        f"{where}.containers[{container.get('name')}].resources.requests",
                        f"{resource} is expected, found none",
                    )


def permissions(bundle: Bundle) -> Mistakes:
    """Nothing that the operator does not need."""
    for _, where, rule in _rules(bundle):
        for field in ("apiGroups", "resources", "verbs"):
            if "*" in (rule.get(field) or []):
                yield in_csv(f"{where}.{field}", "names are expected, found '*'")
        for resource in rule.get("resources") or []:
            if resource in ("customresourcedefinitions", "secrets"):
                yield in_csv(f"{where}.resources", f"{resource} are none of the operator's")
        for verb in rule.get("verbs") or []:
            if verb in ("escalate", "bind", "impersonate"):
                yield in_csv(f"{where}.verbs", f"{verb} gives more than it says")


def _rules(bundle: Bundle) -> Iterator[tuple[str, str, JSON]]:
    """(ServiceAccount, place, rule)."""
    spec = at(bundle.csv, "spec.install.spec") or {}
    for part in ("clusterPermissions", "permissions"):
        for index, granted in enumerate(spec.get(part) or []):
            for number, rule in enumerate(granted.get("rules") or []):
                where = f"spec.install.spec.{part}[{index}].rules[{number}]"
                yield str(granted.get("serviceAccountName")), where, rule
