"""What the answer to a write means: whether to try again, and what to remember."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_kube.backoff import backoff
from hourglass_operator.api import KIND
from hourglass_operator.controller.endings import finalizers
from hourglass_operator.controller.ownership import belongs
from hourglass_operator.controller.plan import KINDS, RESIZE, Outcome, Refusal
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.views import PerformerView
from hourglass_operator.resources.owner import owner_uid

_REFUSED = (400, 403, 422)
_SAY_NOTHING = (401, 409, 429)
"""No token, a conflict, too many requests: nothing is wrong with the write itself."""
_DONE = {"create": "created", "patch": "changed", "delete": "deleted", "resize": "resized"}


@dataclass(frozen=True, slots=True)
class WriteResult:
    """`retry`: try again after the key's back-off. `refusals` replace the remembered ones.

    `exists`: the object that was to be created is there already and is the Performer's. `gone`:
    the API server does not know the object that was to be changed, or the change ended it.
    """

    refusals: tuple[Refusal, ...]
    retry: bool = False
    exists: bool = False
    gone: bool = False


def write_result(
    outcome: Outcome,
    performer: PerformerView,
    before: tuple[Refusal, ...],
    settings: Settings,
    now: float,
) -> WriteResult:
    """Judge one answer; `before` are the refusals remembered so far, `now` is in seconds."""
    write = outcome.write
    others = tuple(refusal for refusal in before if not refusal.of(write))
    if outcome.succeeded and write.verb == "create":
        return WriteResult(others)
    if write.verb != "create":
        gone = outcome.not_found or _released(outcome)
        if outcome.succeeded or gone:
            return WriteResult(others, gone=gone)
    elif outcome.code == 409 and outcome.body is not None:
        metadata = outcome.body["metadata"]
        if belongs(owner_uid(metadata), metadata.get("labels") or {}, performer):
            return WriteResult(before, exists=True)
    judged = _judge(outcome, performer)
    if judged is None:
        return WriteResult(before, retry=True)
    message, foreign, transient = judged
    generation = performer.generation
    same = (
        refusal
        for refusal in before
        if refusal.of(write) and (refusal.generation, refusal.transient) == (generation, transient)
    )
    past = next(same, None)
    failures = past.failures if past is not None else 0
    if past is not None and _words(past.message) == _words(message):
        # Else the port of a connection or the time of a try would cost a status write each.
        message = past.message
    refusal = Refusal(
        resource=write.refused_as,
        message=message,
        foreign=foreign,
        transient=transient,
        generation=generation,
        failures=failures + 1,
        retry_at=now + _pause(transient, failures, settings),
        verb=write.verb,
        name="" if write.verb == "create" else write.name,
    )
    return WriteResult(tuple(sorted((*others, refusal), key=_order)))


def _judge(outcome: Outcome, performer: PerformerView) -> tuple[str, bool, bool] | None:
    """What a refusal says for a person, and whether it is foreign and transient as in Refusal.

    None if the answer does not say that the write is refused: the next try may find it otherwise.
    """
    write, what = outcome.write, f"{KINDS[outcome.write.resource]} {outcome.write.name}"
    if write.subresource == "resize" and _is_refused_resize(outcome):
        return outcome.message, False, False
    if write.verb == "create" and outcome.code == 409 and outcome.body is not None:
        return _taken(what, outcome.body["metadata"], performer)
    if write.verb == "create" and outcome.code in _REFUSED:
        return outcome.message, False, False
    if write.subresource == "status" or outcome.code in _SAY_NOTHING or outcome.not_sent:
        return None
    done = _DONE[write.subresource or write.verb]
    return f"{what} cannot be {done} yet: {outcome.message or outcome.code}", False, True


def _taken(
    what: str, metadata: Mapping[str, Any], performer: PerformerView
) -> tuple[str, bool, bool]:
    if not _left_over(metadata, performer):
        return f"{what} exists and belongs to another; delete or rename one of them", True, False
    message = f"{what} of an earlier Performer of this name has not gone yet"
    if kept_by := metadata.get("finalizers"):
        message += f": {finalizers(kept_by)} it"
    return message, False, True


def _words(message: str) -> str:
    """What an error says, without its numbers."""
    return re.sub(r"\d+", "", message)


def _order(refusal: Refusal) -> tuple[str, str, str]:
    return refusal.resource, refusal.verb, refusal.name


def _is_refused_resize(outcome: Outcome) -> bool:
    """The API server will not do it; that it does not know the subresource says a 404 or 405.

    Without the permission it may do it later.
    """
    absent = outcome.code in (404, 405) and not outcome.not_found
    missing = outcome.code == 403 and f'cannot patch resource "{RESIZE}"' in outcome.message
    return absent or (outcome.code in _REFUSED and not missing)


def _released(outcome: Outcome) -> bool:
    """The last finalizer of a deleted Performer was removed: it is gone before the watch says so.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/#how-finalizers-work
    """
    if outcome.write.resource != "performers" or not outcome.succeeded or outcome.body is None:
        return False
    metadata = outcome.body["metadata"]
    return "deletionTimestamp" in metadata and not metadata.get("finalizers")


def _pause(transient: bool, failures: int, settings: Settings) -> float:
    if transient:
        return backoff(settings.retry_base, settings.retry_limit, failures)
    return backoff(settings.replacement_base, settings.replacement_limit, failures)


def _left_over(metadata: Mapping[str, Any], performer: PerformerView) -> bool:
    """It belonged to an earlier Performer of the same name and is about to be collected."""
    return any(
        owner.get("kind") == KIND and owner.get("name") == performer.name
        for owner in metadata.get("ownerReferences") or ()
    )
