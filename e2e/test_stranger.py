"""`kubectl get performers` shows a stranger what is wrong, without another command."""

from collections.abc import Iterator

import pytest

from clusters import Cluster, wait_until
from conftest import PERFORMER_IMAGE
from operators import Performers

TROUBLES = [
    (
        "an image that cannot be pulled",
        {"image": "localhost/nobody-has-this:v1"},
        ["Failed", "False", "ImagePullFailed", "localhost/nobody-has-this:v1"],
    ),
    (
        "a GPU that no node has",
        {
            "image": PERFORMER_IMAGE,
            "hardwareRequirements": {"gpuType": "nvidia-h100", "gpuCount": 1},
        },
        ["Pending", "False", "HardwareUnavailable", "has nvidia-h100"],
    ),
    (
        "a crash loop",
        {"image": PERFORMER_IMAGE, "config": {"args": ["--crash-after=100ms", "--exit-code=3"]}},
        ["Failed", "False", "ContainerFailed", "exit code 3", "kubectl logs"],
    ),
]


@pytest.fixture
def other_node(cluster: Cluster) -> Iterator[None]:
    """Of one node alone the message shows less: there are several."""
    (name,) = cluster.add_fake_nodes(1, prefix="other")
    yield
    cluster.kubectl("delete", "node", name)


@pytest.mark.usefixtures("performer_image", "operator", "other_node")
@pytest.mark.parametrize(
    ("spec", "shown"), [trouble[1:] for trouble in TROUBLES], ids=[t[0] for t in TROUBLES]
)
def test_the_line_says_what_is_wrong(
    spec: dict[str, object], shown: list[str], cluster: Cluster, performers: Performers
) -> None:
    wanted = dict(spec)
    there = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}
    where = {} if "hardwareRequirements" in spec else there
    performers.create("worker", str(wanted.pop("image")), where, **wanted)

    def shows() -> bool:
        line = cluster.kubectl("get", "performers", "-n", performers.namespace)
        return all(word in line for word in shown)

    wait_until(f"the line has {shown}", shows, 90)
