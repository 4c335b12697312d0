"""What a pass derives, and how often."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from builders import PerformerBuilder, PodBuilder, pod_of
from hourglass_operator.controller import observation, observe, resolve
from scene import scene
from situations import GPU, GPU_NODE, NOW, OLD, V1, V2

SHORT = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
GPU_SERVING = pod_of(GPU).on("gpu-1").ready()
GPU_V2 = GPU.image("avs/performer:v2").with_status(servingTemplateHash=GPU.hash)

PASSES = [
    ("a steady one", V1, [OLD], [OLD], 0),
    ("the first one", V1, [], [], 1),
    ("one while the pod starts", V1, [pod_of(V1).on("node-1")], [], 0),
    ("one that explains why no node fits", GPU, [pod_of(GPU).unschedulable(SHORT)], [], 1),
    (
        "one that judges whether the old pod must go first",
        GPU_V2,
        [GPU_SERVING, pod_of(GPU_V2).unschedulable(SHORT)],
        [GPU_SERVING],
        1,
    ),
    ("one that repairs an upgrade", V2, [OLD.without_label("app"), pod_of(V2)], [OLD], 0),
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often what is costly has been derived."""
    counted: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        derive: Callable[..., Any] = getattr(module, name)

        def counting(*args: Any) -> Any:
            counted[name] += 1
            return derive(*args)

        monkeypatch.setattr(module, name, counting)

    count(observation, "build_pod_spec")
    count(observe, "build_pod_spec")
    count(resolve, "requirement")
    count(resolve, "template_hash")
    return counted


@pytest.mark.parametrize(
    ("of", "pods", "serving", "pod_specs"), [p[1:] for p in PASSES], ids=[p[0] for p in PASSES]
)
def test_nothing_is_derived_twice_in_a_pass(
    calls: Counter[str],
    of: PerformerBuilder,
    pods: list[PodBuilder],
    serving: list[PodBuilder],
    pod_specs: int,
) -> None:
    staged = scene(of, *pods, serving=serving, nodes=[GPU_NODE])
    staged.plan(NOW)
    assert (calls["build_pod_spec"], calls["requirement"], calls["template_hash"]) == (
        pod_specs,
        1,
        1,
    )


def test_what_follows_from_the_spec_alone_is_derived_once_for_all_passes(
    calls: Counter[str],
) -> None:
    staged = scene(GPU, pod_of(GPU).unschedulable(SHORT), nodes=[GPU_NODE])
    for now in range(3):
        staged.plan(NOW + now)
    assert calls == {"build_pod_spec": 1, "requirement": 1, "template_hash": 1}
    staged.sees("performers", GPU.image("avs/performer:v3").build())
    staged.plan(NOW + 3)
    assert calls["requirement"] == 2


def test_the_upgraded_template_is_that_of_the_pod_that_serves_not_of_the_status() -> None:
    staged = scene(V2.with_status(servingTemplateHash="anothertmp"), OLD, serving=[OLD])
    assert staged.plan(NOW).writes[-1].body["status"]["servingTemplateHash"] == V1.hash
    assert "delete" not in {write.verb for write in staged.plan(NOW).writes}
