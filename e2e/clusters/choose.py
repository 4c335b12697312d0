"""Which provider a run uses."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from clusters.cluster import Cluster
from clusters.errors import UnavailableError
from clusters.log import Log
from clusters.provider import Provider

AUTO = "auto"
ON_REQUEST = "kubeconfig"
"""Never taken by itself: the cluster that KUBECONFIG names is somebody's."""


@contextmanager
def choose(wanted: str, providers: Mapping[str, Provider], log: Log) -> Iterator[Cluster]:
    """The cluster of the wanted provider, or with `auto` of the first that gives one.

    Logs which is taken, and why those before it are not. Errors: `UnavailableError` with the
    reasons of all that were tried.
    """
    automatic = wanted == AUTO
    names = [name for name in providers if name != ON_REQUEST] if automatic else [wanted]
    if automatic:
        log(f"{ON_REQUEST}: not tried: only with --cluster {ON_REQUEST}, as it is somebody's")
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
