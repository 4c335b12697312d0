"""The state diagram and table: `python -m hourglass_statemachine.diagram` prints them."""

import sys

from hourglass_statemachine.phase import Phase
from hourglass_statemachine.table import TABLE


def markdown() -> str:
    """A Markdown page with the table and the diagram (Mermaid, which GitHub renders)."""
    lines = [
        "# Phases",
        "",
        "Generated from `statemachine/hourglass_statemachine/table.py` by `make generate`.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {Phase.PENDING}",
        *(f"    {row.source} --> {row.trigger.dest}: {row.trigger.name}" for row in TABLE),
        f"    {Phase.TERMINATING} --> [*]",
        "```",
        "",
        "| from | trigger | to | when |",
        "|---|---|---|---|",
        *(
            f"| {row.source} | {row.trigger.name} | {row.trigger.dest} | {row.when} |"
            for row in TABLE
        ),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(markdown())
