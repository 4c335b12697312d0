from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, PerformerSpec
from hourglass_operator.cli.migrate import migrate as command
from hourglass_operator.migrate import NotYamlError, Remark, migrate
from hourglass_operator.migrate.differences import differences

HERE = Path(__file__).parent
CASES: list[JSON] = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
GUIDE = HERE.parents[2] / "docs/migration.md"
NESTED = "[" * 1_000 + "]" * 1_000


def texts(remarks: tuple[Remark, ...]) -> list[str]:
    return [f"{remark.line}: {remark.field}: {remark.text}" for remark in remarks]


@pytest.mark.parametrize("case", [c for c in CASES if "new" in c], ids=lambda c: c["case"])
def test_what_is_converted(case: JSON) -> None:
    done = migrate(case["old"])
    assert done.text == case["new"]
    assert texts(done.changes) == case["remarks"]
    assert done.refused == ()


@pytest.mark.parametrize("case", [c for c in CASES if "refused" in c], ids=lambda c: c["case"])
def test_what_is_refused(case: JSON) -> None:
    done = migrate(case["old"])
    assert texts(done.refused) == case["refused"]
    assert done.text == case["old"]


DIFFERENCES = [
    ("nothing that differs", {"config": {}, "image": "a/b:v1"}, []),
    ("no config", {"image": "a/b:v1"}, [""]),
    ("an image without a tag", {"config": {}, "image": "host:5000/a/b"}, ["image"]),
    ("the tag latest", {"config": {}, "image": "a/b:latest"}, ["image"]),
    ("a digest", {"config": {}, "image": "a/b@sha256:01"}, []),
    (
        "the tag latest with a policy",
        {"config": {}, "image": "a/b", "imagePullPolicy": "Never"},
        [],
    ),
    (
        "a priority class",
        {"config": {}, "image": "a/b:v1", "scheduling": {"priorityClassName": "high"}},
        ["scheduling.priorityClassName"],
    ),
    (
        "hardware",
        {
            "config": {},
            "image": "a/b:v1",
            "hardwareRequirements": {
                "gpuType": "nvidia-a100",
                "gpuCount": 1,
                "teeRequired": True,
                "teeType": "sgx",
                "customLabels": {"a": "b"},
            },
        },
        [
            "hardwareRequirements.teeRequired",
            "hardwareRequirements.teeType",
            "hardwareRequirements.customLabels",
            "hardwareRequirements.gpuType",
        ],
    ),
]


@pytest.mark.parametrize(
    ("spec", "paths"), [d[1:] for d in DIFFERENCES], ids=[d[0] for d in DIFFERENCES]
)
def test_what_the_go_operator_understood_otherwise(spec: JSON, paths: list[str]) -> None:
    assert [".".join(path) for path, _ in differences(spec)] == paths


NO_YAML = [
    ("a document that does not end", "a: b\nc: [\n", 3),
    ("a tag that is unknown, in the second document", f"a: b\n---\n{GROUP}: 5\nc: !x d\n", 4),
    ("a date that is none, in the second document", f"a: b\n---\n{GROUP}: 2020-13-45\n", 3),
    ("nesting without end, in the second document", f"a: b\n---\n{GROUP}: {NESTED}\n", 3),
]


@pytest.mark.parametrize(("text", "line"), [n[1:] for n in NO_YAML], ids=[n[0] for n in NO_YAML])
def test_what_is_not_yaml_names_the_line(text: str, line: int) -> None:
    with pytest.raises(NotYamlError) as raised:
        migrate(text)
    assert raised.value.line == line


SCALARS = st.sampled_from(["a", "x: y # z", "", "two\nlines\n", "'quoted'", 7, True, None])
TERMS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)
AFFINITY = st.dictionaries(st.sampled_from(["required", "preferred"]), TERMS.filter(bool))
SCHEDULING = st.fixed_dictionaries(
    {"nodeSelector": st.just({"a": "b"})},
    optional={
        "nodeAffinity": AFFINITY,
        "affinity": st.none()
        | st.fixed_dictionaries({}, optional={"podAffinity": TERMS, "nodeAffinity": AFFINITY}),
        "tolerations": TERMS,
    },
)
OLD = st.builds(
    lambda spec: (
        {"apiVersion": "hourglass.eigenlayer.io/v1alpha1", "kind": "Performer"}
        | {"spec": {"image": "i"} | spec}
    ),
    st.fixed_dictionaries({}, optional={"executorRef": TERMS, "scheduling": SCHEDULING}),
)


@given(OLD, st.sampled_from([True, False, None]), st.booleans())
def test_all_that_was_meant_is_still_there(old: JSON, flow: bool | None, sort: bool) -> None:
    text = yaml.safe_dump(old, default_flow_style=flow, sort_keys=sort)
    done = migrate(text)
    before, after = old["spec"], yaml.safe_load(done.text)["spec"]
    scheduling = before.get("scheduling", {})
    mine = scheduling.get("nodeAffinity", {})
    theirs = (scheduling.get("affinity") or {}).get("nodeAffinity", {})
    contradicting = any(key in theirs and theirs[key] != mine[key] for key in mine)
    assert bool(done.refused) == contradicting
    if done.refused:
        assert done.text == text
        return
    assert "executorRef" not in after
    new = after.get("scheduling", {})
    assert ((new.get("affinity") or {}).get("nodeAffinity") or {}) == theirs | mine
    assert "nodeAffinity" not in new
    for other in ("nodeSelector", "tolerations"):
        assert new.get(other) == scheduling.get(other)
    again = migrate(done.text)
    assert (again.text, again.changes, again.refused) == (done.text, (), ())


def run(*args: str, given: str = "") -> Result:
    return CliRunner().invoke(command, args, input=given)


