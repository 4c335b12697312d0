"""How often Python's garbage collector runs."""

import gc


def raise_gc_thresholds() -> None:
    """Let the garbage collector of Python run less often, in the whole process.

    A simulated cluster keeps hundreds of thousands of objects and makes hardly any cycles; at the
    default thresholds the collector takes up to half of the time. What survives is looked at once,
    and once more only after a hundred million others.
    """
    gc.set_threshold(200_000, 500, 1000)
