"""What the pictures of a run have in common, in a browser and in a terminal."""

from hourglass_simulator.scenario.result import Result

_TICKS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)


def last(result: Result) -> float:
    """When the picture ends, in seconds: shortly after the last thing that happened."""
    times = [entry.time for entry in result.timeline] + [step.ended for step in result.steps[:-1]]
    return max(min(result.duration, 1.08 * max(times, default=0.0)), 0.001)


def tick_distance(end: float, most: int) -> float:
    """Seconds between the ticks of an axis with no more than `most` of them."""
    return next((tick for tick in _TICKS if end / tick <= most), end)


def marks(result: Result, end: float, apart: float) -> list[list[int]]:
    """The steps' numbers, from 1; those closer than `apart` hundredths of the width share one."""
    groups: list[list[int]] = []
    for number, step in enumerate(result.steps, 1):
        first = result.steps[groups[-1][0] - 1].started if groups else 0.0
        if groups and 100 * (step.started - first) / end < apart:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups
