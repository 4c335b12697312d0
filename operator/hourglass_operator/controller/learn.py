"""What the answer to a write teaches: whether to try again, and what to remember."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_operator.api import KIND
from hourglass_operator.controller.observe import belongs
from hourglass_operator.controller.plan import Outcome, Refusal
from hourglass_operator.controller.settings import Settings, backoff
from hourglass_operator.controller.views import PerformerView
from hourglass_operator.resources.owner import controller_uid

_REFUSED = (400, 403, 422)


@dataclass(frozen=True, slots=True)
class Lesson:
    """`retry`: try again after the key's back-off. `refusals` replace the remembered ones.

    `exists`: the object that was to be created is there already and is the Performer's. `gone`:
    the API server does not know the object that was to be changed.
    """

    refusals: tuple[Refusal, ...]
    retry: bool = False
    exists: bool = False
    gone: bool = False


def learn(
    outcome: Outcome,
    performer: PerformerView,
    before: tuple[Refusal, ...],
    settings: Settings,
    now: float,
) -> Lesson:
    """Judge one answer; `before` are the refusals remembered so far, `now` is in seconds."""
    write = outcome.write
    if write.resource == "events":
        # An Event that is lost is not worth another pass.
        return Lesson(before)
    if write.verb != "create":
        gone = outcome.code == 404
        return Lesson(before, retry=not outcome.succeeded and not gone, gone=gone)
    others = tuple(refusal for refusal in before if refusal.resource != write.resource)
    if outcome.succeeded:
        return Lesson(others)
    foreign = outcome.code == 409 and outcome.body is not None
    message = outcome.message
    if outcome.code == 409 and outcome.body is not None:
        metadata = outcome.body["metadata"]
        if belongs(controller_uid(metadata), metadata.get("labels") or {}, performer):
            return Lesson(before, exists=True)
        foreign = not _left_over(metadata, performer)
        kind = write.body["kind"]
        message = f"{kind} {write.name} exists and belongs to another; delete or rename one of them"
    if not foreign and outcome.code not in _REFUSED:
        return Lesson(before, retry=True)
    generation = performer.generation
    same = (r for r in before if r.resource == write.resource and r.generation == generation)
    failures = next((refusal.failures for refusal in same), 0)
    refusal = Refusal(
        resource=write.resource,
        message=message,
        foreign=foreign,
        generation=generation,
        failures=failures + 1,
        retry_at=now + backoff(settings.replacement_base, settings.replacement_limit, failures),
    )
    return Lesson(tuple(sorted((*others, refusal), key=lambda refusal: refusal.resource)))


def _left_over(metadata: Mapping[str, Any], performer: PerformerView) -> bool:
    """It belonged to an earlier Performer of the same name and is about to be collected."""
    return any(
        owner.get("kind") == KIND and owner.get("name") == performer.name
        for owner in metadata.get("ownerReferences") or ()
    )
