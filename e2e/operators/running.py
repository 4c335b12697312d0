"""A replica for the time of a test."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from clusters import Cluster
from operators.account import operator_account
from operators.process import Operator

SHORT_LEASE = ("--lease-duration=4", "--renew-deadline=3", "--retry-period=0.5")
"""Flags with which a replica takes over 4 s after another was killed, instead of 15."""


@contextmanager
def running(
    cluster: Cluster,
    namespace: str,
    folder: Path,
    flags: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    server: str | None = None,
) -> Iterator[Operator]:
    """A replica that serves the whole cluster, with its account and its Lease in the namespace.

    In a shared cluster it serves the namespace only. It has the shipped permissions, and fails the
    test when it misses another, or when the API server warns it. It leads at the beginning; at the
    end it is killed if it runs. `folder` holds its log and kubeconfig. With `server` it reaches the
    API server under that URL and does not look at its certificate.
    """
    kubeconfig = folder / "operator.kubeconfig"
    operator_account(cluster, namespace, "operator", kubeconfig)
    if server is not None:
        redirect(kubeconfig, server)
    own = own_flags(cluster, namespace)
    replica = Operator(kubeconfig, folder / "operator.log", (*own, *flags), environment)
    replica.start()
    try:
        replica.wait_leading()
        yield replica
        assert not replica.missed()
        assert not replica.warned()
    finally:
        if replica.runs:
            replica.kill()


def own_flags(cluster: Cluster, namespace: str) -> tuple[str, ...]:
    """Flags of a replica with its Lease in the namespace; it leaves what is others' alone."""
    scope = (f"--namespace={namespace}",) if cluster.shared else ()
    return (f"--lease-namespace={namespace}", *SHORT_LEASE, *scope)


def redirect(kubeconfig: Path, server: str) -> None:
    """Let a kubeconfig reach the API server under this URL, without a look at its certificate."""
    config = json.loads(kubeconfig.read_text())
    for each in config["clusters"]:
        each["cluster"] = {"server": server, "insecure-skip-tls-verify": True}
    kubeconfig.write_text(json.dumps(config))