OLD_TEXT, NEW_TEXT = CASES[0]["old"], CASES[0]["new"]


def test_from_a_file_to_standard_output(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(OLD_TEXT)
    result = run("-f", str(file))
    assert (result.exit_code, result.stdout) == (0, NEW_TEXT)
    assert result.stderr == f"{file}:6: spec.executorRef: removed, was 'main'\n"


def test_from_standard_input_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "new.yaml"
    result = run("-f", "-", "-o", str(target), given=OLD_TEXT)
    assert (result.exit_code, result.stdout) == (0, "")
    assert target.read_text() == NEW_TEXT
    assert result.stderr.startswith("standard input:6: spec.executorRef")


def test_nothing_to_change_is_said() -> None:
    result = run("-f", "-", given=NEW_TEXT)
    assert (result.exit_code, result.stdout) == (0, NEW_TEXT)
    assert result.stderr == "standard input: nothing to change\n"


def test_what_has_another_meaning_is_said_beside_the_changes() -> None:
    old = OLD_TEXT.replace("config: {grpcPort: 9090}", "scheduling: {priorityClassName: high}")
    result = run("-f", "-", given=old)
    assert result.exit_code == 0
    assert result.stdout == old.replace('  executorRef: "main"\n', "")
    assert "6: spec.executorRef: removed" in result.stderr
    assert "4: spec: without config it is served on port 9090" in result.stderr
    assert "8: spec.scheduling.priorityClassName: takes effect" in result.stderr


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    file, target = tmp_path / "old.yaml", tmp_path / "new.yaml"
    for old, new in ((OLD_TEXT, NEW_TEXT), (NEW_TEXT, NEW_TEXT)):
        file.write_bytes(old.replace("\n", "\r\n").encode())
        assert run("-f", str(file), "-o", str(target)).exit_code == 0
        assert target.read_bytes() == new.replace("\n", "\r\n").encode()


def mixed(line: str) -> str:
    """The end that a line is given by what it says, however it is indented."""
    return "\r\n" if len(line.strip()) % 2 else "\n"


@pytest.mark.parametrize("case", [c for c in CASES if "new" in c], ids=lambda c: c["case"])
def test_each_line_keeps_its_own_end(case: JSON) -> None:
    lines = case["old"].splitlines()
    done = migrate("".join(line + mixed(line) for line in lines))
    assert done.text.replace("\r\n", "\n") == case["new"]
    # A line "affinity:" may have been added.
    old = {line.strip() for line in lines} - {"affinity:"}
    kept = [line for line in done.text.splitlines(keepends=True) if line.strip() in old]
    assert kept
    assert [line for line in kept if line != line.rstrip("\r\n") + mixed(line)] == []


@pytest.mark.parametrize("last", ["\r\n", ""], ids=["ends with one", "does not end with one"])
def test_lines_that_are_added_end_as_the_first_one_does(last: str) -> None:
    old = (
        "apiVersion: hourglass.eigenlayer.io/v1alpha1\r\nkind: Performer\r\nspec:\r\n"
        "  scheduling:\r\n    nodeAffinity:\r\n      required: a"
    )
    new = old.replace("    nodeAff", "    affinity:\r\n      nodeAff").replace("   req", "     req")
    assert migrate(old + last).text == new + last


def test_other_documents_keep_their_line_ends(tmp_path: Path) -> None:
    other = "a: |\n  one\r\n  two\nb: c\n"
    file = tmp_path / "old.yaml"
    file.write_bytes((other + "---\r\n" + OLD_TEXT.replace("\n", "\r\n")).encode())
    assert run("-f", str(file), "-o", str(file)).exit_code == 0
    assert file.read_bytes() == (other + "---\r\n" + NEW_TEXT.replace("\n", "\r\n")).encode()


def test_what_needs_no_change_stays_to_the_byte(tmp_path: Path) -> None:
    mixed = b"a: b\r\nc: d\n"
    file = tmp_path / "mixed.yaml"
    file.write_bytes(mixed)
    assert run("-f", str(file), "-o", str(file)).exit_code == 0
    assert file.read_bytes() == mixed


def test_when_something_is_refused_nothing_is_written(tmp_path: Path) -> None:
    target = tmp_path / "new.yaml"
    executor = "apiVersion: hourglass.eigenlayer.io/v1alpha1\nkind: HourglassExecutor\n"
    result = run("-f", "-", "-o", str(target), given=f"{OLD_TEXT}---\n{executor}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("standard input:11: kind: HourglassExecutor is gone")
    assert not target.exists()


@pytest.mark.parametrize(
    ("args", "given", "said"),
    [
        (["-f", "none.yaml"], "", "none.yaml"),
        (["-f", "-"], "a: [", "standard input:1: not YAML"),
        (
            ["-f", "-"],
            f"{GROUP}: {NESTED}",
            "standard input:1: not YAML: exceeded maximum nesting depth",
        ),
        (["-f", "-", "-o", "no/such/folder"], "a: b", "--output no/such/folder: No such file"),
        ([], "", "-f"),
        (["-f", "-", "-f", "-"], "", "--filename: expected one file, found 2"),
    ],
)
def test_what_cannot_be_read_or_written(args: list[str], given: str, said: str) -> None:
    result = run(*args, given=given)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_the_example_of_the_guide() -> None:
    blocks = GUIDE.read_text(encoding="utf-8").split("```")
    old, new = (block.removeprefix("yaml\n") for block in blocks[1::2] if block[:5] == "yaml\n")
    console = next(block for block in blocks[1::2] if "old.yaml:" in block)
    done = migrate(old)
    assert done.text == new
    for line in texts(done.changes):
        assert f"old.yaml:{line}\n" in console
    PerformerSpec.model_validate(yaml.safe_load(new)["spec"])
