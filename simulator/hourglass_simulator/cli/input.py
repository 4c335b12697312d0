"""Reading what the user named; bad input ends the command with exit code 2."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from hourglass_operator.console.line import print_line
from hourglass_simulator.cli.parts import Parts
from hourglass_simulator.scenario import ScenarioFile, UnreadableError, find, load_all

BAD_INPUT = 2


def scenarios(parts: Parts, paths: Sequence[Path]) -> list[ScenarioFile]:
    """Every scenario of the files and directories; exits after printing all problems if any."""
    try:
        return load_all(find(paths), parts.faults)
    except UnreadableError as error:
        refuse(error)


def refuse(error: UnreadableError) -> NoReturn:
    """Print every problem on standard error and exit."""
    for problem in error.problems:
        print_line(str(problem))
    sys.exit(BAD_INPUT)
