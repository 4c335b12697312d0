"""Commands that run at the same time: what they print, how they end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "e2e" / "side_by_side.py"


def run(*commands: str) -> subprocess.CompletedProcess[str]:
    shells = [f"sh -c '{command}'" for command in commands]
    return subprocess.run(
        [sys.executable, str(PROGRAM), *shells], capture_output=True, text=True, timeout=60
    )


def test_they_run_at_the_same_time_and_print_one_after_the_other(tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    os.mkfifo(there)
    os.mkfifo(back)
    # Each waits for the other.
    done = run(
        f"echo one; echo > {there}; read line < {back}; echo two",
        f"echo three >&2; read line < {there}; echo > {back}; echo four",
    )
    assert done.returncode == 0
    first, others = done.stdout.split("\n\n")
    assert first == "one\ntwo"
    command, *printed = others.splitlines()
    assert command.startswith("$ sh -c 'echo three")
    assert printed == ["three", "four"]


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        pytest.param(("exit 0", "exit 0"), 0, id="both succeed"),
        pytest.param(("exit 3", "exit 0"), 3, id="the first fails"),
        pytest.param(("exit 0", "exit 4"), 4, id="the second fails"),
        pytest.param(("exit 5", "exit 4"), 5, id="both fail"),
        pytest.param(("exit 0", "kill -9 $$"), 137, id="one is killed"),
    ],
)
def test_the_exit_code_is_that_of_the_first_that_failed(
    commands: tuple[str, str], code: int
) -> None:
    assert run(*commands).returncode == code


def test_what_failed_is_said_once_more_at_the_end() -> None:
    done = run(
        'echo "FAILED one"; echo why; echo "SKIPPED three"; echo no; exit 1',
        "echo all passed",
        'echo no; echo "ERROR two"; echo "== 1 failed =="; exit 2',
    )
    parts = [part.splitlines()[1:] for part in done.stdout.split("\n\n")]
    assert ["ended with 1", "FAILED one", "why"] in parts
    assert ["ended with 2", "ERROR two"] in parts


# A shell has what follows its command as $0: --last-failed, when it runs alone.
ONLY_BESIDE_OTHERS = 'echo "FAILED one"; test $0 = --last-failed'
ALWAYS = 'echo "FAILED one"; exit 1'


@pytest.mark.parametrize(
    ("command", "code", "end"),
    [
        pytest.param(
            ONLY_BESIDE_OTHERS,
            0,
            ["failed beside the others: 1; alone: passed"],
            id="a test that passes alone passes, and is counted",
        ),
        pytest.param(
            ALWAYS,
            1,
            ["failed beside the others: 1; alone: ended with 1", "FAILED one"],
            id="a test that fails alone too fails",
        ),
        pytest.param(
            "for n in 1 2 3 4 5 6; do " + ONLY_BESIDE_OTHERS.replace(";", "; done;"),
            1,
            ["ended with 1", *6 * ["FAILED one"]],
            id="more than five are not run again",
        ),
        pytest.param(
            'echo "FAILED one"; test $0 = --last-failed || exit 2',
            2,
            ["ended with 2", "FAILED one"],
            id="a run that did not come to its end is not run again",
        ),
        pytest.param(
            "exit 1", 1, ["ended with 1"], id="without a test that failed none is run again"
        ),
    ],
)
def test_what_failed_is_run_once_more_alone(command: str, code: int, end: list[str]) -> None:
    done = run("exit 0", command)
    assert done.returncode == code
    assert done.stdout.splitlines()[-len(end) :] == end


@pytest.mark.parametrize(
    ("sent", "got"), [("INT", "INT"), ("TERM", "TERM"), ("HUP", "TERM")], ids=lambda name: name
)
def test_a_signal_goes_to_each_which_is_waited_for(tmp_path: Path, sent: str, got: str) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    # For writing too, so that it does not end between the two.
    written = os.open(ready, os.O_RDWR)
    program = (
        "import signal, sys\n"
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIG{got}])\n"
        f"open({str(ready)!r}, 'w').write('.')\n"
        f"signal.sigwait([signal.SIG{got}])\n"
        "print(sys.argv[1])\n"
        "sys.exit(2)\n"
    )
    script = tmp_path / "waits.py"
    script.write_text(program)
    commands = [f"{sys.executable} {script} {name}" for name in ("one", "two")]
    running = subprocess.Popen(
        [sys.executable, str(PROGRAM), *commands], stdout=subprocess.PIPE, text=True
    )
    for _ in commands:
        os.read(written, 1)
    os.close(written)
    running.send_signal(getattr(signal, f"SIG{sent}"))
    printed, _ = running.communicate(timeout=60)
    assert [line for line in printed.splitlines() if line in ("one", "two")] == ["one", "two"]
    assert running.returncode == 2
