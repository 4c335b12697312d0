"""What the API server does to a custom resource between the request and the store.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import schema_columns
from hourglass_simulator.apiserver.cel import Rules
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.schema import (
    compile_schema,
    defaulted,
    pruned,
    same,
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

_TYPE_META = frozenset({"apiVersion", "kind", "metadata"})
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


_COMPILED: deque[tuple[JSON, "CustomResource"]] = deque(maxlen=16)


def compiled(crd: JSON) -> "CustomResource":
    """The custom resource of a definition; definitions with equal specs share one.

    ValueError when the schema uses something that is not simulated.
    """
    for spec, found in _COMPILED:
        if same(spec, crd["spec"]):
            return found
    new = CustomResource(crd)
    _COMPILED.append((crd["spec"], new))
    return new


class CustomResource:
    """One version of a CustomResourceDefinition."""

    def __init__(self, crd: dict[str, Any]) -> None:
        """ValueError when the schema uses something that is not simulated."""
        spec = crd["spec"]
        version = next(entry for entry in spec["versions"] if entry["storage"])
        self.group: str = spec["group"]
        self.kind: str = spec["names"]["kind"]
        self.plural: str = spec["names"]["plural"]
        self.api_version = f"{self.group}/{version['name']}"
        self._root = compile_schema(version["schema"]["openAPIV3Schema"])
        self._status = self._root.properties["status"]
        self._rules = Rules(self._root)
        self._check_spec = checker(self._root.properties["spec"])
        self._check_status = checker(self._status)
        self._status_has_rules = Rules(self._status).any
        self._columns = version.get("additionalPrinterColumns", [])

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
        if old is None and (created := self._created(obj)) is not None:
            return created
        if old is not None and self._is_fine(obj, old, subresource):
            return _with_status(old, obj) if subresource else _with_status(obj, old)
        new = self._cleaned(obj, old)
        if old is None:
            new = {name: value for name, value in new.items() if name != "status"}
        elif subresource == "status":
            new = _with_status(old, new)
        else:
            new = _with_status(new, old)
        if errors := list(self._errors(new, old, subresource)):
            raise self._invalid(new, errors)
        return dict(defaulted(new, self._root))

    def table(
        self, objects: Iterable[dict[str, Any]], now: datetime, *, wide: bool = False
    ) -> list[list[str]]:
        """The rows of `kubectl get`, headings first; `wide` is `-o wide`."""
        return schema_columns.table(self._columns, objects, now, wide=wide)

    def _created(self, obj: dict[str, Any]) -> dict[str, Any] | None:
        """The object to create, or None when it is not fine but for its defaults."""
        named = {name: value for name, value in obj.items() if name != "status"}
        new: dict[str, Any] = defaulted(named, self._root)
        fine = (
            self._is_plain(new)
            and self._check_spec(new.get("spec"), ABSENT)
            and not any(True for _ in validate_metadata(new["metadata"]))
            and not any(True for _ in self._rules.check(new))
        )
        return new if fine else None

    def _is_plain(self, obj: dict[str, Any]) -> bool:
        return (
            obj.keys() <= self._root.properties.keys()
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
            self._is_plain(obj)
            and self._check_spec(obj.get("spec"), old.get("spec", ABSENT))
            and not any(True for _ in self._rules.check(obj, "", old))
        )

    def _cleaned(self, obj: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
        """Defaults first, then unknown fields and nulls go, as the real decoder does."""
        old = old or {}
        meta = {name: value for name, value in obj.items() if name in _TYPE_META}
        rest = {name: value for name, value in obj.items() if name not in _TYPE_META}
        if all(value is old.get(name) for name, value in rest.items()):
            return obj
        body: dict[str, Any] = pruned(defaulted(rest, self._root), self._root, old)
        return meta | body

    def refuse_unknown_fields(self, obj: dict[str, Any]) -> None:
        """Raise APIError 400 that names them, as with kubectl's strict field validation."""
        rest = {name: value for name, value in obj.items() if name not in _TYPE_META}
        if unknown := sorted(unknown_fields(rest, self._root)):
            listed = ", ".join(f'unknown field "{path}"' for path in unknown)
            version = self.api_version.rpartition("/")[2]
            text = f'{self.kind} in version "{version}" cannot be handled as a {self.kind}: '
            raise APIError(400, "BadRequest", f"{text}strict decoding error: {listed}")

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
            body = {name: value for name, value in new.items() if name != "metadata"}
            errors += validate(body, self._root, "", ABSENT if old is None else old)
        errors += self._duplicates(new, old)
        if any(error.type in _STOPS_RULES for error in errors):
            return [*errors, _RULES_STOPPED]
        return [*errors, *self._rules.check(new, "", ABSENT if old is None else old)]

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
            for error in validate(status, self._status, "", old.get("status", {}))
        ]

    def _duplicates(self, new: dict[str, Any], old: dict[str, Any] | None) -> list[FieldError]:
        """Repeated keys, unless the stored object has some already."""
        old = old or {}
        changed = {name: value for name, value in new.items() if value is not old.get(name)}
        found = list(duplicates(changed, self._root, ""))
        return [] if found and any(True for _ in duplicates(old, self._root, "")) else found

    def _invalid(self, obj: dict[str, Any], errors: list[FieldError]) -> APIError:
        name = obj["metadata"].get("name", "")
        return APIError(
            422,
            "Invalid",
            f'{self.kind}.{self.group} "{name}" is invalid: {aggregate(errors)}',
            {
                "name": name,
                "group": self.group,
                "kind": self.kind,
                "causes": [error.cause() for error in errors],
            },
        )


def _with_status(obj: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """`obj` with the status of `source`, or without one when that has none."""
    if "status" in source:
        return {**obj, "status": source["status"]}
    return {name: value for name, value in obj.items() if name != "status"}
