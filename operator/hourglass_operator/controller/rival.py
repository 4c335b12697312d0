"""The Go operator at work beside this one: noticed by its status, left alone, and reported.

It writes its own status as soon as a Performer or what it owns changes, makes its pod again when
that is deleted, and puts its Service back. Two operators that repair each other's work would go on
for ever; so this one steps back, and now and then tries whether the other is still there.
"""

from hourglass_kube.backoff import backoff
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Contest
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.settings import Settings
from hourglass_operator.resources import go_operator

MESSAGE = (
    f"{go_operator.NAME} still works on this Performer: it puts back its own status, pod and "
    "Service, so the take-over is not finished; stop it, for example with: "
    "kubectl scale deployment hourglass-operator --replicas=0 -n its-namespace"
)


def is_contested(seen: Observation) -> bool:
    """The Go operator has put its status back since this one wrote another, or may do so yet.

    It knows no conditions, and leaves those that it finds.
    """
    contest = seen.memory.contest
    if contest is None or seen.deleting:
        return False
    put_back = go_operator.wrote(seen.status) and bool(seen.status.conditions)
    return put_back or (contest.writes > 1 and seen.now < contest.answered_by)


def remembered(seen: Observation) -> Contest | None:
    """What is still to be remembered of writes over the Go operator's status."""
    contest = seen.memory.contest
    over = contest is None or (seen.now >= contest.answered_by and not is_contested(seen))
    return None if over else contest


def wrote_over(seen: Observation, settings: Settings) -> Contest | None:
    """What to remember once the status that is planned has been written.

    The first such write is the end of a normal take-over, and no reason for patience.
    """
    before, now = seen.memory.contest, seen.now
    if not go_operator.wrote(seen.status):
        return before
    if before is None or not is_contested(seen):
        return Contest(1, now + settings.replacement_limit, now)
    pause = backoff(settings.replacement_base, settings.replacement_limit, before.writes - 1)
    return Contest(before.writes + 1, now + settings.replacement_base, now + pause)


def moments(contest: Contest | None) -> tuple[float, ...]:
    """Moments (seconds) at which time alone changes what is done about a contest."""
    if contest is None or contest.writes == 1:
        return ()
    return (contest.answered_by, contest.next_write)


def may_come_back(pod: PodView, seen: Observation, settings: Settings) -> bool:
    """The Go operator would make this pod of its own again as soon as it is deleted.

    One that is just a few seconds old shows that it may be at work: its status will show that.
    """
    if not pod.of_go_operator:
        return False
    return is_contested(seen) or seen.now < pod.created + settings.replacement_base
