"""`hourglass-sim`: play, list and explain scenarios."""

import click

from hourglass_operator.console.command_group import CommandGroup
from hourglass_simulator.cli.check import check_command
from hourglass_simulator.cli.clock import clock
from hourglass_simulator.cli.demo import demo
from hourglass_simulator.cli.explain import explain
from hourglass_simulator.cli.fault import fault
from hourglass_simulator.cli.faults import faults
from hourglass_simulator.cli.hardware import hardware_command
from hourglass_simulator.cli.list import list_scenarios
from hourglass_simulator.cli.parts import Parts
from hourglass_simulator.cli.run import run
from hourglass_simulator.cli.search import search
from hourglass_simulator.cli.serve import serve
from hourglass_simulator.cli.snapshot import snapshot
from hourglass_simulator.cluster import raise_gc_thresholds

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=CommandGroup, context_settings=CONTEXT)
@click.version_option(package_name="hourglass-performer-operator")
@click.pass_context
def main(context: click.Context) -> None:
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
    context.ensure_object(Parts)


for command in (
    *(demo, run, list_scenarios, explain, check_command),
    *(hardware_command, faults, search),
    *(serve, clock, fault, snapshot),
):
    main.add_command(command)
