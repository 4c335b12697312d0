"""docs/faults.md: `python -m hourglass_simulator.faults.reference` prints it."""

import sys

from hourglass_simulator.faults import REGISTRY


def markdown() -> str:
    """The page about all faults."""
    lines = [
        "# Faults",
        "",
        "What a scenario can inject with `fault:` and end with `heal:`. Generated from",
        "`simulator/hourglass_simulator/faults` by `make generate`.",
        "",
        "```yaml",
        "steps:",
        "- at: 30s",
        "  fault: {node-lost: {node: gpu-1}}",
        "- after: 2m",
        "  heal: node-lost",
        "```",
        "",
        "| fault | what happens | parameters |",
        "|---|---|---|",
    ]
    for name, fault in REGISTRY.items():
        about = " ".join((fault.parameters.__doc__ or "").split())
        defaults = ", ".join(
            f"`{field.alias or key}`"
            + ("" if field.is_required() else f" (default {field.get_default()!r})")
            for key, field in fault.parameters.model_fields.items()
        )
        lines.append(f"| `{name}` | {fault.doc} | {about} {defaults} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(markdown())
