"""The environment variables of an executor, as the API reference names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from hourglass_operator.client.errors import ConfigurationError

DEFAULT_PATTERN = "performer-{name}.{namespace}.svc.cluster.local:{port}"

_PLACEHOLDERS = ("name", "namespace", "port")


@dataclass(frozen=True, slots=True)
class Environment:
    """The namespace of the executor's Performers, and the pattern of their addresses."""

    namespace: str
    service_pattern: str = DEFAULT_PATTERN

    def endpoint(self, name: str, port: int) -> str:
        """Where the Performer of this name is called."""
        return self.service_pattern.format(name=name, namespace=self.namespace, port=port)


def read(variables: Mapping[str, str], namespace: str | None = None) -> Environment:
    """Read DEPLOYMENT_MODE, KUBERNETES_NAMESPACE and PERFORMER_SERVICE_PATTERN.

    `namespace` takes precedence over KUBERNETES_NAMESPACE. Raises ConfigurationError.
    """
    mode = variables.get("DEPLOYMENT_MODE", "kubernetes")
    if mode != "kubernetes":
        raise ConfigurationError(
            f'DEPLOYMENT_MODE: expected "kubernetes", found "{mode}"; '
            "this client creates Performers in a cluster"
        )
    chosen = namespace or variables.get("KUBERNETES_NAMESPACE", "")
    if not chosen:
        raise ConfigurationError(
            "KUBERNETES_NAMESPACE: expected the namespace of the Performers, found nothing; in a "
            "pod, set it from fieldRef metadata.namespace"
        )
    pattern = variables.get("PERFORMER_SERVICE_PATTERN") or DEFAULT_PATTERN
    _check(pattern)
    return Environment(chosen, pattern)


def _check(pattern: str) -> None:
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError as error:
        raise ConfigurationError(f'PERFORMER_SERVICE_PATTERN "{pattern}": {error}') from None
    found = [field for _, field, _, _ in parts if field is not None]
    plain = all(not spec and not conversion for _, _, spec, conversion in parts)
    if "name" not in found or not set(found) <= set(_PLACEHOLDERS) or not plain:
        raise ConfigurationError(
            f'PERFORMER_SERVICE_PATTERN "{pattern}": expected {{name}} and, if need be, '
            "{namespace} and {port}, nothing else in braces"
        )
