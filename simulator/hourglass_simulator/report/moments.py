"""Moments and lengths of time in reports."""

from hourglass_simulator.scenario.duration import text as duration


def clock(seconds: float) -> str:
    """A moment as `1h02:03.456` or `2:03.456`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}h{minutes:02}:{rest:06.3f}" if hours else f"{minutes}:{rest:06.3f}"


def took(seconds: float) -> str:
    """How long something took, as precisely as people want it: `2.2 s`, `1m30s`; at least 0.1 s."""
    return f"{max(seconds, 0.1):.1f} s" if seconds < 60 else duration(round(seconds))
