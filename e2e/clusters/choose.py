"""Which provider a run uses."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from clusters.cluster import Cluster
from clusters.errors import UnavailableError
from clusters.log import Log
from clusters.provider import Provider

AUTO = "auto"
ON_REQUEST = {"kubeconfig": "it is somebody's", "control-plane": "it has no node"}
"""Never taken by themselves → why."""


@contextmanager
def choose(wanted: str, providers: Mapping[str, Provider], log: Log) -> Iterator[Cluster]:
    """The cluster of the wanted provider, or with `auto` of the first that gives one.

    Logs which is taken, and why those before it are not. Errors: `UnavailableError` with the
    reasons of all that were tried.
    """
    automatic = wanted == AUTO
    names = [name for name in providers if name not in ON_REQUEST] if automatic else [wanted]
    if automatic:
        for name, why in ON_REQUEST.items():
            log(f"{name}: not tried: only with --cluster {name}, as {why}")
    reasons = []
    with ExitStack() as started:
        for name in names:
            try:
                cluster = started.enter_context(providers[name](log))
            except UnavailableError as reason:
                reasons.append(f"{name}: {reason}")
                log(f"{name}: not available: {reason}")
            else:
                why = "the first that works" if automatic else "as asked"
                log(f"{name}: taken, {why}")
                yield cluster
                return
    raise UnavailableError("; ".join(reasons))
