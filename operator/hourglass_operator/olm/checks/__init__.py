"""What a bundle must be, rule by rule; each rule yields what breaks it.

The rules are those of `operator-sdk bundle validate --select-optional suite=operatorframework`
(https://github.com/operator-framework/api/tree/master/pkg/validation) and of `opm validate`
(https://github.com/operator-framework/operator-registry/tree/master/alpha/declcfg).
"""

from collections.abc import Callable, Iterable

from hourglass_operator.olm.checks.catalog import catalog
from hourglass_operator.olm.checks.definitions import definitions, descriptors, examples, owned
from hourglass_operator.olm.checks.images import digests, images
from hourglass_operator.olm.checks.installation import install, install_modes, permissions
from hourglass_operator.olm.checks.model import Bundle, Mistake, Mistakes
from hourglass_operator.olm.checks.objects import objects
from hourglass_operator.olm.checks.packaging import metadata, scorecard
from hourglass_operator.olm.checks.presentation import (
    annotations,
    icon,
    identity,
    kubernetes,
    people,
    platforms,
    texts,
)

Rule = Callable[[Bundle], Mistakes]

RULES: tuple[Rule, ...] = (
    *(identity, texts, people, icon, annotations, kubernetes, platforms),
    *(owned, definitions, descriptors, examples),
    *(install_modes, install, permissions, objects, images),
    *(metadata, scorecard, catalog),
)


PUBLISHED = (*RULES, digests)
"""The rules for what is handed out: the bundle of the repository knows no digests."""


def check(bundle: Bundle, rules: Iterable[Rule] = RULES) -> list[Mistake]:
    """All that is wrong, in the order of the rules."""
    return [mistake for rule in rules for mistake in rule(bundle)]


__all__ = ["PUBLISHED", "RULES", "Bundle", "Mistake", "Rule", "check"]
