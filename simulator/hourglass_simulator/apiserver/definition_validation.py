"""Validation of a CustomResourceDefinition, all but its schemas.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import definition_schema, gates
from hourglass_simulator.apiserver.definition_internal import shown_versions
from hourglass_simulator.apiserver.definition_names import (
    ESTABLISHED,
    LABEL_1035_RULE,
    is_label_1035,
    is_true,
)
from hourglass_simulator.apiserver.field_path import valid_path
from hourglass_simulator.apiserver.schema import compile_schema
from hourglass_simulator.apiserver.schema_error import (
    ErrorType,
    FieldError,
    not_supported,
    quoted,
    too_many,
)
from hourglass_simulator.apiserver.schema_metadata import subdomain_faults

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_HOISTED = ("subresources", "schema", "additionalPrinterColumns", "selectableFields")
_APPROVED = "api-approved.kubernetes.io"
_APPROVAL_RULE = f'protected groups must have approval annotation "{_APPROVED}"'
_APPROVAL_LINK = "see https://github.com/kubernetes/enhancements/pull/1111"
_REVIEW_VERSIONS = ("v1", "v1beta1")
_MAX_SELECTABLE = 8
_MAX_WARNING = 256


def defaulted(crd: JSON) -> JSON:
    """A definition with the defaults of its names and its conversion."""
    spec = crd.get("spec") or {}
    names = dict(spec.get("names") or {})
    kind = names.get("kind") or ""
    if kind and not names.get("singular"):
        names["singular"] = kind.lower()
    if kind and not names.get("listKind"):
        names["listKind"] = f"{kind}List"
    conversion = spec.get("conversion") or {"strategy": "None"}
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if service and service.get("port") is None:
        client = {**conversion["webhook"]["clientConfig"], "service": {**service, "port": 443}}
        conversion = {**conversion, "webhook": {**conversion["webhook"], "clientConfig": client}}
    return {**crd, "spec": {**spec, "names": names, "conversion": conversion}}


def faults(crd: JSON, old: JSON | None) -> Iterator[FieldError]:
    """What is wrong with a definition whose defaults are written."""
    spec = crd["spec"]
    plural, group = spec["names"].get("plural") or "", spec.get("group") or ""
    if old is None and crd["metadata"].get("name") != f"{plural}.{group}":
        why = 'must be spec.names.plural+"."+spec.group'
        yield _invalid("metadata.name", crd["metadata"].get("name", ""), why)
    yield from _spec(spec, old)
    if old is not None:
        yield from _immutable(spec, old)
    yield from _names(
        ((crd.get("status") or {}).get("acceptedNames")) or {}, "status.acceptedNames"
    )
    stored = (crd.get("status") or {}).get("storedVersions") or []
    yield from stored_versions(stored, spec.get("versions") or [])
    yield from _approval(crd, old)
    if spec.get("preserveUnknownFields"):
        why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
        why += "spec.versions[*].schema instead"
        yield _invalid("spec.preserveUnknownFields", True, why)


def faults_of_name(crd: JSON) -> Iterator[FieldError]:
    """What is wrong with the name and the annotations of a new definition."""
    plural, group = crd["spec"]["names"].get("plural") or "", crd["spec"].get("group") or ""
    if crd["metadata"].get("name") != f"{plural}.{group}":
        why = 'must be spec.names.plural+"."+spec.group'
        yield _invalid("metadata.name", crd["metadata"].get("name", ""), why)
    yield from _approval(crd, None)


def faults_of_names(names: JSON) -> Iterator[FieldError]:
    """What is wrong with names that a client says were accepted."""
    yield from _names(names, "status.acceptedNames")


def _invalid(field: str, value: Any, why: str) -> FieldError:
    return FieldError(ErrorType.INVALID, field, value, why)


def _required(field: str, why: str = "") -> FieldError:
    return FieldError(ErrorType.REQUIRED, field, None, why)


def _spec(spec: JSON, old: JSON | None) -> Iterator[FieldError]:
    group = spec.get("group") or ""
    versions = spec.get("versions") or []
    if not group:
        yield _required("spec.group")
    elif rules := list(subdomain_faults(group)):
        yield _invalid("spec.group", group, ",".join(rules))
    elif "." not in group:
        yield _invalid("spec.group", group, "should be a domain with at least one dot")
    scope = spec.get("scope") or ""
    if not scope:
        yield _required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    for index, version in enumerate(versions):
        if ((version.get("schema") or {}).get("openAPIV3Schema")) is None:
            yield _required(f"spec.versions[{index}].schema.openAPIV3Schema")
    hoisted = {field: _hoisted(versions, field) for field in _HOISTED}
    for index, version in enumerate(versions):
        name = version.get("name") or ""
        if not is_label_1035(name):
            yield _invalid(f"spec.versions[{index}].name", name, LABEL_1035_RULE)
        yield from _version(version, f"spec.versions[{index}]", hoisted, old)
    yield from _sets_of_versions(spec, versions)
    for field in ("plural", "singular", "kind", "listKind"):
        if not spec["names"].get(field):
            yield _required(f"spec.names.{field}")
    yield from _names(spec["names"], "spec.names")
    if versions:
        first = versions[0]
        top = {field: first.get(field) for field, is_hoisted in hoisted.items() if is_hoisted}
        yield from _fields(top, first, "spec", old, any_status=_any_status(versions))
    yield from _conversion(spec.get("conversion") or {})


def _hoisted(versions: list[JSON], field: str) -> bool:
    """Whether a field is the same in all versions: then it is checked once, as one of the spec."""
    return all(each.get(field) == versions[0].get(field) for each in versions)


def _version(
    version: JSON, path: str, hoisted: dict[str, bool], old: JSON | None
) -> Iterator[FieldError]:
    warning = version.get("deprecationWarning")
    if warning is not None:
        at = f"{path}.deprecationWarning"
        if not version.get("deprecated"):
            yield _invalid(at, warning, "can only be set for deprecated versions")
        else:
            if len(warning.encode()) > _MAX_WARNING:
                yield _invalid(at, warning, f"must be <= {_MAX_WARNING} characters long")
            if not warning:
                yield _invalid(at, warning, "must not be an empty string")
            for index, char in enumerate(warning):
                if not char.isprintable():
                    why = "must only contain printable UTF-8 characters; non-printable character"
                    yield _invalid(at, warning, f"{why} found at index {index}")
                    break
    own = {field: version.get(field) for field, is_hoisted in hoisted.items() if not is_hoisted}
    status = ((version.get("subresources") or {}).get("status")) is not None
    yield from _fields(own, version, path, old, any_status=status)


def _fields(
    fields: JSON, version: JSON, path: str, old: JSON | None, *, any_status: bool
) -> Iterator[FieldError]:
    """What a version has of its own, or all of them have together."""
    if (schema := (fields.get("schema") or {}).get("openAPIV3Schema")) is not None:
        where = "spec.validation" if path == "spec" else f"{path}.schema"
        unchanged = old is not None and _schema_of(old, version["name"]) == schema
        yield from definition_schema.faults(
            schema,
            f"{where}.openAPIV3Schema",
            has_status=any_status,
            unchanged=unchanged,
        )
    yield from _scale((fields.get("subresources") or {}).get("scale"), f"{path}.subresources.scale")
    for index, column in enumerate(fields.get("additionalPrinterColumns") or ()):
        yield from _column(column, f"{path}.additionalPrinterColumns[{index}]")
    if selectable := fields.get("selectableFields"):
        of_version = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        yield from _selectable(selectable, of_version, f"{path}.selectableFields")


def _schema_of(crd: JSON, version: str) -> JSON | None:
    for each in crd["spec"].get("versions") or ():
        if each.get("name") == version:
            found: JSON | None = (each.get("schema") or {}).get("openAPIV3Schema")
            return found
    return None


def _any_status(versions: list[JSON]) -> bool:
    return any((each.get("subresources") or {}).get("status") is not None for each in versions)


def _sets_of_versions(spec: JSON, versions: list[JSON]) -> Iterator[FieldError]:
    names = [each.get("name") for each in versions]
    if len(set(names)) != len(names):
        yield _VersionsError("spec.versions", spec, "must contain unique version names")
    if sum(bool(each.get("storage")) for each in versions) != 1:
        why = "must have exactly one version marked as storage version"
        yield _VersionsError("spec.versions", spec, why)
    if versions and names[0] and not is_label_1035(names[0]):
        yield _invalid("spec.version", names[0], LABEL_1035_RULE)


class _VersionsError(FieldError):
    """An error that shows all versions as Go prints them."""

    def __init__(self, field: str, spec: JSON, why: str) -> None:
        super().__init__(ErrorType.INVALID, field, shown_versions(spec, _HOISTED, _hoisted), why)

    @property
    def message(self) -> str:
        """The text after the field's name."""
        return f"{self.type.value[1]}: {self.value}: {self.detail}"


