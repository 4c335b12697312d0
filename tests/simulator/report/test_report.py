"""Reports: what a person, CI and a comparison of bytes get to see of a run."""

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hourglass_operator.console.terminal import Terminal
from hourglass_simulator import report
from hourglass_simulator.cli.parts import simulated
from hourglass_simulator.clock import EPOCH
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.report.moments import clock, took
from hourglass_simulator.report.spans import Standing, spans
from hourglass_simulator.scenario import Result, load, run
from hourglass_simulator.scenario.expect import Mismatch

DEMO = Path(__file__).parents[3] / "scenarios/demo.yaml"
SCENARIO = """
scenario: A <secret> in the environment & a wish that is not met
shows: What reports make of a run.
cluster:
  nodes:
  - {name: gpu-1, labels: {accelerator: nvidia-a100}, devices: {nvidia.com/gpu: 2}}
settles: {performers: {worker: {phase: Running}}, within: 10m, quietFor: 1m}
manifests:
- apiVersion: hourglass.eigenlayer.io/v1alpha1
  kind: Performer
  metadata: {name: worker}
  spec:
    avsAddress: "0x1234567890abcdef1234567890abcdef12345678"
    image: avs/worker:v1
    version: v1.2.3
    hardwareRequirements: {gpuType: nvidia-a100, gpuCount: 1}
    config: {env: [{name: PASSWORD, value: hunter2-is-secret}]}
steps:
- eventually: {within: 30s, performers: {worker: {phase: Running}}}
- patch: {name: worker, merge: {spec: {version: v2}}}
- eventually: {within: 60s, performers: {worker: {phase: Running, lastUpgrade: set}}}
- patch:
    name: worker
    merge:
      spec: {config: {env: [{name: TOKEN, value: hunter2}], environment: {KEY: hunter2}}}
- create:
    apiVersion: v1
    kind: Secret
    metadata: {name: password}
    stringData: {password: hunter2}
- patch: {resource: secrets, name: password, merge: {data: {password: hunter2}}}
- after: 60s
  fault: {devices-unhealthy: {node: gpu-1, count: 2}}
- after: 30s
  expect: {performers: {worker: {phase: WISH}}}
"""


def played(folder: Path, wish: str) -> Result:
    file = folder / "wish.yaml"
    file.write_text(SCENARIO.replace("WISH", wish))
    return run(load(file, REGISTRY), SimulatedBackend(5), 5)


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return played(tmp_path_factory.mktemp("met"), "Running")


@pytest.fixture(scope="module")
def missed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return played(tmp_path_factory.mktemp("missed"), "Failed")


def printed(result: Result, width: int = 160, *, verbose: bool = True) -> str:
    out = io.StringIO()
    report.timeline(result, Terminal(out, width), verbose=verbose)
    return out.getvalue()


def test_the_timeline_shows_who_did_what_when(met: Result) -> None:
    text = printed(met)
    assert "performer-worker-" in text
    assert "0:00.000  step 1     apply Performer worker" in text
    assert "operator   default/worker: patch performers/status" in text
    assert "default/worker: Running → Upgrading" in text
    assert text.rstrip().endswith("virtual time, seed 5)")


def test_the_timeline_ends_with_what_kubectl_would_print(met: Result) -> None:
    lines = printed(met, width=80).splitlines()
    start = lines.index("$ kubectl get performers -A -o wide")
    assert lines[start + 1].split()[:4] == ["NAMESPACE", "NAME", "PHASE", "READY"]
    assert lines[start + 2].split()[:5] == ["default", "worker", "Running", "True", "PodReady"]
    # However narrow the terminal is.
    assert lines[start + 2].endswith("was placed there for")


def test_ages_count_from_the_start_of_the_cluster(met: Result) -> None:
    out = io.StringIO()
    report.timeline(met, Terminal(out, 80), EPOCH + timedelta(days=9), verbose=True)
    row = out.getvalue().split("-o wide\n")[1].splitlines()[1]
    assert "9d" in row.split()


