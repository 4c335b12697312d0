"""`hourglass-sim`: play, list and explain scenarios."""

import click

from hourglass_operator.console.lazy_imports import SYNCHRONOUS_CLIENT, load_when_used

# Before anything imports them.
load_when_used(SYNCHRONOUS_CLIENT)

from hourglass_simulator.cli.lazy_commands import LazyCommands  # noqa: E402
from hourglass_simulator.garbage_collector import raise_gc_thresholds  # noqa: E402

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


COMMANDS = {
    "check": "check:check_command",
    "clock": "clock:clock",
    "demo": "demo:demo",
    "explain": "explain:explain",
    "fault": "fault:fault",
    "faults": "faults:faults",
    "hardware": "hardware:hardware_command",
    "list": "list:list_scenarios",
    "run": "run:run",
    "search": "search:search",
    "serve": "serve:serve",
    "snapshot": "snapshot:snapshot",
}
"""Where each command is, below this package."""


@click.group(cls=LazyCommands, context_settings=CONTEXT, package=__name__, places=COMMANDS)
@click.version_option(package_name="hourglass-performer-operator")
def main() -> None:
    """A simulated Kubernetes with the Performer operator in it.

    \b
    Examples:
      hourglass-sim demo                           the examples, and a GPU that fails
      hourglass-sim list                           what there is
      hourglass-sim explain scenarios/X.yaml       what a scenario does, in words
      hourglass-sim run scenarios/X.yaml           play it and see who did what when
      hourglass-sim run scenarios --junit out.xml  play all, for CI
      hourglass-sim search --for 10m               what nobody has thought of
      hourglass-sim check P.yaml --cluster C.yaml  would it run on my cluster?
      hourglass-sim hardware                       which hardware can be asked for
      hourglass-sim serve                          a cluster for kubectl and your operator

    \b
    Exit codes:
      0  every expectation was met
      1  an expectation was not met
      2  bad input: the file, the line, and what is expected there
      3  an error of the program itself: no answer

    Scenarios and examples that are not in this folder are those of the package, by the same names.

    How to write a scenario: docs/scenarios.md
    """
    raise_gc_thresholds()
