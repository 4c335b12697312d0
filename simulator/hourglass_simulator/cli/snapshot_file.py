"""`--cluster FILE`: what kubectl, or `hourglass-sim snapshot save`, printed of a cluster."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from hourglass_operator.console.line import print_line
from hourglass_simulator.cli.input import BAD_INPUT
from hourglass_simulator.harness import list_file, printed
from hourglass_simulator.harness.list_errors import ListError, NotAListError
from hourglass_simulator.harness.printed import Printed
from hourglass_simulator.harness.snapshot import Copy

_KINDS = (
    "nodes,pods,deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,controllerrevisions,"
    "poddisruptionbudgets,persistentvolumeclaims,persistentvolumes,storageclasses,csinodes,"
    "priorityclasses,runtimeclasses,namespaces,resourcequotas,limitranges,performers"
)
_HOW = f"kubectl get {_KINDS} -A -o json > cluster.json"


def notices(copy: Copy, read: Printed) -> Iterator[str]:
    """What its user should know of a copy, each in a line."""
    if read.deciding:
        yield f"left out, though it may change or refuse the pod: {', '.join(read.deciding)}"
    if read.others:
        yield f"not simulated, and left out: {', '.join(read.others)}"
    if copy.unmanaged:
        yield f"left out, as their ReplicaSets are not in the file: {', '.join(copy.unmanaged)}"
    if copy.assumed:
        yield f"not in the file, and taken to exist: {', '.join(copy.assumed)}"


def read(path: Path) -> Printed:
    """What is in the file, with progress on a terminal."""
    bar = Progress(
        TextColumn("reading {task.description}"),
        BarColumn(),
        DownloadColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    try:
        with path.open("rb") as stream, bar:
            task = bar.add_task(path.name, total=path.stat().st_size)
            return printed.read(
                list_file.items(stream, lambda count: bar.update(task, completed=count))
            )
    except OSError as error:
        bad(f"{path}: {error.strerror or 'cannot be read'}; make it with: {_HOW}")
    except NotAListError:
        bad(f"{path}: expected a List of objects; make it with: {_HOW}")
    except ListError as error:
        bad(f"{path}:{error.line}: {error}")
    except UnicodeDecodeError:
        bad(f"{path}: not a text file in UTF-8")
    except printed.InvalidObjectError as error:
        bad(f"{path}: {error}")


def bad(*texts: str) -> NoReturn:
    """Print what is wrong with the input, a line each, and exit."""
    for text in texts:
        print_line(text)
    sys.exit(BAD_INPUT)
