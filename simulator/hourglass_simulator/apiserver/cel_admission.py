"""CEL in admission: the variables of policies and of match conditions, and the authorizer.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#validation-expression
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import cel_authorizer, cel_environment, cel_messages, gates
from hourglass_simulator.apiserver.authorization import Attributes, Authorizer, Decision
from hourglass_simulator.apiserver.cel_budget import run
from hourglass_simulator.apiserver.cel_check import as_in_go, compiled
from hourglass_simulator.apiserver.cel_library import LISTS_SINCE
from hourglass_simulator.apiserver.cel_messages import type_name
from hourglass_simulator.apiserver.cel_source import checkable, evaluable, literal_type
from hourglass_simulator.apiserver.write import Write

_REQUEST_RESOURCE = "authorizer.requestResource"
_PLAIN: Final = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
_VARIABLES: Final = (*_PLAIN, "authorizer", _REQUEST_RESOURCE)
_KIND = cel.Type
_STATUS = re.compile(r"^[A-Z_]+: ")
_IN_GO: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r'^Key not found in map : "?(.*?)"?$'), r"no such key: \1"),
    (re.compile(r"^no_such_field : (.*)$"), r"no such key: \1"),
    (re.compile(r"^cannot convert (\w+) to (\w+)$"), r"type conversion error from '\1' to '\2'"),
    (re.compile(r"^No matching overloads found.*$", re.DOTALL), "no such overload"),
    (re.compile(r"^divide by zero$"), "division by zero"),
)


_MOST_QUESTIONS: Final = 2
"""To the authorizer, by one expression: each costs 350,000 of 1,000,000.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/cel/library/cost.go
"""


class EvaluationError(Exception):
    """An expression ended with an error; the text is that of cel-go."""


class Activation:
    """The values that the expressions about one write see.

    `variables` are the policy's own by name, each an expression that is evaluated when it is used.
    Without an authorizer there is nobody to ask.
    """

    def __init__(
        self,
        write: Write,
        *,
        namespace: JSON | None = None,
        params: JSON | None = None,
        variables: Mapping[str, str] | None = None,
        authorizer: Authorizer | None = None,
    ) -> None:
        self._authorizer = authorizer
        self.questions = 0
        """How often the authorizer was asked."""
        self._sources = variables or {}
        self._found: JSON = {}
        self._data: JSON = {
            "object": write.new,
            "oldObject": write.old,
            "request": request(write),
            "params": params,
            "namespaceObject": namespace,
        }
        if authorizer is not None:
            asked = cel_authorizer.request_resource(write.user, _asked(write))
            self._data["authorizer"] = cel_authorizer.authorizer(write.user)
            self._data[_REQUEST_RESOURCE] = asked

    def evaluate(self, source: str) -> Any:
        """The value of an expression; raises EvaluationError."""
        for name in re.findall(r"\bvariables\.(\w+)", source):
            if name in self._sources and name not in self._found:
                try:
                    self._found[name] = self.evaluate(self._sources[name])
                except EvaluationError as error:
                    why = f'composited variable "{name}" fails to evaluate: {error}'
                    raise EvaluationError(why) from None
        try:
            program = _compiled(source)
        except RuntimeError as error:
            raise EvaluationError(f"compilation failed: {error_text(error)}") from None
        before = self.questions
        with cel_authorizer.deciding(self._decide):
            result = run(program, {**self._data, "variables": self._found})
        if self.questions - before > _MOST_QUESTIONS:
            raise EvaluationError("operation cancelled: actual cost limit exceeded")
        if result.type() == cel.Type.ERROR:
            raise EvaluationError(_as_in_go(str(result.value())))
        return _plain(result.value())

    def _decide(self, asked: Attributes) -> Decision:
        assert self._authorizer is not None
        self.questions += 1
        return self._authorizer.decide(asked)


class Checker:
    """Checks expressions before they are stored.

    `params`: they may use parameters; `mutates`: they may make objects and patches.
    """

    def __init__(self, *, params: bool, mutates: bool = False) -> None:
        self._params = params
        self._mutates = mutates
        self._variables: dict[str, cel.Type] = {}

    def variable(self, name: str, source: str) -> str:
        """What is wrong with a variable, which the expressions after it may use."""
        kind, why = self._kind(source) if source.strip() else (None, "")
        self._variables[name] = _KIND.DYN if kind is None else kind
        return why

    def error(self, source: str, *kinds: str, asks: bool = True) -> str:
        """What is wrong with an expression that is to have a value of one of the kinds.

        `asks`: it may ask the authorizer.
        """
        if not source.strip():
            return ""
        makes = self._mutates and kinds[0] in _MADE
        kind, why = self._kind(source, objects=makes, asks=asks)
        if kind is None:
            return why
        name = (literal_type(source) if makes else "") or _shown(kind)
        if name in kinds:
            return ""
        wanted = kinds[0] if len(kinds) == 1 else f"one of [{' '.join(kinds)}]"
        return f"must evaluate to {wanted} but got {name}"

    def _kind(
        self, source: str, *, objects: bool = False, asks: bool = True
    ) -> tuple[cel.Type | None, str]:
        # Each variable has a type of its own, which a map of them cannot have.
        typed = source
        for name in self._variables:
            typed = re.sub(rf"\bvariables\.{name}\b", f"variables_{name}", typed)
        written = checkable(typed, objects=objects, sorts=gates.since(LISTS_SINCE))
        try:
            return compiled(
                self._environment(objects=objects, asks=asks), written
            ).return_type(), ""
        except ValueError as error:
            why = _of_first_part(str(error)).replace("variables_", "variables.")
            return None, f"compilation failed: {why}"

    def _environment(self, *, objects: bool, asks: bool) -> cel.Env:
        variables = dict.fromkeys(_PLAIN, _KIND.DYN)
        if not self._params:
            del variables["params"]
        if asks:
            variables["authorizer"] = _KIND(type_name("Authorizer"))
            variables[_REQUEST_RESOURCE] = _KIND(type_name("ResourceCheck"))
        variables |= {f"variables_{name}": kind for name, kind in self._variables.items()}
        pool = cel_messages.mutation_pool() if objects else cel_messages.shared_pool()
        return cel_environment.checking_environment(pool, variables, lists=gates.since(LISTS_SINCE))


_MADE = ("Object", "list(JSONPatch)")
_NAMES = {
    "NULL": "null_type",
    "TIMESTAMP": "google.protobuf.Timestamp",
    "DURATION": "google.protobuf.Duration",
    type_name("Object"): "Object",
}


def _shown(kind: cel.Type) -> str:
    """A type as cel-go writes it: `map(string, int)`."""
    text = str(kind).replace("<", "(").replace(">", ")")
    return re.sub(r"[\w.]+", lambda found: _NAMES.get(found[0]) or _lower(found[0]), text)


def _lower(name: str) -> str:
    return name.lower() if name.isupper() else name


def error_text(error: RuntimeError) -> str:
    """What the compiler says, without what the library adds, in the words of cel-go."""
    return _of_first_part(as_in_go(error))


def _of_first_part(text: str) -> str:
    """cel-go names the first part of a reference, at its beginning."""
    found = re.fullmatch(
        r"ERROR: <input>:(\d+):(\d+): undeclared reference to '([^'.]+)\.[^']*' (.*?)\n"
        r" \| (.*)\n.*",
        text,
        re.DOTALL,
    )
    if found is None:
        return text
    line, _, name, where, source = found.groups()
    column = source.index(name)
    pointer = "." * column + "^"
    return (
        f"ERROR: <input>:{line}:{column + 1}: undeclared reference to '{name}' {where}\n"
        f" | {source}\n | {pointer}"
    )


def request(write: Write) -> JSON:
    """The AdmissionRequest of a write, without its objects."""
    resource, meta = write.resource, write.obj["metadata"]
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    named = {"group": resource.group, "version": resource.version, "resource": resource.plural}
    found: JSON = {"kind": kind, "resource": named}
    if write.subresource:
        found["subResource"] = write.subresource
    found |= {"requestKind": kind, "requestResource": named}
    if write.subresource:
        found["requestSubResource"] = write.subresource
    if name := meta.get("name"):
        found["name"] = name
    if write.namespace:
        found["namespace"] = write.namespace
    return {
        **found,
        "operation": write.operation,
        "userInfo": write.user.info(),
        "dryRun": write.dry_run,
        "options": dict(write.options),
    }


def _as_in_go(why: str) -> str:
    why = _STATUS.sub("", why)
    for pattern, text in _IN_GO:
        if pattern.search(why):
            return pattern.sub(text, why)
    return why


@cache
def _compiled(source: str) -> cel.Expression:
    written = evaluable(source, objects=True)
    return cel_environment.evaluating_environment(_VARIABLES).compile(written.text)


def _asked(write: Write) -> Attributes:
    """What a write is about, as `authorizer.requestResource` asks about it."""
    of = write.resource
    return Attributes(
        write.user, "", of.group, of.plural, write.subresource, write.namespace, write.name
    )


def _plain(value: Any) -> Any:
    """A value without the library's own classes."""
    if isinstance(value, cel.Value):
        return _plain(value.plain_value())
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
