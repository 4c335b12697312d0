"""What of the hardware of a cluster is used, and what it is called."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from rich.cells import cell_len

from builders import CATALOGUE, NodeBuilder, node
from hourglass_kube.types import JSON
from hourglass_operator.plugin.hardware import Offer, listed, offers
from hourglass_simulator.cli import main

A100 = node("n").label("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB")


def pod(on: str, count: int, resource: str = "nvidia.com/gpu", phase: str = "Running") -> JSON:
    amounts = {"limits": {resource: str(count)}, "requests": {resource: str(count)}}
    spec = {"nodeName": on, "containers": [{"name": "c", "image": "i", "resources": amounts}]}
    metadata = {"name": f"p{count}", "namespace": "d"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": {"phase": phase},
    }


def found(of: NodeBuilder, *pods: JSON) -> list[Offer]:
    return offers([of.build()], pods, CATALOGUE)


NAMES = [
    pytest.param(
        A100.offers("nvidia.com/gpu", 8),
        ("nvidia-a100", "nvidia-a100-40gb"),
        id="all names of the catalogue that find it",
    ),
    pytest.param(
        node("n").label("nvidia.com/gpu.product", "NVIDIA-New").offers("nvidia.com/gpu", 8),
        ("NVIDIA-New",),
        id="a product that the catalogue does not have, as its label says",
    ),
    pytest.param(
        A100.offers("nvidia.com/mig-1g.5gb", 7), ("mig-1g.5gb",), id="a slice, as its resource says"
    ),
    pytest.param(node("n").offers("nvidia.com/gpu", 8), ("gpu",), id="a GPU without a label"),
]


@pytest.mark.parametrize(("of", "types"), NAMES)
def test_what_it_is_called(of: NodeBuilder, types: tuple[str, ...]) -> None:
    assert [each.types for each in found(of)] == [types]


USED = [
    pytest.param([], 0, 8, id="nobody uses it"),
    pytest.param([pod("n", 3), pod("n", 2)], 5, 3, id="two pods use it"),
    pytest.param([pod("other", 3)], 0, 8, id="a pod uses that of another node"),
    pytest.param([pod("n", 3, phase="Succeeded")], 0, 8, id="a pod has ended"),
    pytest.param([pod("n", 9)], 9, 0, id="some have turned unhealthy while they were used"),
]


@pytest.mark.parametrize(("pods", "used", "free"), USED)
def test_what_is_used(pods: list[JSON], used: int, free: int) -> None:
    (offer,) = found(A100.offers("nvidia.com/gpu", 8), *pods)
    assert (offer.total, offer.used, offer.free) == (8, used, free)


def test_a_tee_is_there_or_not() -> None:
    sgx = node("n").label("feature.node.kubernetes.io/cpu-security.sgx.enabled", "true").cordoned()
    (offer,) = found(sgx)
    assert (offer.kind, offer.types, offer.state) == ("TEE", ("sgx",), "cordoned")


def test_the_catalogue_has_each_kind_once() -> None:
    names = [name for each in listed(CATALOGUE) for name in each["names"]]
    assert len(names) == len(set(names))


LONG = "ip-10-0-123-45.eu-central-1.compute.internal.of.a.very.long.domain.example.com"


def hardware(folder: Path, *options: str) -> Result:
    long = NodeBuilder(LONG).label("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB")
    built = {"apiVersion": "v1", "kind": "Node", **long.offers("nvidia.com/gpu", 8).build()}
    file = folder / "cluster.yaml"
    file.write_text(yaml.safe_dump({"kind": "List", "items": [built, pod(LONG, 3)]}))
    return CliRunner().invoke(main, ["hardware", "--cluster", str(file), *options])


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_names_are_not_cut_whatever_the_width(
    tmp_path: Path, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    heading, line = hardware(tmp_path).stdout.splitlines()
    assert line.split() == [
        *(LONG, "GPU", "nvidia-a100,", "nvidia-a100-40gb", "nvidia.com/gpu", "8", "3", "5")
    ]
    assert heading.index("KIND") == cell_len(LONG) + 2


def test_programs_get_json(tmp_path: Path) -> None:
    (offer,) = json.loads(hardware(tmp_path, "-o", "json").stdout)
    assert (offer["node"], offer["used"], offer["free"]) == (LONG, 3, 5)
