"""Reviews: resources that answer a question and are not stored.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, validation
from hourglass_simulator.apiserver.account_tokens import ISSUER
from hourglass_simulator.apiserver.authorization import Attributes, Authorizer
from hourglass_simulator.apiserver.decoding import FieldValidation, decode, undecodable
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError
from hourglass_simulator.apiserver.users import User
from hourglass_simulator.http.authentication import Authenticator
from hourglass_simulator.kubernetes.version import Version

_AUTHORIZATION, _AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"
_LOCAL = "localsubjectaccessreviews"
RESOURCES: Mapping[tuple[str, str], Resource] = {
    (resource.group, resource.plural): resource
    for resource in (
        Resource("selfsubjectaccessreviews", "SelfSubjectAccessReview", _AUTHORIZATION),
        Resource("selfsubjectrulesreviews", "SelfSubjectRulesReview", _AUTHORIZATION),
        Resource("subjectaccessreviews", "SubjectAccessReview", _AUTHORIZATION),
        Resource(_LOCAL, "LocalSubjectAccessReview", _AUTHORIZATION),
        Resource("selfsubjectreviews", "SelfSubjectReview", _AUTHENTICATION),
        Resource("tokenreviews", "TokenReview", _AUTHENTICATION),
    )
}
"""By group and plural name."""


class Reviews:
    """Answers reviews; `timestamp` is the time as objects have it."""

    def __init__(
        self,
        authorizer: Callable[[], Authorizer],
        authenticator: Authenticator,
        version: Version,
        timestamp: Callable[[], str],
    ) -> None:
        self._authorizer = authorizer
        self._authenticator = authenticator
        self._version = version
        self._timestamp = timestamp

    def answer(
        self, resource: Resource, user: User, namespace: str, obj: JSON, fields: FieldValidation
    ) -> JSON:
        """The review with its status."""
        validation.body(self._version, resource, obj)
        try:
            decoded = decode(self._version, resource, obj)
        except ValueError as error:
            raise undecodable(resource, obj, str(error), fields) from None
        fields.judge(resource, obj, decoded.strange)
        review = {"apiVersion": resource.api_version, "kind": resource.kind, **decoded.obj}
        review["metadata"] = _metadata(obj.get("metadata") or {}, namespace)
        answers = {
            "selfsubjectrulesreviews": self._rules,
            "selfsubjectreviews": self._self,
            "tokenreviews": self._token,
        }
        answer = answers.get(resource.plural)
        if answer is not None:
            return answer(review, user)
        return self._access(resource, review, user, namespace)

    def _access(self, resource: Resource, review: JSON, user: User, namespace: str) -> JSON:
        spec, own = review["spec"], resource.plural == "selfsubjectaccessreviews"
        local = resource.plural == _LOCAL
        if faults := list(_faults(review, namespace, self._version.minor, own=own, local=local)):
            raise errors.invalid(Resource("", "", _AUTHORIZATION), "", faults)
        if not own:
            extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
            groups = tuple(spec.get("groups") or ())
            user = User(spec.get("user", ""), groups, spec.get("uid", ""), extra)
        decision = self._authorizer().decide(_attributes(spec, user))
        status: JSON = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        if ignored := list(_ignored_selectors(spec.get("resourceAttributes") or {})):
            status["evaluationError"] = "; ".join(ignored)
        return {**review, "status": status}

    def _rules(self, review: JSON, user: User) -> JSON:
        namespace = review["spec"].get("namespace")
        if not namespace:
            raise errors.bad_request("no namespace on request")
        rules, error = self._authorizer().rules(user, namespace)
        status: JSON = {
            "resourceRules": [_fields(r, _OF_RESOURCES) for r in rules if r.get("resources")],
            "nonResourceRules": [_fields(r, _OF_URLS) for r in rules if r.get("nonResourceURLs")],
            "incomplete": False,
        }
        if error:
            status["evaluationError"] = error
        return {**review, "metadata": {}, "spec": {}, "status": status}

    def _self(self, review: JSON, user: User) -> JSON:
        meta = {"creationTimestamp": self._timestamp()}
        return {**review, "metadata": meta, "status": {"userInfo": user.info()}}

    def _token(self, review: JSON, _: User) -> JSON:
        spec = review["spec"]
        if not spec.get("token"):
            raise errors.bad_request("token is required for TokenReview in authentication")
        audiences = spec.get("audiences") or (ISSUER,)
        found = self._authenticator.of_token(spec["token"], audiences)
        status: JSON = {"user": {}}
        if found.user is not None:
            status = {"authenticated": True, "user": found.user.info()}
            if found.audiences:
                status["audiences"] = list(found.audiences)
        elif found.error:
            status["error"] = found.error
        return {**review, "status": status}


_OF_RESOURCES = ("verbs", "apiGroups", "resources", "resourceNames")
_OF_URLS = ("verbs", "nonResourceURLs")


def _fields(rule: JSON, names: tuple[str, ...]) -> JSON:
    return {name: rule[name] for name in names if rule.get(name)}


def _metadata(meta: JSON, namespace: str) -> JSON:
    """What was sent, without the fields that a server drops, in the namespace of the path."""
    if namespace and (meta.get("namespace") or namespace) != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    kept = {name: value for name, value in meta.items() if value and name != "managedFields"}
    return {**kept, "namespace": namespace} if namespace else kept


def _attributes(spec: JSON, user: User) -> Attributes:
    asked = spec.get("resourceAttributes")
    if asked is None:
        asked = spec["nonResourceAttributes"]
        return Attributes(user, asked.get("verb", ""), path=asked.get("path", ""))
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(user, *(asked.get(name, "") for name in names))


def _faults(
    review: JSON, namespace: str, minor: int, *, own: bool, local: bool
) -> Iterator[FieldError]:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/authorization/validation/validation.go"""
    spec = review["spec"]
    asked, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    shown = None if path is None else {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
    either = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    if minor >= 37 and (asked is None) == (path is None):
        yield FieldError(ErrorType.INVALID, "spec", shown, either)
    elif asked is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        yield FieldError(ErrorType.INVALID, "spec.nonResourceAttributes", shown, why)
    elif asked is None and path is None:
        yield FieldError(ErrorType.INVALID, "spec.resourceAttributes", None, either)
    if not own and not spec.get("user") and not spec.get("groups"):
        why = "at least one of user or group must be specified"
        yield FieldError(ErrorType.INVALID, "spec.user", "", why)
    for name in ("fieldSelector", "labelSelector"):
        if asked is not None and asked.get(name) is not None:
            yield from _faults_of_selector(asked[name], f"spec.resourceAttributes.{name}", name)
    meta = {name: v for name, v in review["metadata"].items() if not local or name != "namespace"}
    if meta:
        why = "must be empty except for namespace" if local else "must be empty"
        yield FieldError(ErrorType.INVALID, "metadata", review["metadata"], why)
    if local and asked is not None and asked.get("namespace", "") != namespace:
        where, found = "spec.resourceAttributes.namespace", asked.get("namespace", "")
        yield FieldError(ErrorType.INVALID, where, found, "must match metadata.namespace")
    if local and path is not None:
        why = "disallowed on this kind of request"
        yield FieldError(ErrorType.INVALID, "spec.nonResourceAttributes", shown, why)


def _faults_of_selector(given: JSON, path: str, name: str) -> Iterator[FieldError]:
    raw, wanted = given.get("rawSelector"), given.get("requirements") or ()
    if raw and wanted:
        why = "may not specified at the same time as requirements"
        yield FieldError(ErrorType.INVALID, f"{path}.rawSelector", raw, why)
    if not raw and not wanted:
        why = f"when {path} is specified, requirements or rawSelector is required"
        yield FieldError(ErrorType.REQUIRED, f"{path}.requirements", None, why)
    for index, requirement in enumerate(wanted):
        yield from _faults_of_requirement(requirement, f"{path}.requirements[{index}]", name)


def _faults_of_requirement(given: JSON, path: str, name: str) -> Iterator[FieldError]:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go"""
    if not given.get("key") and name == "fieldSelector":
        yield FieldError(ErrorType.REQUIRED, f"{path}.key", None, "must be specified")
    operator, values = given.get("operator"), given.get("values")
    if operator in ("In", "NotIn") and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        yield FieldError(ErrorType.REQUIRED, f"{path}.values", None, why)
    if operator in ("Exists", "DoesNotExist") and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield FieldError(ErrorType.FORBIDDEN, f"{path}.values", None, why)


_KNOWN = {
    "fieldSelector": ("In", "NotIn"),
    "labelSelector": ("In", "NotIn", "Exists", "DoesNotExist"),
}
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "fieldSelector": selector.parse_fields,
    "labelSelector": selector.parse,
}


def _ignored_selectors(asked: JSON) -> Iterator[str]:
    """RBAC knows no selectors, but what is wrong with them is said."""
    for name, known in _KNOWN.items():
        given = asked.get(name) or {}
        wanted = given.get("requirements") or ()
        bad = [each for each in wanted if each.get("operator") not in known]
        if given.get("rawSelector"):
            try:
                _PARSERS[name](given["rawSelector"])
            except ValueError:
                bad = [given]
        if bad:
            partially = "partially ignored" if len(bad) < len(wanted) else "ignored"
            yield f"spec.resourceAttributes.{name} {partially} due to parse error"
