"""What the commands load; in processes of their own, for here everything is loaded."""

import subprocess
import sys

import pytest


def said_by(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout.strip()


def test_the_operator_loads_no_other_http_client() -> None:
    said = said_by(
        "import sys, hourglass_operator.cli\n"
        "print([name for name in ('requests', 'oauthlib', 'websocket') if name in sys.modules])"
    )
    assert said == "[]"


@pytest.mark.parametrize(
    ("use", "said"),
    [
        ("from kubernetes.client import CoreV1Api; print(CoreV1Api.__name__)", "CoreV1Api"),
        ("import kubernetes; print(kubernetes.dynamic.DynamicClient.__name__)", "DynamicClient"),
        ("import kubernetes.watch.watch as watch; print(watch.Watch.__name__)", "Watch"),
    ],
    ids=["a name of a package", "an attribute", "a module below a package"],
)
def test_what_was_left_out_is_loaded_when_it_is_used(use: str, said: str) -> None:
    assert said_by(f"import hourglass_operator.cli\n{use}") == said
