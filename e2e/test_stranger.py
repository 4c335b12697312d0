"""`kubectl get performers` tells a stranger what is wrong, without another command."""

from pathlib import Path

import pytest

from clusters import Cluster, wait_until
from images import performer_image
from operators import Performers

IMAGE = "localhost/performer:v1"

TROUBLES = [
    (
        "an image that cannot be pulled",
        {"image": "localhost/nobody-has-this:v1"},
        ["Failed", "False", "ImagePullFailed", "localhost/nobody-has-this:v1"],
    ),
    (
        "a GPU that no node has",
        {"image": IMAGE, "hardwareRequirements": {"gpuType": "nvidia-h100", "gpuCount": 1}},
        ["Pending", "False", "HardwareUnavailable", "needs 1 × nvidia-h100: "],
    ),
    (
        "a crash loop",
        {"image": IMAGE, "config": {"args": ["--crash-after=100ms", "--exit-code=3"]}},
        ["Failed", "False", "ContainerFailed", "exit code 3", "kubectl logs"],
    ),
]


@pytest.fixture(scope="module")
def image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("image")
    cluster.import_image(performer_image(folder / "performer.tar", IMAGE, print))


@pytest.mark.usefixtures("image", "operator")
@pytest.mark.parametrize(
    ("spec", "told"), [trouble[1:] for trouble in TROUBLES], ids=[t[0] for t in TROUBLES]
)
def test_the_line_says_what_is_wrong(
    spec: dict[str, object], told: list[str], cluster: Cluster, performers: Performers
) -> None:
    wanted = dict(spec)
    there = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}
    where = {} if "hardwareRequirements" in spec else there
    performers.create("worker", str(wanted.pop("image")), where, **wanted)

    def says() -> bool:
        line = cluster.kubectl("get", "performers", "-n", performers.namespace)
        return all(word in line for word in told)

    wait_until(f"the line has {told}", says, 90)
