"""Reading what the user named; bad input ends the command with exit code 2."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from hourglass_operator.console.line import print_line
from hourglass_simulator.cli.parts import Parts
from hourglass_simulator.cli.shipped import as_named, there_or_shipped
from hourglass_simulator.scenario import ScenarioFile, UnreadableError, find, load_all

BAD_INPUT = 2


def scenarios(parts: Parts, paths: Sequence[Path]) -> list[ScenarioFile]:
    """Every scenario of the files and directories; exits after printing all problems if any.

    What is not there is taken from the package.
    """
    try:
        files = load_all(find(map(there_or_shipped, paths)), parts.faults)
    except UnreadableError as error:
        refuse(error)
    return [replace(file, path=as_named(file.path)) for file in files]


def refuse(error: UnreadableError) -> NoReturn:
    """Print every problem on standard error and exit."""
    for problem in error.problems:
        print_line(str(problem))
    sys.exit(BAD_INPUT)
