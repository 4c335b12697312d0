"""What is remembered of Performers: by key and uid, and nothing where there is nothing."""

import pytest

from hourglass_operator.controller.memories import NOTHING, Memories
from hourglass_operator.controller.plan import Memory, PendingStatus, Refusal

KEY, OTHER = ("avs", "ml"), ("avs", "other")


def refusal(resource: str, *, transient: bool = True) -> Refusal:
    return Refusal(
        resource, "no", foreign=False, transient=transient, generation=1, failures=1, retry_at=9.0
    )


POD, SERVICE = refusal("pods"), refusal("services")
FOR_GOOD = refusal("pods", transient=False)
HELD_BACK = PendingStatus(("PodReady",), 1.0, 2.0)
SOMETHING = Memory((POD,), HELD_BACK)


def remembering(memory: Memory = SOMETHING) -> Memories:
    memories = Memories()
    memories.put(KEY, "u", memory)
    return memories


GETS = [
    ("its own", KEY, "u", SOMETHING),
    ("nothing of the next Performer of its name", KEY, "v", NOTHING),
    ("nothing of one that is gone", KEY, "", NOTHING),
    ("nothing of another", OTHER, "u", NOTHING),
]


@pytest.mark.parametrize(("key", "uid", "memory"), [g[1:] for g in GETS], ids=[g[0] for g in GETS])
def test_a_performer_gets(key: tuple[str, str], uid: str, memory: Memory) -> None:
    assert remembering().get(key, uid) == memory


def test_what_is_remembered_last_counts() -> None:
    memories = remembering()
    memories.put(KEY, "v", Memory((SERVICE,)))
    assert memories.get(KEY, "v") == Memory((SERVICE,))
    assert memories.get(KEY, "u") == NOTHING


def test_nothing_is_kept_of_whom_nothing_is_remembered() -> None:
    memories = remembering()
    memories.put(KEY, "u", NOTHING)
    assert memories.get(KEY, "u") == NOTHING
    assert memories._of == {}


def test_everything_can_be_forgotten() -> None:
    memories = remembering()
    memories.clear()
    assert memories.get(KEY, "u") == NOTHING


DROPS = [
    ("those of the resource", (POD, SERVICE), (SERVICE,)),
    ("not those that last", (FOR_GOOD, SERVICE), (FOR_GOOD, SERVICE)),
    ("none where there are none", (), ()),
]


@pytest.mark.parametrize(("before", "after"), [d[1:] for d in DROPS], ids=[d[0] for d in DROPS])
def test_with_an_object_transient_refusals_go(
    before: tuple[Refusal, ...], after: tuple[Refusal, ...]
) -> None:
    memories = remembering(Memory(before, HELD_BACK))
    memories.put(OTHER, "u", SOMETHING)
    memories.drop_transient_refusals("pods", [KEY, ("avs", "unknown")])
    assert memories.get(KEY, "u") == Memory(after, HELD_BACK)
    assert memories.get(OTHER, "u") == SOMETHING
