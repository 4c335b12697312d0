"""JUnit XML, for CI: a test suite per folder, a test case per scenario."""

from collections.abc import Iterable
from pathlib import PurePath
from xml.etree import ElementTree as ET

from hourglass_kube.text import harmless
from hourglass_simulator.scenario.result import Result


def junit(results: Iterable[Result]) -> str:
    """The report; times are those of the scenarios, in seconds of virtual time."""
    root = ET.Element("testsuites")
    folders: dict[str, list[Result]] = {}
    for result in results:
        folders.setdefault(str(PurePath(result.file).parent), []).append(result)
    for folder, cases in folders.items():
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_clean(folder),
            tests=str(len(cases)),
            failures=str(sum(not result.met for result in cases)),
            errors="0",
            time=f"{sum(result.duration for result in cases):.3f}",
        )
        for result in cases:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=_clean(folder),
                name=_clean(f"{PurePath(result.file).stem}: {result.scenario.title}"),
                time=f"{result.duration:.3f}",
            )
            if not result.met:
                lines = [f"{step.where}: {failure}" for step, failure in result.failures]
                failure = ET.SubElement(case, "failure", message=_clean(lines[0]))
                failure.text = _clean("\n".join([*lines, f"seed {result.seed}"]))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    """Without what XML has no place for, and what those who show the report would act upon.

    https://www.w3.org/TR/xml/#charsets
    """
    return "\n".join(map(harmless, text.split("\n")))
