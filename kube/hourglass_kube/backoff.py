"""How long to wait before something that failed is tried again."""


def backoff(base: float, limit: float, failures: int) -> float:
    """`base` seconds doubled `failures` times, at most `limit`."""
    # 2**64 exceeds any limit; the bound keeps many failures from overflowing a float.
    return min(limit, base * 2.0 ** min(failures, 64))
