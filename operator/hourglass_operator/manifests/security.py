"""`python -m hourglass_operator.manifests.security` writes docs/security.md."""

import sys
from collections.abc import Iterable, Iterator

from hourglass_operator.manifests.roles import EVERYWHERE
from hourglass_operator.manifests.workload import USER
from hourglass_operator.permissions import OWN_NAMESPACE, Permission

_PAGE = """\
# Security

Made from the code by `make generate`.

## What the operator may do

A ClusterRole, bound for the whole cluster. With `--namespace` a Role in each of those namespaces
is enough, and a ClusterRole for the nodes.

| resource | verbs | to |
|---|---|---|
{everywhere}
A Role in the operator's own namespace:

| resource | verbs | to |
|---|---|---|
{own}
There is no `*`, nothing on Secrets and ConfigMaps, and no verb that gives rights (escalate,
bind, impersonate). The operator checks all of it when it starts, and again when a call is
forbidden; what is missing is told in the log and by `/readyz`, each with what it is needed for.

## What its pods may do

They run as user {user}, not as root, with a read-only root filesystem, no capabilities, no
privilege escalation and the runtime's seccomp profile, in a namespace that enforces the
restricted Pod Security Standard. They need the API server, and nothing else in the cluster needs
them but Prometheus.

## What a Performer may do

Its pod runs the user's image. Unless `config.serviceAccountName` says otherwise no token of a
ServiceAccount is mounted; privilege escalation is off and the seccomp profile is the runtime's.
The user and the capabilities are the image's: a namespace that enforces the restricted standard
refuses it with `PodRejected` and the API server's words.

Who may create Performers may run containers in that namespace with any Secret, ConfigMap and
ServiceAccount of it, as with the right to create pods.

## Secrets

The operator never reads Secrets: it puts their names into pods, and the kubelet reads them.
Values of `config.env` reach the pod and nothing else: no log, no Event, no metric, no condition.
"""


def page() -> str:
    """docs/security.md."""
    everywhere, own = (_table(permissions) for permissions in (EVERYWHERE, OWN_NAMESPACE))
    return _PAGE.format(everywhere=everywhere, own=own, user=USER)


def _table(permissions: Iterable[Permission]) -> str:
    return "".join(_rows(permissions))


def _rows(permissions: Iterable[Permission]) -> Iterator[str]:
    for permission in permissions:
        resource, slash, subresource = permission.resource.partition("/")
        group = f".{permission.group}" if permission.group else ""
        verbs = ", ".join(permission.verbs)
        yield f"| `{resource}{group}{slash}{subresource}` | {verbs} | {permission.use} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
