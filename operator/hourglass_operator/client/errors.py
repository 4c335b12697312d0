"""What can go wrong with a request; the message of each error says what to do about it.

`refusal` turns an answer of the API server into the error it means:
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, PLURAL

_CRD = f"crds/{PLURAL}.{GROUP}.yaml"


class ClientError(Exception):
    """Base of all errors of this package."""


class ConfigurationError(ClientError):
    """An environment variable or the kubeconfig is wrong."""


class UnreadableError(ClientError):
    """The API server returned an object that the types of this version do not describe."""


class RequestError(ClientError):
    """The API server refused a request.

    `code` is the HTTP status (0: no answer); `reason` and `message` are the Status's.
    """

    def __init__(self, text: str, code: int, reason: str, message: str) -> None:
        super().__init__(text)
        self.code = code
        self.reason = reason
        self.message = message


class UnavailableError(RequestError):
    """No answer, or one that asks to try later: after `retry_after` seconds, if it names a time."""

    retry_after: float = 0.0


class UnauthorizedError(RequestError):
    """The credentials are not accepted."""


class ForbiddenError(RequestError):
    """The executor's Role lacks a verb."""


class MissingDefinitionError(RequestError):
    """The CustomResourceDefinition is not installed."""


class NotFoundError(RequestError):
    """There is no such Performer or no such namespace."""


class AlreadyExistsError(RequestError):
    """A Performer of this name exists."""


class ConflictError(RequestError):
    """The Performer has changed in the meantime."""


class Cause(NamedTuple):
    """A field of the object and what is wrong with it, as the API server puts it."""

    field: str
    message: str


class InvalidError(RequestError):
    """The API server does not accept the object; `causes` names each field."""

    causes: tuple[Cause, ...] = ()


def refusal(verb: str, namespace: str, name: str, code: int, body: JSON) -> RequestError:
    """The error that an answer with this code and Status means.

    `verb` is Kubernetes' (get, list, watch, create, patch, delete); list and watch have no
    `name`.
    """
    reason, message = str(body.get("reason", "")), str(body.get("message", "")).strip()
    details: JSON = body.get("details") or {}
    what = f"performer {namespace}/{name}" if name else f'performers in namespace "{namespace}"'
    if code == 0 or code == 429 or code >= 500:
        text = f"cannot {verb} {what}: {message or f'HTTP {code}'}"
        return UnavailableError(text, code, reason, message)
    if code == 401:
        text = (
            f"cannot {verb} {what}: the API server does not accept the credentials; check the "
            "pod's service account or the kubeconfig"
        )
        return UnauthorizedError(text, code, reason, message)
    if code == 403 and "cannot" in message:
        text = (
            f'may not {verb} {what}: the Role in namespace "{namespace}" needs apiGroups '
            f"[{GROUP}], resources [{PLURAL}], verbs [{verb}]; examples/executor/rbac.yaml has all "
            f"that an executor needs ({message})"
        )
        return ForbiddenError(text, code, reason, message)
    if code == 404 and not details.get("kind"):
        text = (
            f"cannot {verb} {what}: the cluster does not know Performers; install the "
            f"CustomResourceDefinition: kubectl apply --server-side -f {_CRD}"
        )
        return MissingDefinitionError(text, code, reason, message)
    if code == 404 and details.get("kind") == "namespaces":
        text = f'no namespace "{namespace}": kubectl create namespace {namespace}'
        return NotFoundError(text, code, reason, message)
    if code == 404:
        return NotFoundError(f"no {what}", code, reason, message)
    if code == 409 and reason == "AlreadyExists":
        text = f"{what} exists already: upgrade it, or delete it and wait until it is gone"
        return AlreadyExistsError(text, code, reason, message)
    if code == 409:
        return ConflictError(f"cannot {verb} {what}: {message}", code, reason, message)
    if code in (400, 422):
        return _invalid(verb, what, code, reason, message, details)
    return RequestError(f"cannot {verb} {what}: {message or f'HTTP {code}'}", code, reason, message)


def _invalid(
    verb: str, what: str, code: int, reason: str, message: str, details: JSON
) -> InvalidError:
    causes = tuple(
        Cause(str(cause.get("field", "")), str(cause.get("message", "")))
        for cause in details.get("causes") or ()
        # "Some rules were not checked because …" is about no field.
        if cause.get("field") != "<nil>"
    )
    listed = "; ".join(f"{cause.field}: {cause.message}" for cause in causes) or message
    error = InvalidError(f"cannot {verb} {what}: {listed}", code, reason, message)
    error.causes = causes
    return error
