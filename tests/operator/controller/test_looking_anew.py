"""What a runtime tells the controller besides events."""

from builders import CATALOGUE, NAMESPACE, performer
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.controller.cache import RESOURCES

KEY = (NAMESPACE, "ml")


def settled(now: float = 0.0) -> Controller:
    """A controller that knows one Performer and has nothing to do."""
    controller = Controller(CATALOGUE, Settings())
    for resource in RESOURCES:
        objects = [performer("ml").build()] if resource == "performers" else []
        controller.listed(resource, objects, str(10**8), now)
    taken = controller.take(now)
    assert taken is not None
    controller.finish(taken, (), now)
    while controller.queue.get(now) is not None:
        controller.queue.done(KEY)
    return controller


def test_forgetting_looks_at_every_performer_at_once() -> None:
    controller = settled()
    assert controller.take(0.0) is None
    controller.forget(0.0)
    taken = controller.take(0.0)
    assert taken is not None
    assert taken.key == KEY


def test_forgetting_ends_the_back_off() -> None:
    controller = settled()
    for _ in range(4):
        controller.queue.add_rate_limited(KEY, 1.0)
    controller.forget(5.0)
    controller.queue.get(5.0)
    controller.queue.add_rate_limited(KEY, 5.0)
    controller.queue.done(KEY)
    assert controller.queue.next_due() == 6.0


def test_a_performer_that_is_not_among_the_names_is_gone() -> None:
    controller = settled()
    controller.remain("performers", [], str(10**8), 5.0)
    assert controller.cache.performers == {}
    taken = controller.take(5.0)
    assert taken is not None
    assert taken.plan.writes == ()
