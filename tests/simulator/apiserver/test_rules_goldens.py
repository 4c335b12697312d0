"""What is wrong with objects, and what is said of them, as on a real API server."""

from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import record_rules
from hourglass_simulator.controllers.flowschemas import FlowSchemas
from hourglass_simulator.kubernetes.version import version
from recorded_answers import agree

GOLDENS = {
    (kubernetes, file): record_rules.golden(file, kubernetes)
    for file in record_rules.FILES
    for kubernetes in record_rules.recorded(file)
}
REQUESTS = {file: record_rules.load(file) for file in record_rules.FILES}


def answers(kubernetes: str, file: str, namespace: str) -> dict[str, Any]:
    flows = file == "flowcontrol"
    server = Simulated(version(kubernetes), rbac=True, has_flow_control=flows)
    if flows:
        FlowSchemas(server.clock, server.api, applies=False)
        server.settles = True
    return record_rules.play(server, namespace, REQUESTS[file][namespace])


NOT_SIMULATED: dict[str, tuple[str, ...]] = {
    "their data counts as changed by every patch": (
        "core-2: update: negative",
        "core-2: update: another revision",
    ),
    "a dry run words it otherwise than a call that stores": (
        "services-0: create: address elsewhere",
    ),
    "an invalid pod is warned of, too": ("pods-0: create: deprecated annotations",),
}
"""Cases by the reason why they are answered otherwise."""
NOT_SIMULATED_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "1.34": {},
    "1.37": {
        "errors that are declared come last": (
            "csi-3: create: bad names",
            "policies-6: create: subjects",
        ),
        "what is found twice is said once": (
            "configuration-8: update: all",
            "views-1: 7 PATCH /apis/events.k8s.io/v1/namespaces/views-1/events/b"
            " application/strategic-merge-patch+json",
            "views-2: create: behavior",
        ),
        "of resource.k8s.io, errors are declared: in another order, and of whole entries": (
            "devices-0: create: config",
            "devices-0: create: extended resource",
            "devices-1: create: two kinds",
            "devices-1: create: same names",
            "devices-1: create: alternatives",
            "devices-1: create: tolerations",
            "devices-1: create: constraints",
            "devices-1: create: config",
            "devices-1: status: who reserved",
            "devices-1: status: results",
            "devices-1: status: config",
            "devices-1: status: devices",
            "devices-2: create: constraint",
            "devices-3: create: devices",
            "devices-3: create: attributes",
            "devices-3: create: capacity",
        ),
        "counters that devices share": ("devices-3: create: shared counters",),
        "fields of pods that 1.34 does not have": (
            "pod-volumes-0: create: projected trust bundle",
            "pod-volumes-0: create: image",
        ),
        "what Windows does not have comes in another order": ("pods-0: create: windows",),
        "a binding sets labels, too": (
            "subresources-2: 10 GET /api/v1/namespaces/subresources-2/pods/b",
        ),
    },
}
"""Those of one version."""


def otherwise(kubernetes: str) -> set[str]:
    """The cases of a version that are answered otherwise."""
    reasons = (NOT_SIMULATED, NOT_SIMULATED_OF[kubernetes])
    return {case for found in reasons for cases in found.values() for case in cases}


def test_every_case_is_recorded() -> None:
    for (_, file), recorded in GOLDENS.items():
        for group, found in REQUESTS[file].items():
            names = {name for name, _ in found} | {""}
            assert names == set(recorded[group]), "run tests/goldens/record_rules.py"


def test_what_is_answered_otherwise_is_a_case() -> None:
    named = {
        f"{namespace}: {name}"
        for requests in REQUESTS.values()
        for namespace, steps in requests.items()
        for name, _ in steps
    }
    assert all(otherwise(kubernetes) <= named for kubernetes in NOT_SIMULATED_OF)


@pytest.mark.parametrize(
    ("kubernetes", "file", "namespace"),
    [
        pytest.param(kubernetes, file, namespace, id=f"{kubernetes}: {namespace}")
        for kubernetes, file in GOLDENS
        for namespace in REQUESTS[file]
    ],
)
def test_as_on_a_real_server(kubernetes: str, file: str, namespace: str) -> None:
    found, golden = answers(kubernetes, file, namespace), GOLDENS[kubernetes, file][namespace]
    names = [name for name, _ in REQUESTS[file][namespace] if name]
    cases = {f"{namespace}: {name}": name for name in names}
    agree(
        {case: found[name] for case, name in cases.items()},
        {case: golden[name] for case, name in cases.items()},
        otherwise(kubernetes) & cases.keys(),
    )
