"""What the commands load; in processes of their own, for here everything is loaded."""

import subprocess
import sys

import pytest


def output_of(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout.strip()


def test_the_operator_loads_no_other_http_client() -> None:
    printed = output_of(
        "import sys, hourglass_operator.cli\n"
        "print([name for name in ('requests', 'oauthlib', 'websocket') if name in sys.modules])"
    )
    assert printed == "[]"


@pytest.mark.parametrize(
    ("use", "printed"),
    [
        ("from kubernetes.client import CoreV1Api; print(CoreV1Api.__name__)", "CoreV1Api"),
        ("import kubernetes; print(kubernetes.dynamic.DynamicClient.__name__)", "DynamicClient"),
        ("import kubernetes.watch.watch as watch; print(watch.Watch.__name__)", "Watch"),
    ],
    ids=["a name of a package", "an attribute", "a module below a package"],
)
def test_what_was_left_out_is_loaded_when_it_is_used(use: str, printed: str) -> None:
    assert output_of(f"import hourglass_operator.cli\n{use}") == printed