def _names(names: JSON, path: str) -> Iterator[FieldError]:
    for field in ("plural", "singular"):
        if (name := names.get(field)) and not is_label_1035(name):
            yield _invalid(f"{path}.{field}", name, LABEL_1035_RULE)
    for field in ("kind", "listKind"):
        if (name := names.get(field)) and not is_label_1035(name.lower()):
            why = f"may have mixed case, but should otherwise match: {LABEL_1035_RULE}"
            yield _invalid(f"{path}.{field}", name, why)
    for index, name in enumerate(names.get("shortNames") or ()):
        if not is_label_1035(name):
            yield _invalid(f"{path}.shortNames[{index}]", name, LABEL_1035_RULE)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        why = "kind and listKind may not be the same"
        yield _invalid(f"{path}.listKind", names["listKind"], why)
    for index, name in enumerate(names.get("categories") or ()):
        if not is_label_1035(name):
            yield _invalid(f"{path}.categories[{index}]", name, LABEL_1035_RULE)


def _column(column: JSON, path: str) -> Iterator[FieldError]:
    types = f"must be one of {','.join(_COLUMN_TYPES)}"
    if not column.get("name"):
        yield _required(f"{path}.name")
    if not column.get("type"):
        yield _required(f"{path}.type", types)
    elif column["type"] not in _COLUMN_TYPES:
        yield _invalid(f"{path}.type", column["type"], types)
    if column.get("format") and column["format"] not in _COLUMN_FORMATS:
        why = f"must be one of {','.join(_COLUMN_FORMATS)}"
        yield _invalid(f"{path}.format", column["format"], why)
    if not column.get("jsonPath"):
        yield _required(f"{path}.JSONPath")
    elif not column["jsonPath"].startswith("."):
        why = "must be a simple json path starting with ."
        yield _invalid(f"{path}.JSONPath", column["jsonPath"], why)


