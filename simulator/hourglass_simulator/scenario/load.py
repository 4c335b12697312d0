"""Scenario files: found, read, checked; every problem of a file is reported at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hourglass_simulator.scenario.document import Document, Problem, UnreadableError, read
from hourglass_simulator.scenario.faults import FaultType, fault_mistakes
from hourglass_simulator.scenario.mistakes import mistakes
from hourglass_simulator.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario and the file that it came from, as the user named it."""

    path: str
    scenario: Scenario


def find(paths: Iterable[Path]) -> list[Path]:
    """The files themselves and every *.yaml below the directories, sorted.

    Raises UnreadableError.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(path.rglob("*.yaml"))
        if not inside:
            problems.append(Problem(str(path), 0, "a directory without scenarios (*.yaml)"))
        found += inside
    if problems:
        raise UnreadableError(problems)
    return list(dict.fromkeys(found))


def load_all(paths: Iterable[Path], faults: Mapping[str, FaultType]) -> list[ScenarioFile]:
    """Every scenario of the files; raises UnreadableError with the problems of all of them."""
    files: list[ScenarioFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            files.append(load(path, faults))
        except UnreadableError as error:
            problems += error.problems
    if problems:
        raise UnreadableError(problems)
    return files


def load(path: Path, faults: Mapping[str, FaultType]) -> ScenarioFile:
    """One scenario; manifest files are relative to its folder. Raises UnreadableError."""
    shown = str(path)
    documents = read(path)
    if len(documents) > 1:
        text = f"{len(documents)} documents (separated by ---); a scenario file holds one"
        raise UnreadableError([Problem(shown, documents[1].line, text)])
    if not documents or documents[0].value is None:
        raise UnreadableError([Problem(shown, 0, "empty; see docs/scenarios.md for what to write")])
    context = {"directory": path.parent}
    problems = _problems(shown, documents[0], context, faults)
    if problems:
        raise UnreadableError(problems)
    scenario = Scenario.model_validate(
        documents[0].value, by_alias=True, by_name=False, context=context
    )
    return ScenarioFile(shown, scenario)


def dump(scenario: Scenario) -> str:
    """The text of a file that holds the scenario; what was not set is not written."""
    written = scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=100)


def _problems(
    shown: str, document: Document, context: dict[str, Any], faults: Mapping[str, FaultType]
) -> list[Problem]:
    found = [
        *mistakes(Scenario, document.value, context),
        *fault_mistakes(document.value, faults),
    ]
    problems = []
    for location, text in found:
        line, path = document.resolve(location)
        problems.append(Problem(shown, line, f"{path}: {text}" if path else text))
    return sorted(set(problems))