def test_an_expectation_that_is_not_met_is_reported_with_what_was_seen(missed: Result) -> None:
    text = printed(missed)
    assert "NOT MET" in text
    assert "expected phase Failed, found Running" in text


def test_what_was_not_met_stands_last_and_complete(missed: Result) -> None:
    lines = printed(missed, verbose=False).splitlines()
    assert lines[-2].startswith("NOT MET at 1:33.189, step 9 (steps[7]): ")
    assert lines[-2].endswith("expected phase Failed, found Running")
    assert lines[-1].startswith("NOT MET: 1 expectation (")


def test_without_v_there_are_steps_and_changes_of_state_only(met: Result) -> None:
    lines = printed(met, verbose=False).splitlines()
    speakers = {line.split()[1] for line in lines if re.match(r" *\d+:\d\d\.\d{3} ", line)}
    assert speakers == {"step", "performer", "node"}


@pytest.fixture(scope="module")
def demo() -> Result:
    return run(load(DEMO, REGISTRY), simulated(0, load(DEMO, REGISTRY).scenario.cluster), 0)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_demo_looks_as_recorded(demo: Result, width: int) -> None:
    """`make generate` records it."""
    shown = printed(demo, width, verbose=False)
    assert shown == (Path(__file__).parent / f"demo/{width}.txt").read_text()
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    assert not any(line.endswith(" ") for line in lines)
    assert width < 120 or len(lines) <= 60


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.007, "0.1 s"), (2.182, "2.2 s"), (90.2, "1m30s")],
    ids=["the shortest", "seconds", "minutes"],
)
def test_a_length_of_time_reads(seconds: float, text: str) -> None:
    assert took(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0:00.000"), (62.5, "1:02.500"), (3723.25, "1h02:03.250")],
    ids=["the start", "a minute", "an hour"],
)
def test_a_moment_reads(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_junit_has_one_suite_for_a_folder_and_no_character_that_xml_lacks(
    met: Result, missed: Result
) -> None:
    step = replace(met.steps[0], failures=(Mismatch("a \x1b[31m", "\x00", "\ud800"),))
    broken = replace(met, steps=(step,))
    root = ET.fromstring(report.junit([met, missed, broken]).encode())
    assert [suite.get("tests") for suite in root.findall("testsuite")] == ["2", "1"]
    text = root.findall(".//failure")[0].text or ""
    assert r"a \x1b[31m: expected \x00, found \ud800" in text


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\u202e", "\u2028", "\ud800"])
def test_reports_show_what_a_browser_would_obey(met: Result, character: str) -> None:
    failure = Mismatch("images", "signed", f"<b>{character}gp.exe")
    broken = replace(met, steps=(replace(met.steps[0], failures=(failure,)),))
    shown = character.encode("unicode_escape").decode()
    for page in (report.html([broken]), report.junit([broken])):
        assert character not in page
        assert f"&lt;b&gt;{shown}gp.exe" in page


def test_junit_counts_and_explains(met: Result, missed: Result) -> None:
    root = ET.fromstring(report.junit([met, missed]))
    suites = root.findall("testsuite")
    assert [suite.get("failures") for suite in suites] == ["0", "1"]
    failure = root.find(".//failure")
    assert failure is not None
    assert "expected phase Failed" in (failure.get("message") or "")
    assert "seed 5" in (failure.text or "")
    case = root.find(".//testcase")
    assert case is not None
    assert (case.get("name") or "").startswith("wish: A <secret> in the environment & a wish")


def test_the_summary_lists_all_and_explains_what_failed(met: Result, missed: Result) -> None:
    failure = Mismatch("worker", "`a` | b", "<img src=x>\n# \x1b[31m")
    broken = replace(missed, steps=(replace(missed.steps[-1], failures=(failure,)),))
    title = r"A \<secret\> in the environment \& a wish that is not met"
    lines = report.summary([met, broken]).splitlines()
    head, _, _, _, first, second, _, place, _, failed = lines
    assert head == "## 1 of 2 scenarios met every expectation"
    assert first.startswith(f"| met | {title} | ")
    assert second.startswith(f"| **NOT MET** | {title} | ")
    assert place.startswith("### ")
    assert failed.endswith(r"worker: expected \`a\` \| b, found \<img src=x\>\\n\# \\x1b\[31m")


class Page(HTMLParser):
    """Collects what a browser would load, and whether every element is closed."""

    VOID = ("meta", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [v or "" for k, v in attrs if k in ("src", "href") and v and v[0] != "#"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_loads_nothing(met: Result, missed: Result) -> None:
    page = Page(report.html([met, missed]))
    assert (page.loads, page.open) == ([], [])
    assert "1 of 2 met" in page.text
    assert "A <secret> in the environment & a wish that is not met" in page.text
    assert "expected phase Failed, found Running" in page.text


def test_the_page_shows_how_each_performer_fared(met: Result) -> None:
    text = report.html([met])
    assert 'class="Running degraded"' in text
    assert "Running (PodReady), degraded: HardwareUnavailable, " in text
    for heading in ("Performers at the end", "Available", "Degraded", "Timeline ("):
        assert heading in text
    assert text.count('<tr class="write">') == int(text.split("writes (")[1].split(")")[0])


def test_marks_lead_to_steps(missed: Result) -> None:
    text = report.html([missed])
    targets = re.findall(r'href="#(s0-\d+)"', text)
    assert targets
    assert all(f'id="{target}"' in text for target in targets)
    assert text.count('class="not" href=') == 1


def test_what_lies_apart_in_the_picture_adds_up(met: Result) -> None:
    """Standings follow each other without a gap, from creation to the end of the run."""
    found = spans(met.records, met.duration)
    assert [span.end for span in found[:-1]] == [span.start for span in found[1:]]
    assert (found[0].start, found[-1].end) == (0, met.duration)
    assert [span.standing.phase for span in found][:2] == ["Pending", "Pending"]
    assert found[-1].standing == Standing("Running", "PodReady", "HardwareUnavailable")


def test_the_table_at_the_end_is_that_of_kubectl(met: Result) -> None:
    performers = report.performers_at_end(met.records)
    headings, row = report.performers_table(
        performers, EPOCH + timedelta(seconds=met.duration), wide=False
    )
    reported = dict(zip(headings, row, strict=True))
    expected = ["NAMESPACE", "NAME", "PHASE", "READY", "REASON", "VERSION", "AGE", "MESSAGE"]
    assert list(reported) == expected
    assert (reported["NAME"], reported["PHASE"], reported["VERSION"]) == ("worker", "Running", "v2")


@pytest.mark.parametrize("verbose", [False, True], ids=["short", "verbose"])
@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_timeline_fits_the_terminal(missed: Result, width: int, verbose: bool) -> None:
    timeline = printed(missed, width, verbose=verbose)
    timeline = re.split(r"\$ kubectl|NOT MET at", timeline)[0]
    assert max(len(line) for line in timeline.splitlines()) <= width


def test_the_trace_has_a_line_for_everything(met: Result) -> None:
    lines = list(report.trace(met))
    assert len(lines) == 1 + len(met.records) + len(met.steps)
    assert all(line.startswith("{") and "\n" not in line for line in lines)
    times = [float(json.loads(line)["time"]) for line in lines[1:]]
    assert times == sorted(times)
    assert any('"does":"inject the fault devices-unhealthy' in line for line in lines)


def test_no_report_shows_the_values_of_variables(met: Result) -> None:
    reported = [printed(met), report.junit([met]), report.html([met]), *report.trace(met)]
    assert not any("hunter2" in text for text in reported)


def test_the_same_seed_gives_the_same_trace(met: Result, tmp_path: Path) -> None:
    again = played(tmp_path, "Running")
    assert list(report.trace(again))[1:] == list(report.trace(met))[1:]
