"""The Performer resource, typed; the CustomResourceDefinition is generated from these types."""

from hourglass_operator.api.types import (
    CONDITIONS_LIMIT,
    GROUP,
    KIND,
    MESSAGE_LIMIT,
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
    "CONDITIONS_LIMIT",
    "GROUP",
    "KIND",
    "MESSAGE_LIMIT",
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
