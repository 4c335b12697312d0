"""Validation rules that hold twice: as CEL in the CRD, and in Python for typed clients.

A plain `pattern` in a schema answers with the regular expression alone; a CEL rule answers with a
sentence. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

VALIDATIONS = "x-kubernetes-validations"


def rule(rule: str, message: str, **more: str) -> dict[str, str]:
    """One entry of `x-kubernetes-validations`; `more`: messageExpression, fieldPath, reason."""
    return {"rule": rule, "message": message, **more}


@dataclass(frozen=True)
class Matches:
    """The whole string matches `pattern` (RE2 syntax); otherwise it "must be {what}"."""

    pattern: str
    what: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        compiled = re.compile(self.pattern)

        def check(text: str) -> str:
            if compiled.fullmatch(text) is None:
                raise ValueError(f'must be {self.what}, but is "{text}"')
            return text

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        says = self.what.replace("\\", "\\\\").replace("'", "\\'")
        return {
            **handler(schema),
            VALIDATIONS: [
                rule(
                    f"self.matches(r'^(?:{self.pattern})$')",
                    f"must be {self.what}",
                    messageExpression=f"'must be {says}, but is \"' + self + '\"'",
                )
            ],
        }


@dataclass(frozen=True, eq=False)
class Schema:
    """Schema keywords that pydantic has no word for, such as `x-kubernetes-list-type`."""

    keywords: Mapping[str, Any]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), **self.keywords}


@dataclass(frozen=True)
class CoreType:
    """A JSON object whose schema is Kubernetes' own, e.g. `io.k8s.api.core.v1.EnvVar`."""

    definition: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"x-core-type": self.definition}
