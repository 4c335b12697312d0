"""The sequences of commands of `commands.yaml`, and the differences that are known."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

COMMANDS = Path(__file__).with_name("commands.yaml")
_KEYS = {"run", "until", "editor", "lines", "unordered", "differs"}


@dataclass(frozen=True)
class Difference:
    """What of a command's output is not the same on the simulator."""

    name: str
    reason: str
    pattern: str
    """Without one it is all that the command prints."""

    def left_out(self, text: str) -> str:
        """The text without what differs."""
        if not self.pattern:
            return f"<{self.name}>"
        return re.sub(self.pattern, f"<{self.name}>", text, flags=re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """One line for bash; the keys of `commands.yaml`."""

    text: str
    repeated: bool = False
    """It runs again and again until it succeeds, and what it prints does not count."""
    editor: str = ""
    lines: tuple[int, ...] = ()
    unordered: bool = False
    """kubectl prints the lines in any order."""
    differs: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Sequence:
    """Commands in a namespace of their own."""

    name: str
    commands: tuple[Command, ...]
    always: tuple[str, ...] = ()
    """What runs at the end, whatever happened."""
    quick: bool = False
    """It takes seconds on a real cluster."""

    @property
    def namespace(self) -> str:
        """Named the same everywhere, as it is in what is printed."""
        return f"kubectl-{self.name}"

    @property
    def compared(self) -> list[Command]:
        """The commands whose output counts."""
        return [command for command in self.commands if not command.repeated]


def load(path: Path = COMMANDS) -> list[Sequence]:
    """Every sequence, in the order of the file.

    Errors: `ValueError` for an unknown key, `KeyError` for an unknown difference.
    """
    document = yaml.safe_load(path.read_text("utf-8"))
    known = {
        name: Difference(name, entry["reason"], entry.get("pattern", ""))
        for name, entry in document["differences"].items()
    }
    return [
        Sequence(
            name=each["sequence"],
            commands=tuple(_command(entry, known) for entry in each["commands"]),
            always=tuple(each.get("always", ())),
            quick=each.get("quick", False),
        )
        for each in document["sequences"]
    ]


def _command(entry: dict[str, Any], known: dict[str, Difference]) -> Command:
    if unknown := entry.keys() - _KEYS:
        raise ValueError(f"{COMMANDS.name}: unknown keys {sorted(unknown)} in {entry}")
    return Command(
        text=entry.get("run") or entry["until"],
        repeated="until" in entry,
        editor=entry.get("editor", ""),
        lines=tuple(entry.get("lines", ())),
        unordered=entry.get("unordered", False),
        differs=tuple(known[name] for name in entry.get("differs", ())),
    )