def _scale(scale: JSON | None, path: str) -> Iterator[FieldError]:
    if scale is None:
        return
    for field, below in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        value = scale.get(field) or ""
        if not value:
            yield _required(f"{path}.{field}")
        elif not value.startswith("."):
            why = "must be a simple json path starting with ."
            yield _invalid(f"{path}.{field}", value, why)
        elif not value.startswith(f"{below}."):
            yield _invalid(f"{path}.{field}", value, f"should be a json path under {below}")
    if value := scale.get("labelSelectorPath"):
        if not value.startswith("."):
            why = "must be a simple json path starting with ."
            yield _invalid(f"{path}.labelSelectorPath", value, why)
        elif not value.startswith((".spec.", ".status.")):
            why = "should be a json path under either .spec or .status"
            yield _invalid(f"{path}.labelSelectorPath", value, why)


def _selectable(fields: list[JSON], schema: JSON, path: str) -> Iterator[FieldError]:
    try:
        node = compile_schema(schema)
    except (TypeError, AttributeError):
        return  # What is wrong with the schema is said elsewhere.
    known: list[str] = []
    for index, field in enumerate(fields):
        at, text = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not text:
            yield _required(at)
            continue
        try:
            found, leads_to = valid_path(text, node, arrays=False)
        except ValueError as error:
            yield _invalid(at, text, f"is an invalid path: {error}")
            continue
        if found.startswith(".metadata"):
            yield _invalid(at, text, "must not point to fields in metadata")
        if leads_to.int_or_string or leads_to.types not in (
            ("string",),
            ("boolean",),
            ("integer",),
        ):
            why = "must point to a field of type string, boolean or integer. Enum string fields and"
            yield _invalid(at, text, f"{why} strings with formats are allowed.")
        if found in known:
            yield FieldError(ErrorType.DUPLICATE, at, text, "")
        else:
            known.append(found)
    if len(known) > _MAX_SELECTABLE:
        yield too_many(path, len(known), _MAX_SELECTABLE)


def _conversion(conversion: JSON) -> Iterator[FieldError]:
    path, strategy = "spec.conversion", conversion.get("strategy") or ""
    webhook = conversion.get("webhook") or {}
    client, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if not strategy:
        yield _required(f"{path}.strategy")
    elif strategy not in ("None", "Webhook"):
        yield not_supported(f"{path}.strategy", strategy, ("None", "Webhook"))
    if strategy == "Webhook":
        if client is None:
            why = "required when strategy is set to Webhook"
            yield _required(f"{path}.webhookClientConfig", why)
        else:
            yield from _client(client, f"{path}.webhookClientConfig")
        yield from _review_versions(versions, f"{path}.conversionReviewVersions")
        return
    why = "should not be set when strategy is not set to Webhook"
    if client is not None:
        yield FieldError(ErrorType.FORBIDDEN, f"{path}.webhookClientConfig", None, why)
    if versions:
        yield FieldError(ErrorType.FORBIDDEN, f"{path}.conversionReviewVersions", None, why)


