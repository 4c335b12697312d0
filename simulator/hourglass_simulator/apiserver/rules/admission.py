"""Configurations of admission webhooks, but for the expressions of their conditions.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/admissionregistration/validation
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    duplicate,
    each,
    in_range,
    invalid,
    one_of,
    required,
    too_many,
)

FAILURES = ("Fail", "Ignore")
MATCHES = ("Equivalent", "Exact")
_HARMLESS = ("None", "NoneOnDryRun")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_VERSIONS = ("v1", "v1beta1")
_LONGEST_TIMEOUT = 30
_MOST_CONDITIONS = 64
_URL = "; desired format: https://host[/path]"


def validating_created(found: JSON) -> Faults:
    """What is wrong with a ValidatingWebhookConfiguration."""
    yield from object_meta.created("validatingwebhookconfigurations", found["metadata"])
    yield from _webhooks(found.get("webhooks") or [], mutating=False)


def mutating_created(found: JSON) -> Faults:
    """What is wrong with a MutatingWebhookConfiguration."""
    yield from object_meta.created("mutatingwebhookconfigurations", found["metadata"])
    yield from _webhooks(found.get("webhooks") or [], mutating=True)


def validating_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed ValidatingWebhookConfiguration."""
    yield from validating_created(new)


def mutating_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed MutatingWebhookConfiguration."""
    yield from mutating_created(new)


def _webhooks(webhooks: Sequence[JSON], *, mutating: bool) -> Faults:
    seen: set[str] = set()
    for index, hook in enumerate(webhooks):
        path, name = f"webhooks[{index}]", hook.get("name") or ""
        yield from _webhook(path, hook, mutating=mutating)
        versions = hook.get("admissionReviewVersions") or []
        yield from _review_versions(f"{path}.admissionReviewVersions", versions)
        if name and name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)


def _webhook(path: str, hook: JSON, *, mutating: bool) -> Faults:
    yield from names.fully_qualified_name(f"{path}.name", hook.get("name") or "")
    for index, each_rule in enumerate(hook.get("rules") or ()):
        yield from rule(f"{path}.rules[{index}]", each_rule)
    for field, known in (("failurePolicy", FAILURES), ("matchPolicy", MATCHES)):
        if hook.get(field) is not None:
            yield from one_of(f"{path}.{field}", hook[field], known)
    effects = hook.get("sideEffects")
    if effects is None:
        yield required(f"{path}.sideEffects", f"must specify one of {', '.join(_HARMLESS)}")
    else:
        yield from one_of(f"{path}.sideEffects", effects, _HARMLESS)
    timeout = hook.get("timeoutSeconds")
    if timeout is not None and not 1 <= timeout <= _LONGEST_TIMEOUT:
        why = "the timeout value must be between 1 and 30 seconds"
        yield invalid(f"{path}.timeoutSeconds", timeout, why)
    for field in ("namespaceSelector", "objectSelector"):
        yield from labels.selector(f"{path}.{field}", hook.get(field))
    if mutating and hook.get("reinvocationPolicy") is not None:
        policies = ("IfNeeded", "Never")
        yield from one_of(f"{path}.reinvocationPolicy", hook["reinvocationPolicy"], policies)
    config = hook.get("clientConfig") or {}
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(f"{path}.clientConfig", "exactly one of url or service is required")
    elif url is not None:
        yield from _url(f"{path}.clientConfig.url", url)
    else:
        yield from _service(f"{path}.clientConfig.service", service or {})
    yield from conditions(f"{path}.matchConditions", hook.get("matchConditions") or [])


def rule(path: str, given: JSON) -> Faults:
    """What is wrong with a rule: which operations on which resources."""
    operations = given.get("operations") or []
    yield from _alone(f"{path}.operations", operations, "operations")
    for index, operation in enumerate(operations):
        yield from one_of(f"{path}.operations[{index}]", operation, _OPERATIONS)
    yield from _alone(f"{path}.apiGroups", given.get("apiGroups") or [], "API groups")
    versions = given.get("apiVersions") or []
    yield from _alone(f"{path}.apiVersions", versions, "API versions")
    for index, version in enumerate(versions):
        if not version:
            yield required(f"{path}.apiVersions[{index}]")
    yield from _resources(f"{path}.resources", given.get("resources") or [])
    if given.get("scope") is not None:
        yield from one_of(f"{path}.scope", given["scope"], _SCOPES)


def _alone(field: str, values: Sequence[str], what: str) -> Faults:
    if not values:
        yield required(field)
    elif len(values) > 1 and "*" in values:
        yield invalid(field, values, f"if '*' is present, must not specify other {what}")


def _resources(path: str, given: Sequence[str]) -> Faults:
    if not given:
        yield required(path)
    all_below: set[str] = set()
    below_all: set[str] = set()
    plain = False
    for index, entry in enumerate(given):
        field = f"{path}[{index}]"
        if not entry:
            yield required(field)
            continue
        resource, slash, below = entry.partition("/")
        if not slash:
            plain = entry != "*"
            continue
        if resource in all_below:
            why = f"if '{resource}/*' is present, must not specify {entry}"
            yield invalid(field, entry, why)
        if below in below_all:
            yield invalid(field, entry, f"if '*/{below}' is present, must not specify {entry}")
        if below == "*":
            all_below.add(resource)
        if resource == "*":
            below_all.add(below)
    if len(given) > 1 and "*/*" in given:
        yield invalid(path, given, "if '*/*' is present, must not specify other resources")
    if "*" in given and plain:
        why = "if '*' is present, must not specify other resources without subresources"
        yield invalid(path, given, why)


def _url(field: str, text: str) -> Faults:
    url = urlsplit(text)
    if url.scheme != "https":
        yield invalid(field, url.scheme, f"'https' is the only allowed URL scheme{_URL}")
    user, at, host = url.netloc.rpartition("@")
    if not host:
        yield invalid(field, host, f"host must be specified{_URL}")
    if at:
        yield invalid(field, user, "user information is not permitted in the URL")
    if url.fragment:
        yield invalid(field, url.fragment, "fragments are not permitted in the URL")
    if url.query:
        yield invalid(field, url.query, "query parameters are not permitted in the URL")


def _service(path: str, service: JSON) -> Faults:
    for field in ("name", "namespace"):
        if not service.get(field):
            yield required(f"{path}.{field}")
    port, target = service.get("port") or 0, service.get("path")
    if not 1 <= port <= 65535:
        yield invalid(f"{path}.port", port, f"port is not valid: {in_range(1, 65535)}")
    if not target or target == "/":
        return
    field = f"{path}.path"
    if target == "//":
        yield invalid(field, target, "segment[0] may not be empty")
        return
    if not target.startswith("/"):
        yield invalid(field, target, "must start with a '/'")
    for index, step in enumerate(target[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid(field, target, f"segment[{index}] may not be empty")
        else:
            wrong = (f"segment[{index}]: {why}" for why in names.dns_subdomain(step))
            yield from each(field, target, wrong)


def _review_versions(path: str, versions: Sequence[str]) -> Faults:
    known = ", ".join(_VERSIONS)
    if not versions:
        yield required(path, f"must specify one of {known}")
        return
    seen: set[str] = set()
    for index, version in enumerate(versions):
        if version in seen:
            yield invalid(f"{path}[{index}]", version, "duplicate version")
        else:
            yield from each(f"{path}[{index}]", version, names.dns_1035_label(version))
        seen.add(version)
    if not seen & set(_VERSIONS):
        yield invalid(path, versions, f"must include at least one of {known}")


def conditions(path: str, given: Sequence[JSON]) -> Faults:
    """What is wrong with match conditions."""
    if len(given) > _MOST_CONDITIONS:
        yield too_many(path, len(given), _MOST_CONDITIONS)
    seen: set[str] = set()
    for index, condition in enumerate(given):
        where, name = f"{path}[{index}]", condition.get("name") or ""
        if not (condition.get("expression") or "").strip():
            yield required(f"{where}.expression")
        if not name:
            yield required(f"{where}.name")
        else:
            yield from each(f"{where}.name", name, names.qualified_name(name))
            if name in seen:
                yield duplicate(f"{where}.name", name)
        seen.add(name)
