"""The settings of `hourglass-operator run`: from flags, the environment and a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from hourglass_kube.loader import SafeLoader
from hourglass_operator.api import DisruptionPolicy, HealthCheck
from hourglass_operator.api.coretypes import mistake
from hourglass_operator.resources.pod import PodDefaults

ENVIRONMENT_PREFIX = "HOURGLASS_"


class SettingsError(ValueError):
    """A setting that cannot be used; each line names one, what was found and what is expected."""


_EXPECTED = {
    "string_pattern_mismatch": "must be a name of at most 63 lower-case letters, digits and -",
    "tuple_type": "must be a list, such as [a, b]",
    "path_type": "must be the path of a file",
    "dict_type": "must be an object in JSON",
}
"""By pydantic's type of error, where its own words are Python's."""

KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A label of RFC 1123: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _mapping(value: Any) -> Any:
    """Flags and variables are texts, a file holds the mapping itself."""
    if not isinstance(value, str):
        return value
    try:
        return yaml.load(value, Loader=SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return value


Defaults = Annotated[dict[str, Any] | None, BeforeValidator(_mapping)]


class RuntimeSettings(BaseModel):
    """Times are seconds. The descriptions are what `--help` and docs/settings.md say."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    namespace: Annotated[tuple[KubernetesName, ...], AfterValidator(_each_once)] = Field(
        (),
        description="Serve only this namespace, as soon as it exists; may be given several times."
        " Without it the whole cluster is served.",
    )
    kubeconfig: Path | None = Field(
        None,
        description="Kubeconfig file. Without it: $KUBECONFIG, the pod's service account,"
        " ~/.kube/config, whichever is first.",
    )
    context: str | None = Field(None, description="Context of the kubeconfig; its current one.")
    hardware_catalogue: Path | None = Field(
        None, description="YAML file that extends the hardware catalogue (docs/hardware.md)."
    )
    default_liveness_check: HealthCheck = Field(
        HealthCheck.NONE,
        description="spec.config.livenessCheck of Performers that do not say it: TCP, GRPC or"
        " None. This and the next two reach pods that are created from then on; none is restarted.",
    )
    default_security_context: Defaults = Field(
        None,
        description="Fields of spec.config.securityContext for Performers that do not say them, as"
        ' JSON, such as {"capabilities": {"drop": ["ALL"]}}.',
    )
    default_pod_security_context: Defaults = Field(
        None,
        description="Fields of spec.config.podSecurityContext for Performers that do not say them,"
        ' as JSON, such as {"runAsNonRoot": true}.',
    )
    default_disruption_policy: DisruptionPolicy = Field(
        DisruptionPolicy.EVICT,
        description="spec.disruption.policy of Performers that do not say it: Evict or MoveFirst.",
    )
    leader_election: bool = Field(
        True,
        description="Write only while holding a Lease, so that several replicas can run.",
    )
    lease_name: KubernetesName = Field(
        "hourglass-performer-operator",
        description="Name of the Lease; the shipped Role allows no other.",
    )
    lease_namespace: KubernetesName | None = Field(
        None, description="Namespace of the Lease; the operator's own, else default."
    )
    lease_duration: float = Field(
        15.0, gt=0, description="Seconds until others may take over a Lease that is not renewed."
    )
    renew_deadline: float = Field(
        10.0, gt=0, description="Seconds without renewal after which the leader stops writing."
    )
    retry_period: float = Field(
        2.0, gt=0, description="Seconds between two tries to acquire or renew the Lease."
    )
    workers: int = Field(16, ge=1, le=1000, description="Performers worked on at the same time.")
    request_timeout: float = Field(
        10.0, gt=0, description="Seconds after which a call to the API server is given up."
    )
    resync_period: float = Field(
        300.0,
        gt=0,
        description="Seconds between two looks at every Performer, and at the permissions,"
        " though nothing has changed.",
    )
    startup_timeout: float = Field(
        10.0,
        ge=0,
        description="Seconds at start to wait for the API server, the CRD and permissions.",
    )
    shutdown_timeout: float = Field(
        25.0,
        ge=0,
        description="Seconds from SIGTERM to the end, in all: three fifths for calls under way, the"
        " rest to give up the Lease and to stop watching.",
    )
    health_address: str = Field(
        "0.0.0.0:8081", description="Where /healthz and /readyz are served; empty: nowhere."
    )
    metrics_address: str = Field(
        "0.0.0.0:8080", description="Where Prometheus' /metrics is served; empty: nowhere."
    )
    log_format: Literal["text", "json"] = Field("text", description="Form of the log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _number(cls, value: Any, info: ValidationInfo) -> Any:
        # Pydantic takes true for 1.
        expected = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and expected in (int, float):
            raise ValueError("must be a number")
        return value

    @field_validator("default_security_context", "default_pod_security_context")
    @classmethod
    def _of_kubernetes(cls, value: dict[str, Any] | None, info: ValidationInfo) -> Any:
        kind = "PodSecurityContext" if "pod" in (info.field_name or "") else "SecurityContext"
        wrong = mistake(f"io.k8s.api.core.v1.{kind}", value or {})
        if wrong:
            raise ValueError(f"must be a {kind}: {wrong}")
        return value

    @property
    def pod_defaults(self) -> PodDefaults:
        """What Performers get that do not say it themselves."""
        return PodDefaults(
            self.default_security_context or {},
            self.default_pod_security_context or {},
            self.default_liveness_check,
        )

    @model_validator(mode="after")
    def _order(self) -> Self:
        if not self.retry_period < self.renew_deadline < self.lease_duration:
            raise ValueError(
                "retry-period < renew-deadline < lease-duration is expected, found"
                f" {self.retry_period:g}, {self.renew_deadline:g}, {self.lease_duration:g}"
            )
        for flag, address in (("health", self.health_address), ("metrics", self.metrics_address)):
            if address and host_and_port(address) is None:
                raise ValueError(f"{flag}-address: HOST:PORT is expected, found {address!r}")
        return self


def host_and_port(address: str) -> tuple[str, int] | None:
    """`HOST:PORT` taken apart, None if it is none; an IPv6 host stands in brackets."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not 0 <= int(port) <= 65535:
        return None
    return host.removeprefix("[").removesuffix("]"), int(port)


def load(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: Path | None
) -> RuntimeSettings:
    """Settings from `flags` (by field name; None: not given), else `environ`, else `file`.

    Raises SettingsError with a line for each setting that is wrong, naming where it comes from.
    """
    given: dict[str, tuple[Any, str]] = {}
    if file is not None:
        given |= {_field(key): (value, f"{file}: {key}") for key, value in _read(file).items()}
    for name in RuntimeSettings.model_fields:
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environ:
            value: Any = environ[variable]
            if name == "namespace":
                value = [part for part in value.split(",") if part]
            given[name] = (value, variable)
        if flags.get(name) is not None:
            given[name] = (flags[name], "--" + _flag(name))
    try:
        return RuntimeSettings.model_validate({name: value for name, (value, _) in given.items()})
    except ValidationError as error:
        lines = [_line(mistake, given) for mistake in error.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=SafeLoader)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{file}: not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise SettingsError(f"{file}: settings by name are expected, such as 'workers: 16'")
    return content


def _line(mistake: Any, given: Mapping[str, tuple[Any, str]]) -> str:
    if not mistake["loc"]:
        return str(mistake["msg"]).removeprefix("Value error, ")
    name = str(mistake["loc"][0])
    source = given[name][1]
    if mistake["type"] == "extra_forbidden":
        known = ", ".join(_flag(field) for field in RuntimeSettings.model_fields)
        return f"{source}: unknown setting; known are {known}"
    said = str(mistake["msg"]).replace("Input should be", "must be").removeprefix("Value error, ")
    expected = _EXPECTED.get(mistake["type"], said)
    return f"{source}: {expected}, found {mistake['input']!r}"


def _flag(field: str) -> str:
    return field.replace("_", "-")


def _field(flag: str) -> str:
    return flag.replace("-", "_")
