"""What a bundle must be, rule by rule; each rule yields what breaks it.

The rules are those of `operator-sdk bundle validate --select-optional suite=operatorframework`
(https://github.com/operator-framework/api/tree/master/pkg/validation) and of `opm validate`
(https://github.com/operator-framework/operator-registry/tree/master/alpha/declcfg).
"""

from collections.abc import Callable

from hourglass_operator.olm.checks.catalog import catalog
from hourglass_operator.olm.checks.definitions import definitions, descriptors, examples, owned
from hourglass_operator.olm.checks.installation import install, install_modes, permissions
from hourglass_operator.olm.checks.model import Bundle, Mistake, Mistakes
from hourglass_operator.olm.checks.packaging import metadata, scorecard
from hourglass_operator.olm.checks.presentation import (
    annotations,
    icon,
    identity,
    kubernetes,
    people,
    texts,
)

RULES: tuple[Callable[[Bundle], Mistakes], ...] = (
    *(identity, texts, people, icon, annotations, kubernetes),
    *(owned, definitions, descriptors, examples),
    *(install_modes, install, permissions),
    *(metadata, scorecard, catalog),
)


def check(bundle: Bundle) -> list[Mistake]:
    """All that is wrong, in the order of the rules."""
    return [mistake for rule in RULES for mistake in rule(bundle)]


__all__ = ["RULES", "Bundle", "Mistake", "check"]
