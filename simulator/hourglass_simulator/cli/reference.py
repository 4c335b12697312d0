"""`python -m hourglass_simulator.cli.reference` writes docs/cli-simulator.md."""

import sys

from hourglass_operator.cli.reference import helps
from hourglass_simulator.cli import main

_PAGE = """\
# `hourglass-sim`

Made from the code by `make generate`; each command says the same with `--help`.

"""


def page() -> str:
    """docs/cli-simulator.md."""
    return _PAGE + helps({"hourglass-sim": main})


if __name__ == "__main__":
    sys.stdout.write(page())
