"""What the API server does to a custom resource between the request and the store.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hourglass_kube.mergepatch import same
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import scale, schema_columns, schema_embedded
from hourglass_simulator.apiserver.cel import Rules
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.schema import (
    META,
    Node,
    compile_schema,
    defaulted,
    pruned,
    unknown_fields,
)
from hourglass_simulator.apiserver.schema_check import checker
from hourglass_simulator.apiserver.schema_error import (
    ErrorType,
    FieldError,
    aggregate,
)
from hourglass_simulator.apiserver.schema_metadata import validate_metadata
from hourglass_simulator.apiserver.schema_validation import ABSENT, duplicates, validate

_STOPS_RULES = frozenset(
    {
        ErrorType.NOT_SUPPORTED,
        ErrorType.REQUIRED,
        ErrorType.TOO_LONG,
        ErrorType.TOO_MANY,
        ErrorType.TYPE_INVALID,
    }
)
_RULES_STOPPED = FieldError(
    ErrorType.INVALID,
    "<nil>",
    None,
    "some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation",
)
_NOTHING = Node()


_COMPILED: deque[tuple[JSON, str, "CustomResource"]] = deque(maxlen=64)


def compiled(crd: JSON, version: str = "") -> "CustomResource":
    """A version of a definition, or that of storage; definitions with equal specs share one."""
    for spec, name, found in _COMPILED:
        if name == version and same(spec, crd["spec"]):
            return found
    new = CustomResource(crd, version)
    _COMPILED.append((crd["spec"], version, new))
    return new


class CustomResource:
    """One version of a CustomResourceDefinition that was validated before."""

    def __init__(self, crd: dict[str, Any], version: str = "") -> None:
        spec = crd["spec"]
        found = next(
            each
            for each in spec["versions"]
            if (each["name"] == version if version else each["storage"])
        )
        self.group: str = spec["group"]
        self.kind: str = spec["names"]["kind"]
        self.plural: str = spec["names"]["plural"]
        self.api_version = f"{self.group}/{found['name']}"
        subresources = found.get("subresources") or {}
        self._has_status = subresources.get("status") is not None
        self._scale: JSON | None = subresources.get("scale")
        self._root = compile_schema((found.get("schema") or {}).get("openAPIV3Schema") or {})
        self._status = self._root.properties.get("status", _NOTHING)
        self._rules = Rules(self._root, root=True)
        self._is_quick = self._scale is None and _is_quick(self._root)
        self._check_spec = checker(self._root.properties.get("spec", _NOTHING))
        self._check_status = checker(self._status)
        self._status_has_rules = Rules(self._status).any
        self._columns = found.get("additionalPrinterColumns") or []

    def admit(
        self,
        obj: dict[str, Any],
        old: dict[str, Any] | None = None,
        *,
        subresource: str = "",
    ) -> dict[str, Any]:
        """The object to store: defaults written, unknown fields dropped.

        `old` is the stored object for an update; `subresource` is "" or "status": the one never
        changes what belongs to the other. `metadata.name` must have been generated before.
        Raises APIError: 422 with every cause.
        """
        if self._is_quick:
            if old is None and (created := self._created(obj)) is not None:
                return created
            if old is not None and self._is_fine(obj, old, subresource):
                return self._merged(obj, old, subresource)
        new = self._cleaned(obj, old)
        if old is None:
            new = _without_status(new) if self._has_status else new
        else:
            new = self._merged(new, old, subresource)
        if errors := list(self._errors(new, old, subresource)):
            raise self._invalid(new, errors)
        return dict(defaulted(new, self._root))

    def converted(self, obj: dict[str, Any]) -> dict[str, Any]:
        """An object of another version as it is stored in this one, and then read."""
        named = {**obj, "apiVersion": self.api_version}
        return dict(defaulted(self._cleaned_body(named), self._root))

    def ratcheted(self, new: dict[str, Any], old: dict[str, Any]) -> list[str]:
        """What rules say of values that are not refused as they are unchanged."""
        if not self._rules.any:
            return []
        cleaned = self._cleaned(new, old)
        if self._has_status:
            cleaned = _with_status(cleaned, old)
        found = self._rules.ratcheted(cleaned, "", old)
        return [f"{error.field}: {error.message}" for error in found]

    def decoded(self, obj: dict[str, Any]) -> dict[str, Any]:
        """A stored object as it is read in this version.

        One that was stored in another version is converted without any change: the strategy None.
        """
        named = {**obj, "apiVersion": self.api_version}
        if obj.get("apiVersion") == self.api_version:
            return self._with_defaults(named, obj)
        cleaned: dict[str, Any] = self._cleaned_body(named)
        return cleaned

    def _with_defaults(self, named: dict[str, Any], obj: dict[str, Any]) -> dict[str, Any]:
        new: dict[str, Any] = defaulted(self._cleaned_body(named), self._root)
        return obj if new == obj else new

    def _cleaned_body(self, obj: dict[str, Any]) -> dict[str, Any]:
        meta = {name: value for name, value in obj.items() if name in META}
        rest = {name: value for name, value in obj.items() if name not in META}
        body: dict[str, Any] = pruned(rest, self._root)
        return meta | body

    def table(
        self, objects: Iterable[dict[str, Any]], now: datetime, *, wide: bool = False
    ) -> list[list[str]]:
        """The rows of `kubectl get`, headings first; `wide` is `-o wide`."""
        return schema_columns.table(self._columns, objects, now, wide=wide)

    def _merged(self, new: dict[str, Any], old: dict[str, Any], subresource: str) -> dict[str, Any]:
        """Of an update, what it may change."""
        if subresource == "status":
            return _with_status(old, new)
        return _with_status(new, old) if self._has_status else new

    def _created(self, obj: dict[str, Any]) -> dict[str, Any] | None:
        """The object to create, or None when it is not fine but for its defaults."""
        if not self._has_status and "status" in obj:
            return None
        new: dict[str, Any] = defaulted(_without_status(obj), self._root)
        fine = (
            self._is_plain(new)
            and "status" not in new
            and self._check_spec(new.get("spec"), ABSENT)
            and not any(True for _ in validate_metadata(new["metadata"]))
            and not any(True for _ in self._rules.check(new))
        )
        return new if fine else None

    def _is_plain(self, obj: dict[str, Any]) -> bool:
        return (
            obj.keys() <= _PLAIN
            and obj.get("kind") == self.kind
            and obj.get("apiVersion") == self.api_version
        )

    def _is_fine(self, obj: dict[str, Any], old: dict[str, Any], subresource: str) -> bool:
        """Whether an update can be stored as it came: so it is nearly always."""
        if subresource:
            return (
                "status" in obj
                and self._check_status(obj["status"], old.get("status", ABSENT))
                and not self._status_has_rules
            )
        return (
            self._has_status
            and self._is_plain(obj)
            and self._check_spec(obj.get("spec"), old.get("spec", ABSENT))
            and not any(True for _ in self._rules.check(obj, "", old))
        )

    def _cleaned(self, obj: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
        """Unknown fields and nulls go, defaults come."""
        old = old or {}
        meta = {name: value for name, value in obj.items() if name in META}
        rest = {name: value for name, value in obj.items() if name not in META}
        if all(value is old.get(name, ABSENT) for name, value in rest.items()):
            return obj
        body = pruned(rest, self._root, old)
        body = schema_embedded.coerced(body, self._root, "", [])
        body = defaulted(body, self._root)
        return {**meta, **body}

    def cleaned(self, obj: dict[str, Any]) -> dict[str, Any]:
        """An object that is sent, with its defaults, without unknown fields."""
        return self._cleaned(obj, None)

    def unknown_fields(self, obj: dict[str, Any]) -> list[str]:
        """What strict decoding says of them: `unknown field "spec.imge"`.

        Raises EmbeddedError for an embedded resource that does not fit.
        """
        rest = {name: value for name, value in obj.items() if name not in META}
        strange: list[str] = []
        schema_embedded.coerced(pruned(rest, self._root), self._root, "", strange)
        found = sorted(unknown_fields(rest, self._root))
        return [*(f'unknown field "{path}"' for path in found), *sorted(strange)]

    def _errors(
        self, new: dict[str, Any], old: dict[str, Any] | None, subresource: str
    ) -> Iterable[FieldError]:
        wrong_type = [
            FieldError(ErrorType.INVALID, name, new.get(name, ""), f"must be {expected}")
            for name, expected in (("kind", self.kind), ("apiVersion", self.api_version))
            if new.get(name) != expected
        ]
        if wrong_type:
            return wrong_type
        errors = [] if old is not None else list(validate_metadata(new["metadata"]))
        if subresource == "status":
            errors += self._status_errors(new, old or {})
        else:
            errors += validate(self._validated(new), self._root, "", ABSENT if old is None else old)
        if self._scale is not None:
            errors += scale.faults(new, self._scale, status_only=subresource == "status")
        if subresource != "status":
            errors += schema_embedded.faults(new, self._root, "")
        errors += self._duplicates(new, old)
        if self._rules.any and any(error.type in _STOPS_RULES for error in errors):
            return [*errors, _RULES_STOPPED]
        return [*errors, *self._rules.check(new, "", ABSENT if old is None else old)]

    def _validated(self, new: dict[str, Any]) -> dict[str, Any]:
        """The whole object, without its metadata unless the schema restricts the name."""
        if "metadata" in self._root.properties:
            return new
        return {name: value for name, value in new.items() if name != "metadata"}

    def _status_errors(self, new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
        """Errors of the status alone; as on the real server their text lacks the word status."""
        status = new.get("status")
        if "status" not in new:
            return []
        return [
            FieldError(
                error.type,
                "status" if error.field == "<nil>" else f"status.{error.field}",
                error.value,
                error.detail,
            )
            for error in validate(status, self._status, "", old.get("status", ABSENT))
        ]

    def _duplicates(self, new: dict[str, Any], old: dict[str, Any] | None) -> list[FieldError]:
        """Repeated keys, unless the stored object has some already."""
        old = old or {}
        changed = {name: value for name, value in new.items() if value is not old.get(name)}
        found = list(duplicates(changed, self._root, ""))
        return [] if found and any(True for _ in duplicates(old, self._root, "")) else found

    def _invalid(self, obj: dict[str, Any], errors: list[FieldError]) -> APIError:
        name, kind = obj["metadata"].get("name", ""), obj.get("kind", self.kind)
        group = str(obj.get("apiVersion", self.api_version)).rpartition("/")[0]
        return APIError(
            422,
            "Invalid",
            f'{kind}.{group} "{name}" is invalid: {aggregate(errors)}',
            {
                "name": name,
                "group": group,
                "kind": kind,
                "causes": [error.cause() for error in errors],
            },
        )


_PLAIN = META | {"spec", "status"}


def _is_quick(root: Node) -> bool:
    """Whether all that can be wrong with an object is in its metadata, its spec and its status."""
    others = (root.properties.get(name, _NOTHING) for name in META)
    return (
        "spec" in root.properties
        and "status" in root.properties
        and root.properties.keys() <= _PLAIN
        and set(root.required) <= {"spec", *META}
        and not (root.has_logic or root.has_embedded or root.preserves or root.additional_allowed)
        and root.min_properties is None
        and root.max_properties is None
        and not root.enum
        and all(not each.properties and not each.pattern and not each.enum for each in others)
    )


def _without_status(obj: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in obj.items() if name != "status"}


def _with_status(obj: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """`obj` with the status of `source`, or without one when that has none."""
    if "status" in source:
        return {**obj, "status": source["status"]}
    return _without_status(obj)
