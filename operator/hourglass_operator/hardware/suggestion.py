"""What somebody may have meant who names hardware that the catalogue does not know."""

from difflib import SequenceMatcher

from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.requirement import Requirement

_NAMES = 3
_ALIKE = 0.7
"""Least share of letters in common, from 0 to 1: below it a guess is a distraction."""


def suggestion(needed: Requirement, catalogue: Catalogue) -> str:
    """Known GPUs with names like an unknown one, nearest first, and the TEEs that there are."""
    words = ""
    if needed.gpu_type and not catalogue.knows_gpu(needed.gpu_type):
        near = nearest(needed.gpu_type, catalogue)
        if near:
            words += f"; the catalogue has no {needed.gpu_type}: did you mean {_or(near)}?"
    if needed.tee_type and not catalogue.knows_tee(needed.tee_type):
        known = list(dict.fromkeys(tee.names[0] for tee in catalogue.tees.values()))
        words += f"; the catalogue has no TEE {needed.tee_type}, but {', '.join(known)}"
    return words


def nearest(gpu_type: str, catalogue: Catalogue) -> list[str]:
    """First names of the GPUs of which a spelling is most like `gpu_type`, nearest first.

    A vendor's prefix that is spelled right says nothing of the model, and is not compared.
    """
    wanted = gpu_type.lower().replace("_", "-")
    prefixes = [vendor.prefix for vendor in catalogue.vendors]
    prefix = next(filter(wanted.startswith, prefixes), "")
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted.removeprefix(prefix))
    likeness: dict[str, float] = {}
    for spelling, gpu in catalogue.gpus.items():
        if not spelling.startswith(prefix):
            continue
        own = next(filter(spelling.startswith, prefixes), "")
        for part in {spelling.removeprefix(prefix), spelling.removeprefix(own)}:
            matcher.set_seq1(part)
            if matcher.quick_ratio() >= _ALIKE:
                name = gpu.names[0]
                likeness[name] = max(likeness.get(name, 0.0), matcher.ratio())
    near = sorted(likeness.items(), key=lambda item: (-item[1], item[0]))
    return [name for name, likely in near[:_NAMES] if likely >= _ALIKE]


def _or(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
