"""The fields of a Performer, as the API reference names them.

Attribute names are snake_case; JSON names are camelCase through aliases. Core Kubernetes types
(EnvVar, Toleration, Affinity, …) stay plain JSON objects: their schemas come from Kubernetes'
published OpenAPI when the CRD is generated.
"""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "hourglass.eigenlayer.io"
VERSION = "v1alpha1"
KIND = "Performer"
PLURAL = "performers"

DEFAULT_GRPC_PORT = 9090


class Model(BaseModel):
    """Base of all API types: camelCase JSON names, immutable, unknown fields dropped."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class HealthCheck(StrEnum):
    """How the kubelet decides that the performer is ready."""

    TCP = "TCP"
    GRPC = "GRPC"
    NONE = "None"


class UpgradeStrategyType(StrEnum):
    """How a change of the pod template reaches the running pod."""

    AUTO = "Auto"
    ROLLING_UPDATE = "RollingUpdate"
    RECREATE = "Recreate"


class PerformerConfig(Model):
    """Performer-specific configuration."""

    grpc_port: int = DEFAULT_GRPC_PORT
    env: list[dict[str, Any]] = Field(default_factory=list)
    environment: dict[str, str] = Field(default_factory=dict)
    environment_from: list[dict[str, Any]] = Field(default_factory=list)
    args: list[str] = Field(default_factory=list)
    command: list[str] = Field(default_factory=list)
    service_account_name: str | None = None
    health_check: HealthCheck | None = None


class SchedulingConfig(Model):
    """Advanced scheduling constraints."""

    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[dict[str, Any]] = Field(default_factory=list)
    affinity: dict[str, Any] | None = None
    runtime_class: str | None = None
    priority_class_name: str | None = None


class HardwareRequirements(Model):
    """Specialized hardware needs."""

    gpu_type: str | None = None
    gpu_count: int | None = None
    tee_required: bool = False
    tee_type: str | None = None
    custom_labels: dict[str, str] = Field(default_factory=dict)


class UpgradeStrategy(Model):
    """How upgrades are carried out and how long they may take."""

    type: UpgradeStrategyType = UpgradeStrategyType.AUTO
    progress_deadline_seconds: int = 600


class PerformerSpec(Model):
    """What the executor asks for."""

    avs_address: str
    image: str
    version: str | None = None
    image_pull_policy: str | None = None
    config: PerformerConfig = Field(default_factory=PerformerConfig)
    resources: dict[str, Any] = Field(default_factory=dict)
    scheduling: SchedulingConfig = Field(default_factory=SchedulingConfig)
    hardware_requirements: HardwareRequirements = Field(default_factory=HardwareRequirements)
    image_pull_secrets: list[dict[str, Any]] = Field(default_factory=list)
    upgrade_strategy: UpgradeStrategy = Field(default_factory=UpgradeStrategy)


class Condition(Model):
    """A metav1.Condition."""

    type: str
    status: str
    reason: str
    message: str = ""
    last_transition_time: str
    observed_generation: int | None = None


class PerformerStatus(Model):
    """What the operator observed."""

    phase: str | None = None
    ready: bool | None = None
    observed_generation: int | None = None
    pod_name: str | None = None
    service_name: str | None = None
    grpc_endpoint: str | None = None
    node_name: str | None = None
    template_hash: str | None = None
    serving_template_hash: str | None = None
    progress_start_time: str | None = None
    last_upgrade: str | None = None
    ready_time: str | None = None
    conditions: list[Condition] = Field(default_factory=list)
