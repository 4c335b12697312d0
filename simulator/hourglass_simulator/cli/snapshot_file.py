"""`--cluster FILE`: what kubectl, or `hourglass-sim snapshot save`, printed of a cluster."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import yaml

from hourglass_kube.types import JSON
from hourglass_operator.console.line import print_line
from hourglass_simulator.cli.input import BAD_INPUT
from hourglass_simulator.harness import printed
from hourglass_simulator.harness.snapshot import Copy
from hourglass_simulator.scenario.document import KubernetesLoader

_MAX_BYTES = 256 * 1024 * 1024
_KINDS = (
    "nodes,pods,deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,controllerrevisions,"
    "poddisruptionbudgets,persistentvolumeclaims,persistentvolumes,storageclasses,csinodes,"
    "priorityclasses,runtimeclasses,namespaces,resourcequotas,limitranges,performers"
)
_HOW = f"kubectl get {_KINDS} -A -o yaml > cluster.yaml"


def notices(copy: Copy, deciding: list[str], others: list[str]) -> Iterator[str]:
    """What its user should know of a copy, each in a line; the lists are those of `objects_of`."""
    if deciding:
        yield f"left out, though it may change or refuse the pod: {', '.join(deciding)}"
    if others:
        yield f"not simulated, and left out: {', '.join(others)}"
    if copy.unmanaged:
        yield f"left out, as their ReplicaSets are not in the file: {', '.join(copy.unmanaged)}"
    if copy.assumed:
        yield f"not in the file, and taken to exist: {', '.join(copy.assumed)}"


def objects_of(path: Path) -> tuple[list[JSON], tuple[list[str], list[str]]]:
    """The objects that a copy is made of, and what is left out."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            bad(f"{path}: larger than 256 MB")
        with path.open(encoding="utf-8") as stream:
            found = yaml.load(stream, Loader=KubernetesLoader)
    except OSError as error:
        bad(f"{path}: {error.strerror or 'cannot be read'}; make it with: {_HOW}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        bad(f"{path}: not YAML: {why}")
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list):
        bad(f"{path}: expected a List of objects; make it with: {_HOW}")
    try:
        return printed.objects(items), printed.left_out(items)
    except printed.InvalidObjectError as error:
        bad(f"{path}: {error}")


def bad(text: str) -> NoReturn:
    """Print what is wrong with the input, and exit."""
    print_line(text)
    sys.exit(BAD_INPUT)