def _client(client: JSON, path: str) -> Iterator[FieldError]:
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield _required(path, "exactly one of url or service is required")
    elif url is not None:
        form = "desired format: https://host[/path]"
        parts = urlsplit(url)
        if parts.scheme != "https":
            why = f"'https' is the only allowed URL scheme; {form}"
            yield _invalid(f"{path}.url", parts.scheme, why)
        if not parts.netloc:
            why = f"host must be specified; {form}"
            yield _invalid(f"{path}.url", parts.netloc, why)
    elif service is not None:
        for field in ("name", "namespace"):
            if not service.get(field):
                yield _required(f"{path}.service.{field}")


def _review_versions(versions: list[str], path: str) -> Iterator[FieldError]:
    if not versions:
        yield _required(path)
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield _invalid(f"{path}[{index}]", version, "duplicate version")
        elif not is_label_1035(version):
            yield _invalid(f"{path}[{index}]", version, LABEL_1035_RULE)
    if not any(version in _REVIEW_VERSIONS for version in versions):
        why = f"must include at least one of {', '.join(_REVIEW_VERSIONS)}"
        yield _invalid(path, versions, why)


def _immutable(spec: JSON, old: JSON) -> Iterator[FieldError]:
    before = old["spec"]
    fields = ["group", "names.plural"]
    if is_true(old, ESTABLISHED):
        fields = ["scope", "names.kind", *fields]
    for field in fields:
        parent, _, name = field.rpartition(".")
        new, known = (each[parent] if parent else each for each in (spec, before))
        if new.get(name) != known.get(name):
            yield _invalid(f"spec.{field}", new.get(name), "field is immutable")


def stored_versions(stored: list[str], versions: list[JSON]) -> Iterator[FieldError]:
    """What is wrong with the versions that objects may be stored in."""
    path = "status.storedVersions"
    if not stored:
        yield _invalid(path, None, "must have at least one stored version")
        return
    names = [each.get("name") for each in versions]
    for each in versions:
        if each.get("storage") and each.get("name") not in stored:
            yield _invalid(path, stored, f"must have the storage version {each.get('name')}")
    for index, name in enumerate(stored):
        if name not in names:
            why = f"missing from spec.versions; {name} was previously a storage version, and must "
            why += "remain in spec.versions until a storage migration ensures no data remains "
            why += f"persisted in {name} and removes {name} from status.storedVersions"
            yield _invalid(f"{path}[{index}]", name, why)


def _approval(crd: JSON, old: JSON | None) -> Iterator[FieldError]:
    """https://github.com/kubernetes/enhancements/pull/1111"""
    group = crd["spec"].get("group") or ""
    if not re.search(r"(^|\.)(k8s|kubernetes)\.io$", group):
        return
    state = _approval_state(crd)
    if old is not None and _approval_state(old) == state:
        return
    value = (crd["metadata"].get("annotations") or {}).get(_APPROVED, "")
    at = f"metadata.annotations[{_APPROVED}]"
    if state == "missing":
        yield _required(at, f"{_APPROVAL_RULE}, {_APPROVAL_LINK}")
    elif state == "invalid":
        why = 'with either a URL or a reason starting with "unapproved"'
        yield _invalid(at, value, f"{_APPROVAL_RULE} {why}, {_APPROVAL_LINK}")


def _approval_state(crd: JSON) -> str:
    value = (crd["metadata"].get("annotations") or {}).get(_APPROVED, "")
    if not value:
        return "missing"
    if value.startswith("unapproved"):
        return "bypassed"
    parts = urlsplit(value)
    return "approved" if parts.scheme and parts.netloc else "invalid"


def warnings(crd: JSON, old: JSON | None) -> list[str]:
    """What a client is warned of: formats of strings that nobody checks, and sets of what is none.

    https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go
    """
    known = definition_schema.unrecognized_formats(old["spec"]) if old is not None else []
    found = definition_schema.unrecognized_formats(crd["spec"])
    formats = [
        f"unrecognized format {quoted(name)}" for name in dict.fromkeys(found) if name not in known
    ]
    if not gates.since(37):
        return formats
    sets = definition_schema.sets_of_no_scalars(crd["spec"])
    before = definition_schema.sets_of_no_scalars(old["spec"]) if old is not None else ()
    return [
        *formats,
        *(
            f"x-kubernetes-list-type: set for items of type {quoted(kind)} is not supported by"
            " server-side apply or CEL validation rules"
            for kind in sorted(set(sets) - set(before))
        ),
    ]
