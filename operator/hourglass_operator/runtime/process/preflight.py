"""Whether the cluster has what the operator needs, and what is missing."""

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, PLURAL
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE, Permission
from hourglass_operator.runtime.informers.selectors import CLUSTER_WIDE
from hourglass_operator.transport.calls import Answer, Caller, Request

_AT_ONCE = 4
"""Questions that are asked at the same time: each needs a connection, whose buffer for TLS alone
takes a quarter of a megabyte."""


class Exit(IntEnum):
    """Exit codes of `hourglass-operator run`."""

    STOPPED = 0
    FAILED = 1
    BAD_SETTING = 2
    NO_API_SERVER = 3
    NO_CRD = 4
    NO_PERMISSION = 5


@dataclass(frozen=True, slots=True)
class Lease:
    """Where the Lease is to be."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a verb of a permission is allowed; `namespace` is empty for the whole cluster.

    `name` is empty unless it is about one object.
    """

    permission: Permission
    verb: str
    namespace: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that the operator needs and does not have; `text` is a line for a person."""

    code: Exit
    text: str


async def preflight(
    caller: Caller, namespaces: Collection[str], lease: Lease | None
) -> list[Missing]:
    """What is missing, the most basic things first and alone; empty if nothing is.

    `namespaces` are those that are served (empty: all); `lease` is None without leader election.
    Permissions are asked for with SelfSubjectAccessReviews, which everybody may
    create: https://kubernetes.io/docs/reference/access-authn-authz/authorization/
    """
    answer = await caller.call(
        Request("list", PLURAL, next(iter(namespaces), ""), query={"limit": "1"})
    )
    first = missing_basics(answer, caller.server)
    if first is not None:
        return [first]
    wanted = list(_wanted(namespaces, lease))
    missing: list[Missing] = []
    for start in range(0, len(wanted), _AT_ONCE):
        questions = wanted[start : start + _AT_ONCE]
        reviews = await asyncio.gather(*(_review(caller, question) for question in questions))
        missing += [
            Missing(Exit.NO_PERMISSION, describe(question))
            for question, review in zip(questions, reviews, strict=True)
            if _is_review(review) and not review.body["status"].get("allowed")
        ]
        if not all(map(_is_review, reviews)):
            # Who may not even ask, or gets no answer, is answered by the calls themselves.
            break
    if answer.code == 403 and not missing:
        # Whoever has no credentials at all may not even ask what is allowed.
        missing.append(Missing(Exit.NO_PERMISSION, f"missing permission: {answer.message}"))
    return missing


def missing_basics(answer: Answer, server: str) -> Missing | None:
    """What the answer to the first call says is missing, apart from permissions."""
    if answer.code == 0:
        return Missing(
            Exit.NO_API_SERVER, f"the API server {server} cannot be reached: {answer.message}"
        )
    if answer.code == 401:
        return Missing(Exit.NO_API_SERVER, f"the API server {server} refuses the credentials")
    if answer.code == 404:
        return Missing(
            Exit.NO_CRD,
            f"the CustomResourceDefinition {PLURAL}.{GROUP} is not installed at {server};"
            f" install it with kubectl apply --server-side -f crds/{PLURAL}.{GROUP}.yaml",
        )
    if not answer.succeeded and answer.code != 403:
        return Missing(
            Exit.NO_API_SERVER,
            f"the API server {server} answers {answer.code}: {answer.message}",
        )
    return None


def describe(question: Question) -> str:
    """A missing permission as a line."""
    permission, namespace = question.permission, question.namespace
    what = f"{question.verb} {permission.qualified}"
    which = f" {question.name}" if question.name else ""
    where = f"in namespace {namespace}" if namespace else "in the whole cluster"
    return f"missing permission: {what}{which} {where} (to {permission.use})"


def _wanted(namespaces: Collection[str], lease: Lease | None) -> Iterator[Question]:
    for permission in CLUSTER:
        everywhere = permission.resource in CLUSTER_WIDE
        for namespace in ([""] if everywhere else namespaces) or [""]:
            for verb in permission.verbs:
                yield Question(permission, verb, namespace)
    if lease is not None:
        for permission in OWN_NAMESPACE:
            name = lease.name if permission.of_lease else ""
            for verb in permission.verbs:
                yield Question(permission, verb, lease.namespace, name)


def _is_review(answer: Answer) -> bool:
    """Whether the question was answered: proxies answer with pages of their own."""
    return answer.succeeded and isinstance(answer.body.get("status"), dict)


async def _review(caller: Caller, question: Question) -> Answer:
    resource, _, subresource = question.permission.resource.partition("/")
    attributes = {
        "group": question.permission.group,
        "resource": resource,
        "subresource": subresource,
        "verb": question.verb,
        "namespace": question.namespace,
        "name": question.name,
    }
    review: JSON = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}},
    }
    return await caller.call(Request("create", "selfsubjectaccessreviews", body=review))
