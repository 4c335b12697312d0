"""The Performer resource, typed; the CustomResourceDefinition is generated from these types."""

from hourglass_operator.api.types import (
    GROUP,
    KIND,
    PLURAL,
    VERSION,
    Condition,
    HardwareRequirements,
    HealthCheck,
    ImagePullPolicy,
    PerformerConfig,
    PerformerSpec,
    PerformerStatus,
    SchedulingConfig,
    UpgradeStrategy,
    UpgradeStrategyType,
)

__all__ = [
    "GROUP",
    "KIND",
    "PLURAL",
    "VERSION",
    "Condition",
    "HardwareRequirements",
    "HealthCheck",
    "ImagePullPolicy",
    "PerformerConfig",
    "PerformerSpec",
    "PerformerStatus",
    "SchedulingConfig",
    "UpgradeStrategy",
    "UpgradeStrategyType",
]
