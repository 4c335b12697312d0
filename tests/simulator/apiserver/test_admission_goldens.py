"""Who may do what, and what is let in: as on a real API server."""

from pathlib import Path
from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import newer, record_admission
from hourglass_simulator.kubernetes.version import version

CASES = {file: record_admission.load(file) for file in record_admission.files()}
GOLDENS: dict[tuple[str, Path], dict[str, list[Any]]] = {
    (kubernetes, file): newer.whole(record_admission.golden(file), kubernetes)
    for file in CASES
    for kubernetes in newer.recorded(record_admission.golden(file))
}


NOT_SIMULATED = {
    ("1.37", "a patch with an unknown field"): "cel-go names the type of what has no field",
    ("1.37", "reviews of others"): "of several bindings that allow, another one is named",
    ("1.37", "impersonation"): "who impersonates nobody gets 400, and other resources are asked",
}
"""Cases that are answered otherwise, and why."""


def test_every_request_is_recorded() -> None:
    for (_, file), answers in GOLDENS.items():
        recorded = {name: len(found) for name, found in answers.items()}
        assert {name: len(steps) for name, steps in CASES[file].items()} == recorded


@pytest.mark.parametrize(
    ("kubernetes", "file", "name"),
    [
        pytest.param(
            kubernetes,
            file,
            name,
            id=f"{kubernetes}: {file.stem}: {name}",
            marks=[pytest.mark.xfail(reason=NOT_SIMULATED[kubernetes, name], strict=True)]
            if (kubernetes, name) in NOT_SIMULATED
            else [],
        )
        for kubernetes, file in GOLDENS
        for name in CASES[file]
    ],
)
def test_as_on_a_real_server(kubernetes: str, file: Path, name: str) -> None:
    steps, goldens = CASES[file][name], GOLDENS[kubernetes, file][name]
    server = Simulated(version(kubernetes), rbac=True)
    answers = record_admission.play(server, name, steps)
    for step, answer, golden in zip(steps, answers, goldens, strict=True):
        assert answer == golden, f"{step.method} {step.path} {step.body}"
