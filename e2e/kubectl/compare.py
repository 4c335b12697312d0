"""What kubectl prints on the simulator, against what it prints on a real cluster."""

import difflib
from collections.abc import Sequence as Several

from kubectl.sequences import Command, Sequence


def differences(sequence: Sequence, ours: Several[str], theirs: Several[str]) -> list[str]:
    """Each command that prints something else, with the lines; known differences are left out."""
    found = []
    for command, our, their in zip(sequence.compared, ours, theirs, strict=True):
        for difference in command.differs:
            our, their = difference.left_out(our), difference.left_out(their)
        if command.unordered:
            our, their = ("".join(sorted(text.splitlines(keepends=True))) for text in (our, their))
        if our != their:
            lines = difflib.unified_diff(their.splitlines(), our.splitlines(), lineterm="", n=1)
            found.append("\n".join([f"$ {command.text}", *list(lines)[2:]]))
    return found


def needless(sequence: Sequence, ours: Several[str], theirs: Several[str]) -> list[str]:
    """Each command with a known difference that is none any more; `ours` is the simulator's."""
    return [
        f"$ {command.text}\nnot different any more: {gone}"
        for command, our, their in zip(sequence.compared, ours, theirs, strict=True)
        if (gone := _without_need(command, our, their))
    ]


def _without_need(command: Command, ours: str, theirs: str) -> str:
    """The first difference of a command without which both would be equal."""
    for left in command.differs:
        our, their = ours, theirs
        for other in command.differs:
            if other is not left:
                our, their = other.left_out(our), other.left_out(their)
        if our == their:
            return left.name
    return ""
