"""What follows from a Performer's spec alone; resolved once for each spec, not in every pass."""

import json
from dataclasses import dataclass
from functools import lru_cache

from pydantic import ValidationError

from hourglass_operator.api import DisruptionPolicy, OnUnhealthy, PerformerSpec, UpgradeStrategyType
from hourglass_operator.controller.compression import decompress
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.requirement import Requirement, requirement
from hourglass_operator.resources.pod import PodDefaults
from hourglass_operator.resources.resizable import Amounts, asked_for
from hourglass_operator.resources.template import former_hash, template_hash

_REMEMBERED = 256
"""Specs of which the resolved form is kept: those that are worked on, not all there are."""


@dataclass(frozen=True, slots=True)
class ResolvedSpec:
    """A spec with its template hash and its hardware requirement.

    `invalid` says what is wrong with a spec that an older definition let in; `spec` is empty then,
    and so is `template_hash`. `constraints` is a text that is equal for specs whose pods fit the
    same nodes.
    """

    spec: PerformerSpec
    invalid: str
    template_hash: str
    former_hash: str
    """That of earlier releases, which covers `resources` as well."""
    resources: Amounts
    """The CPU and memory that the wanted pod asks for."""
    requirement: Requirement | None
    constraints: str
    move_first: bool
    """Whether a pod whose node is going is to be succeeded before it is evicted."""
    replace_unhealthy: bool
    """Whether a pod with an unhealthy device is to be succeeded."""


class SpecResolver:
    """Resolves specs against a hardware catalogue; the latest ones are remembered."""

    def __init__(
        self,
        catalogue: Catalogue,
        pod_defaults: PodDefaults | None = None,
        disruption_policy: DisruptionPolicy = DisruptionPolicy.EVICT,
    ) -> None:
        self.catalogue = catalogue
        self._disruption_policy = disruption_policy
        self.pod_defaults = pod_defaults or PodDefaults()
        """What the operator's settings say for specs that do not say it themselves."""
        self.resolve = lru_cache(_REMEMBERED)(self._resolve)
        """The resolved form of a spec as PerformerView stores it."""

    def _resolve(self, stored: bytes) -> ResolvedSpec:
        invalid = ""
        try:
            spec = PerformerSpec.model_validate_json(decompress(stored))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            invalid = f"spec.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
            spec = PerformerSpec.model_construct(avs_address="", image="")
        return ResolvedSpec(
            spec=spec,
            invalid=invalid,
            template_hash="" if invalid else template_hash(spec),
            former_hash="" if invalid else former_hash(spec),
            resources=asked_for(spec.resources),
            requirement=requirement(spec, self.catalogue),
            constraints=_constraints(spec),
            move_first=not invalid and self._moves_first(spec),
            replace_unhealthy=not invalid
            and spec.hardware_requirements.on_unhealthy is OnUnhealthy.REPLACE,
        )

    def _moves_first(self, spec: PerformerSpec) -> bool:
        # Recreate says that no two pods may run at once.
        apart = spec.upgrade_strategy.type is UpgradeStrategyType.RECREATE
        policy = spec.disruption.policy or self._disruption_policy
        return policy is DisruptionPolicy.MOVE_FIRST and not apart


def _constraints(spec: PerformerSpec) -> str:
    scheduling = spec.scheduling
    return json.dumps(
        [
            spec.hardware_requirements.model_dump(mode="json"),
            spec.resources,
            scheduling.node_selector,
            scheduling.tolerations,
            scheduling.affinity,
            spec.config.resource_claims,
        ],
        sort_keys=True,
    )
