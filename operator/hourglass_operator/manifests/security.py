"""`python -m hourglass_operator.manifests.security FILE` writes docs/security.md.

The file is what e2e/test_permissions.py recorded on a real cluster: by permission, when it is
missed and what is then not done.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hourglass_operator.manifests.named_objects import CONFIG_MAPS, MOST_NAMES, SECRETS
from hourglass_operator.manifests.policy import LIMITS
from hourglass_operator.manifests.roles import EVERYWHERE, LEASE
from hourglass_operator.manifests.user_roles import EDITOR, VIEWER
from hourglass_operator.manifests.workload import USER
from hourglass_operator.permissions import OWN_NAMESPACE, Permission
from hourglass_operator.runtime.process.preflight import Exit

_PAGE = """\
# Security

Made by `make generate` from the code and from what was seen on a real cluster.

## What the operator may do

A ClusterRole, bound for the whole cluster. With `--namespace` a Role in each of those namespaces
is enough, and a ClusterRole for the nodes and ResourceSlices.

| resource | verbs | to |
|---|---|---|
{everywhere}
A Role in the operator's own namespace:

| resource | verbs | to |
|---|---|---|
{own}
It may read and renew one Lease only, `{lease}`. Creating cannot be narrowed to
a name. Where OLM installs the operator, OLM makes a ClusterRole of that Role, as it does for every
operator that serves all namespaces: the operator may then read and renew a Lease of this name in
any namespace, and create Leases in any. It does neither outside of its own; who minds installs by
the kustomization or the chart.

There is no `*`, nothing on Secrets and ConfigMaps, and no verb that gives rights (escalate,
bind, impersonate). The operator checks all of it when it starts, every five minutes, and when a
call is forbidden; what is missing is in the log and in the answer of `/readyz`, each with what it
is needed for.

### What breaks without each

Without any of them the operator does not start (exit code {no_permission}). One that is lost later
breaks the following until it is given back, which needs no restart. `e2e/test_permissions.py` takes
each away in turn and records this table. All other tests on a real cluster, scenarios included, run
with exactly these permissions, and fail when the operator misses one.

| permission | when | what is not done |
|---|---|---|
{lost}
## What its pods may do

They run as user {user}, not as root, with a read-only root filesystem, no capabilities, no
privilege escalation and the runtime's seccomp profile, in a namespace that enforces the
restricted Pod Security Standard. They need the API server, and nothing else in the cluster needs
them but Prometheus.

## What a Performer may do

Its pod runs the user's image. Unless `config.serviceAccountName` says otherwise no token of a
ServiceAccount is mounted; privilege escalation is off and the seccomp profile is the runtime's.
The user and the capabilities are the image's: a namespace that enforces the restricted standard
refuses it with `PodRejected` and the API server's message, unless `config.securityContext` and
`config.podSecurityContext` give up what the standard forbids: `examples/restricted.yaml` does. The
settings `--default-security-context` and `--default-pod-security-context` say it for all Performers
that do not.

## Who may create Performers

**Creating a Performer is as good as creating pods in that namespace: with a service account,
Secrets, pull secrets, priority and tolerations that the creator may not use.** The operator creates
the pods, and the API server asks what the operator may, not what the creator may. What containers
may do to their node is for the Pod Security Standard of the namespace to say, as for all pods.

| ClusterRole | of | may |
|---|---|---|
| `{viewer}` | `view`, `edit`, `admin` | see Performers |
| `{editor}` | `edit`, `admin` | create, change and delete them, too |

The bundle has neither: OLM makes such roles itself, named
`performers.hourglass.eigenlayer.io-v1alpha1-view`, `-edit` and `-admin`.

Who may `edit` a namespace may read its Secrets, create pods and impersonate its service accounts
anyway. For those who may less, and are bound to `{editor}` alone, there are
**admission policies** in `deploy/policy`: a kustomize component, which nothing else includes, and
in the chart the value `performerPolicy.enabled`. On create and on every change of the spec they ask
the API server's authorizer whether the requester may

- `get` each Secret and each ConfigMap that the spec names
  ({fields});
- `use` or `impersonate` the service account of `config.serviceAccountName`. To Kubernetes itself
  `use` of a service account means nothing: a Role with it allows this alone.

They refuse priority classes of the system (`system-…`) and tolerations without a key, which
tolerate every taint. What else is allowed is in the ConfigMap `{limits}`,
one a line; while a key has none, everything is:

| key | what it allows |
|---|---|
| `imageRegistries` | registries of `image`, or paths in them, such as `registry.example.com/avs` |
| `priorityClasses` | `scheduling.priorityClassName` |
| `runtimeClasses` | `scheduling.runtimeClass` |

- An image without a registry counts as one of `docker.io`. Where nodes look short names up
  elsewhere, as CRI-O can, do not allow `docker.io`.
- A Performer that names no class gets the cluster's default, which no list keeps away.
- Without the ConfigMap, or with another key in it, nobody creates or changes a Performer: a list
  that is misspelt would limit nothing.
- What is there when the policies come stays; its spec is judged when it is changed next.
- Who names more than {most} Secrets, or ConfigMaps, must be able to `get` all of them in the
  namespace: an API server lets a policy ask 28 times.
- Argo CD and Flux create what is in a repository in their own name: there, who may write to the
  repository matters, unless they impersonate.
- To see what would be refused, set `validationActions: [Warn, Audit]` in the bindings first.

`e2e/performer_policy.yaml` is the table of what users may and may not create, as tests hold it on a
real API server and on the simulated one.

## Secrets

The operator never reads Secrets: it puts their names into pods, and the kubelet reads them.
Values of `config.env` reach the pod and nothing else: no log, no Event, no metric, no condition.
"""


def page(lost: Mapping[str, Mapping[str, str]]) -> str:
    """docs/security.md; `lost` by permission, with the keys `when` and `not_done`."""
    everywhere, own = (_table(permissions) for permissions in (EVERYWHERE, OWN_NAMESPACE))
    rows = (f"| `{name}` | {it['when']} | {it['not_done']} |\n" for name, it in lost.items())
    return _PAGE.format(
        everywhere=everywhere,
        own=own,
        user=USER,
        viewer=VIEWER,
        editor=EDITOR,
        fields=_fields(),
        limits=LIMITS,
        most=MOST_NAMES,
        lease=LEASE,
        lost="".join(rows),
        no_permission=int(Exit.NO_PERMISSION),
    )


def _fields() -> str:
    found = sorted(
        {field.split("[].")[0] for each in (SECRETS, CONFIG_MAPS) for field in each.fields}
    )
    *first, last = (f"`{field}`" for field in found)
    return f"{', '.join(first)} and {last}"


def _table(permissions: Iterable[Permission]) -> str:
    return "".join(_rows(permissions))


def _rows(permissions: Iterable[Permission]) -> Iterator[str]:
    for permission in permissions:
        verbs = ", ".join(permission.verbs)
        yield f"| `{permission.qualified}` | {verbs} | {permission.use} |\n"


if __name__ == "__main__":
    sys.stdout.write(page(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
