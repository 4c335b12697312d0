"""The API server's errors, with the texts of Kubernetes 1.34.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go
"""

from collections.abc import Sequence
from typing import Any

from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import (
    ErrorType,
    FieldError,
    aggregate,
    not_supported,
)


class APIError(Exception):
    """A refused call: HTTP status, metav1.StatusReason (may be empty), message and details."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}

    def status(self) -> dict[str, Any]:
        """The metav1.Status that a real API server answers with."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = {name: value for name, value in self.details.items() if value != ""}
        return {**body, "code": self.code}


class CallTimeoutError(Exception):
    """No answer came; the call may or may not have taken effect."""


def _details(resource: Resource, name: str) -> dict[str, Any]:
    named = {"name": name} if name else {}
    group = {"group": resource.group} if resource.group else {}
    return {**named, **group, "kind": resource.plural}


def not_found(resource: Resource, name: str) -> APIError:
    """404."""
    text = f'{resource.qualified} "{name}" not found'
    return APIError(404, "NotFound", text, _details(resource, name))


def unknown_resource() -> APIError:
    """404 for a path that nothing is served under."""
    return APIError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str, *, going: bool = False) -> APIError:
    """409 for a create; `going`: what has the name is being deleted."""
    text = f'{resource.qualified} "{name}" already exists'
    text = f"object is being deleted: {text}" if going else text
    return APIError(409, "AlreadyExists", text, _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> APIError:
    """409 for a change or a deletion."""
    text = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return APIError(409, "Conflict", text, _details(resource, name))


def modified(resource: Resource, name: str) -> APIError:
    """409 for a change that was made to an older version of the object."""
    why = (
        "the object has been modified; please apply your changes to the latest version and try"
        " again"
    )
    return conflict(resource, name, why)


def forbidden(resource: Resource, name: str, why: str) -> APIError:
    """403 by admission."""
    text = f'{resource.qualified} "{name}" is forbidden: {why}'
    return APIError(403, "Forbidden", text, _details(resource, name))


def forbidden_to(resource: Resource, name: str, why: str) -> APIError:
    """403 by authorization, which happens before it is known whether there is such a resource."""
    if not resource.plural:
        return APIError(403, "Forbidden", f"forbidden: {why}", {})
    named = f'{resource.qualified} "{name}"' if name else resource.qualified
    return APIError(403, "Forbidden", f"{named} is forbidden: {why}", _details(resource, name))


def invalid(resource: Resource, name: str, faults: Sequence[FieldError]) -> APIError:
    """422 with a cause for each fault."""
    details = {**_details(resource, name), "kind": resource.kind}
    text = f'{resource.qualified_kind} "{name}" is invalid: {aggregate(faults)}'
    return APIError(422, "Invalid", text, {**details, "causes": [f.cause() for f in faults]})


def bad_request(text: str) -> APIError:
    """400."""
    return APIError(400, "BadRequest", text)


def undecodable(resource: Resource, why: str, kind: str = "", version: str = "") -> APIError:
    """400 for a body that does not become an object of the resource's kind."""
    named = f'{kind or resource.kind} in version "{version or resource.version}"'
    return bad_request(f"{named} cannot be handled as a {resource.kind}: {why}")


def not_simulated(what: str) -> APIError:
    """501 for what a real API server does and the simulated one does not."""
    text = f"{what} is not simulated: docs/serve.md says what is"
    return APIError(501, "NotImplemented", text)


def method_not_allowed() -> APIError:
    """405."""
    text = "the server does not allow this method on the requested resource"
    return APIError(405, "MethodNotAllowed", text, {})


def method_not_supported(resource: Resource, method: str) -> APIError:
    """405 for a subresource; that of a custom resource says what is not supported."""
    if not resource.custom:
        return method_not_allowed()
    text = f'{method.lower()} is not supported on resources of kind "{resource.qualified}"'
    return APIError(405, "MethodNotAllowed", text, _details(resource, ""))


def other_name(name: object, on_url: str) -> APIError:
    """400 for an object that is sent to the place of another."""
    text = f"the name of the object ({name}) does not match the name on the URL ({on_url})"
    return bad_request(text)


def unsupported_media_type(resource: Resource) -> APIError:
    """415 for a patch of an unknown kind."""
    if not resource.custom:
        return APIError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    text = (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )
    return APIError(415, "UnsupportedMediaType", text)


def too_many_operations(most: int, found: int) -> APIError:
    """413 for a JSON patch."""
    why = f"The allowed maximum operations in a JSON patch is {most}, got {found}"
    return APIError(413, "RequestEntityTooLarge", f"Request entity too large: {why}", {})


def patch_does_not_apply() -> APIError:
    """422 for a JSON patch."""
    text = "the server rejected our request due to an error in our request"
    return APIError(422, "Invalid", text, {})


def namespace_protected(resource: Resource, name: str) -> APIError:
    """403 for the deletion of a namespace that every cluster has."""
    return forbidden(resource, name, "this namespace may not be deleted")


def denied(webhook: str, text: str) -> APIError:
    """403 Forbidden: an admission webhook says no.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go
    """
    return APIError(403, "Forbidden", f'admission webhook "{webhook}" denied the request: {text}')


def internal(text: str) -> APIError:
    """500 without a reason, for what the real server did not foresee either."""
    return APIError(500, "", text)


def internal_error(text: str) -> APIError:
    """500 with a reason: the real server's NewInternalError."""
    named = f"Internal error occurred: {text}"
    return APIError(500, "InternalError", named, {"causes": [{"message": text}]})


def expired(version: int, oldest: int) -> APIError:
    """410 for a watch from a version that is no longer kept."""
    return APIError(410, "Expired", f"too old resource version: {version} ({oldest})")


def namespace_terminating(resource: Resource, namespace: str, name: str) -> APIError:
    """403 for a create into a namespace that is being deleted."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = forbidden(resource, name, why)
    details = error.details or {}
    details["causes"] = [
        {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
    ]
    return error


def conflict_of_kind(resource: Resource, name: str, why: str) -> APIError:
    """409 for a deletion whose precondition fails: Kubernetes names the kind here."""
    named = Resource(resource.kind, resource.kind, resource.group)
    return conflict(named, name, why)


def binding_conflict(resource: Resource, name: str, why: str) -> APIError:
    """409 for a pod that cannot be bound."""
    named = Resource(f"{resource.plural}/binding", resource.kind)
    return conflict(named, name, why)


def version_required(resource: Resource, name: str) -> APIError:
    """422 for an update that names no version where it must."""
    why = "must be specified for an update"
    named = Resource(resource.plural, resource.plural, resource.group)
    fault = FieldError(ErrorType.INVALID, "metadata.resourceVersion", 0, why)
    return invalid(named, name, [fault])


def unknown_propagation_policy(policy: str) -> APIError:
    """422 for a deletion."""
    options = Resource("", "DeleteOptions", "meta.k8s.io")
    policies = ("Foreground", "Background", "Orphan", "nil")
    return invalid(options, "", [not_supported("propagationPolicy", policy, policies)])


def invalid_list_options(faults: Sequence[FieldError]) -> APIError:
    """422 for options of a list or a watch."""
    return invalid(Resource("", "ListOptions", "meta.k8s.io"), "", faults)


def too_large_version(version: int, current: int, *, waits: bool = True) -> APIError:
    """504 for a state that is yet to come; `waits`: it may come soon."""
    text = f"Timeout: Too large resource version: {version}, current: {current}"
    why = "Too large resource version"
    cause = {"reason": "ResourceVersionTooLarge", "message": why}
    details: dict[str, Any] = {"causes": [cause]}
    return APIError(504, "Timeout", text, details | ({"retryAfterSeconds": 1} if waits else {}))


def too_old_version() -> APIError:
    """410 for a list of a state that is no longer kept."""
    return APIError(410, "Expired", "The resourceVersion for the provided list is too old.")


def strange_patch(text: str, why: str) -> APIError:
    """422 for a patch that makes an object that its kind does not know."""
    fault = FieldError(ErrorType.INVALID, "patch", text, why)
    return APIError(
        422, "Invalid", f' "" is invalid: {aggregate([fault])}', {"causes": [fault.cause()]}
    )


def success(code: int) -> dict[str, Any]:
    """The Status of a create of a subresource."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": code,
    }


def deleted(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
    """The Status of a deletion."""
    meta = obj["metadata"]
    details = {**_details(resource, meta["name"]), "uid": meta["uid"]}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
