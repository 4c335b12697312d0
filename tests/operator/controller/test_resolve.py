"""What follows from a spec alone."""

import pytest

from builders import CATALOGUE, PerformerBuilder, performer
from hourglass_operator.controller.compression import compress, to_json
from hourglass_operator.controller.resolve import ResolvedSpec, SpecResolver
from hourglass_operator.hardware.requirement import requirement
from situations import GPU, V1


def resolved(of: PerformerBuilder) -> ResolvedSpec:
    return SpecResolver(CATALOGUE).resolve(to_json(of.spec))


def test_a_spec_is_resolved_whether_it_was_compressed_or_not() -> None:
    found = resolved(GPU)
    assert (found.spec, found.template_hash) == (GPU.typed, GPU.hash)
    assert found.requirement == requirement(GPU.typed, CATALOGUE)
    assert SpecResolver(CATALOGUE).resolve(compress(to_json(GPU.spec))) == found


def test_a_spec_that_an_older_definition_let_in_is_empty_and_says_what_is_wrong() -> None:
    found = resolved(V1.config(grpcPort=70000))
    assert (found.spec.image, found.template_hash, found.requirement) == ("", "", None)
    assert found.invalid.startswith("spec.config.grpcPort: ")


CONSTRAINTS = [
    ("the environment", GPU.config(env=[{"name": "A", "value": "b"}]), True),
    ("the image", GPU.image("avs/performer:v2"), True),
    ("the hardware", performer("ml").gpu("nvidia-l4", 2), False),
    ("the resources", GPU.resources(requests={"cpu": "1"}), False),
    ("the nodeSelector", GPU.scheduling(nodeSelector={"zone": "a"}), False),
    ("the tolerations", GPU.scheduling(tolerations=[{"operator": "Exists"}]), False),
    ("the affinity", GPU.scheduling(affinity={"nodeAffinity": {}}), False),
]


@pytest.mark.parametrize(
    ("other", "same"), [c[1:] for c in CONSTRAINTS], ids=[c[0] for c in CONSTRAINTS]
)
def test_whether_pods_fit_the_same_nodes_in_spite_of(other: PerformerBuilder, same: bool) -> None:
    assert (resolved(GPU).constraints == resolved(other).constraints) is same
