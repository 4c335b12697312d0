"""A sequence's commands with what they printed, as a file that can be read."""

from collections.abc import Sequence as Several

from kubectl.sequences import Sequence


def written(sequence: Sequence, printed: Several[str]) -> str:
    """The text of the file: each command that counts after a `$`, and what it printed."""
    pairs = zip(sequence.compared, printed, strict=True)
    return "".join(f"$ {command.text}\n{text}" for command, text in pairs)


def read(sequence: Sequence, text: str) -> list[str]:
    """What each command printed, by the text of the file.

    Errors: `ValueError` when the file has other commands than the sequence.
    """
    printed = []
    for command in reversed(sequence.compared):
        text, found, last = text.rpartition(f"$ {command.text}\n")
        if not found:
            raise ValueError(f"{sequence.name}: record {command.text} anew")
        printed.append(last)
    if text:
        raise ValueError(f"{sequence.name}: record it anew; it begins with {text[:80]}")
    return printed[::-1]
