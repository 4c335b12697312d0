"""KWOK as the kubelets of a scenario's nodes, with Stages for the images of the scenario."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from clusters import Components
from hourglass_simulator.scenario.cluster import Image
from scenarios.objects import ANNOTATION
from scenarios.stages import stages


class Kwok:
    """Starts and stops the KWOK process; its files are in a folder."""

    def __init__(self, program: Path, kubeconfig: Path, folder: Path) -> None:
        self._program = program
        self._kubeconfig = kubeconfig
        self._config = folder / "stages.yaml"
        self._processes = Components(folder)

    def start(self, images: Mapping[str, Image]) -> None:
        """Let pods on the scenario's nodes behave as their images say."""
        self._config.write_text(yaml.safe_dump_all(stages(images)))
        self._processes.run(
            "kwok",
            [
                str(self._program),
                f"--config={self._config}",
                f"--kubeconfig={self._kubeconfig}",
                f"--manage-nodes-with-annotation-selector={ANNOTATION}=scenario",
                "--node-lease-duration-seconds=40",
            ],
        )

    def stop(self) -> None:
        """End the process."""
        self._processes.stop("kwok")
