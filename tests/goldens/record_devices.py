"""Record what a real kubelet makes of pods whose devices fall ill: tests/goldens/devices.

    PYTHONPATH=tests:e2e .venv/bin/python -m goldens.record_devices [SITUATION…]

starts a cluster with a node on this machine (Linux, root, gcc, Go; see e2e/README.md), of
Kubernetes 1.34 or with KUBERNETES=1.37 of that, and plays the situations one after the other,
each with a device plugin or a DRA driver of its own (e2e/native/devices). For every situation:
the distinct states of the pod's status, of the ResourceClaims in its namespace and of the driver's
ResourceSlices, and the events of the pod. On 1.34 the feature gate ResourceHealthStatus is on, as
in the end-to-end tests.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client, config
from ruamel.yaml import YAML

from goldens import newer, record_kubelet
from hourglass_kube.types import JSON

HERE = Path(__file__).parent / "devices"
GOLDEN = HERE / "devices.golden.json"
PLUGINS = "/var/lib/kubelet/device-plugins"
GPU, DRIVER = "nvidia.com/gpu", "gpu.example.com"
DEVICE_CLASS: JSON = {
    "apiVersion": "resource.k8s.io/v1",
    "kind": "DeviceClass",
    "metadata": {"name": DRIVER},
    "spec": {"selectors": [{"cel": {"expression": f'device.driver == "{DRIVER}"'}}]},
}
SETTLING_SECONDS = 3


def situations(kubernetes: str) -> dict[str, JSON]:
    """The situations that a version knows, by id."""
    found: dict[str, JSON] = YAML(typ="safe").load((HERE / "situations.yaml").read_text())
    return {n: s for n, s in found.items() if s.get("since", kubernetes) == kubernetes}


def comparable(value: Any) -> Any:
    """Without what differs from run to run: random names, uids, and the order of maps in Go."""
    if isinstance(value, dict):
        found = {comparable(k): comparable(v) for k, v in value.items() if k != "uid"}
        if "allocatedResourcesStatus" in found:
            found["allocatedResourcesStatus"] = sorted(
                found["allocatedResourcesStatus"], key=lambda one: one["name"]
            )
        if "resources" in found and isinstance(found["resources"], list):
            found["resources"] = sorted(found["resources"], key=lambda one: one["resourceID"])
        return found
    if isinstance(value, list):
        return [comparable(one) for one in value]
    if isinstance(value, str):
        value = value.replace(record_kubelet.REAL_NODE, record_kubelet.NODE)
        value = re.sub(r"\bperformer-([a-z-]+)-[a-z0-9]{5}\b", r"performer-\1-{random}", value)
        return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "{uid}", value)
    return value


def distinct(states: list[JSON]) -> list[JSON]:
    """Without repetitions one after the other, whenever they were."""
    found: list[JSON] = []
    for state in states:
        cut = comparable({k: v for k, v in state.items() if k != "seconds"})
        if not found or found[-1] != cut:
            found.append(cut)
    return found


class Machine:
    """The device plugin and the DRA driver of a situation, as processes of this machine."""

    def __init__(self, folder: Path, kubelet: Path, kubeconfig: Path, programs: JSON) -> None:
        self._files = {"plugin": folder / "plugin", "driver": folder / "driver"}
        self._commands = {
            "plugin": [programs["device-plugin"], PLUGINS, GPU, self._files["plugin"]],
            "driver": [
                programs["dra-driver"],
                kubelet,
                DRIVER,
                record_kubelet.REAL_NODE,
                self._files["driver"],
            ],
        }
        self._environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._said: JSON = {}

    def begin(self, situation: JSON) -> None:
        """Start what the situation has."""
        self._said = {"plugin": dict(situation.get("plugin") or {}), "driver": {}}
        self._said["driver"] |= situation.get("driver") or {}
        for kind in ("plugin", "driver"):
            if kind in situation:
                self._write()
                self.start(kind)
        time.sleep(SETTLING_SECONDS)

    def start(self, kind: str) -> None:
        """Start the plugin or the driver."""
        self._running[kind] = subprocess.Popen(self._commands[kind], env=self._environment)

    def stop(self, kind: str) -> None:
        """End it."""
        if process := self._running.pop(kind, None):
            process.terminate()
            process.wait()

    def end(self) -> None:
        """End all."""
        for kind in list(self._running):
            self.stop(kind)

    def change(self, kind: str, change: JSON, *, instead: bool = False) -> None:
        """Say something else in a file."""
        self._said[kind] = {**({} if instead else self._said[kind]), **change}
        self._write()

    def _write(self) -> None:
        lines = [f"{device} {health}\n" for device, health in self._said["plugin"].items()]
        self._files["plugin"].write_text("".join(lines))
        new = self._files["driver"].with_suffix(".new")
        new.write_text(json.dumps(self._said["driver"]))
        new.rename(self._files["driver"])


class Recorder(record_kubelet.Recorder):
    """As for any pod, with steps that change devices."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine
        self._resource = client.ResourceV1Api()
        self._nodes = client.CoreV1Api()

    def record(self, number: int, situation: JSON) -> JSON:
        """The states and events of one situation, one after the other."""
        self._machine.begin(situation)
        given = [{"at": -2, "object": one} for one in situation.get("objects") or ()]
        steps = [*given, *(situation.get("steps") or ())]
        seen: JSON = {"claims": [], "slices": []}
        namespace = f"golden-{number}"
        with (
            _watching(self._slices, seen["slices"]),
            _watching(lambda: self._claims(namespace), seen["claims"]),
        ):
            found = super().record(number, {**situation, "steps": steps})
        self._end()
        self._resource.delete_collection_resource_slice()
        states = {"states": distinct(found["states"])}
        return {
            **states,
            "events": comparable(found["events"]),
            **{k: v for k, v in seen.items() if v},
        }

    def _end(self) -> None:
        """Pods end before the driver does that is to take their claims back."""
        while self._nodes.list_pod_for_all_namespaces().items:
            time.sleep(0.2)
        self._machine.end()

    def _slices(self) -> JSON | None:
        found = self._plain(self._resource.list_resource_slice())["items"]
        return {"slices": [one["spec"] for one in found]} if found else None

    def _claims(self, namespace: str) -> JSON | None:
        found = self._plain(self._resource.list_namespaced_resource_claim(namespace))["items"]
        for one in found:
            ((one.get("status") or {}).get("allocation") or {}).pop("allocationTimestamp", None)
        return {one["metadata"]["name"]: one.get("status") or {} for one in found} or None

    def _plain(self, value: Any) -> JSON:
        found: JSON = self._raw.sanitize_for_serialization(value)
        return found

    def _step(self, namespace: str, step: JSON) -> None:
        machine = self._machine
        if "devices" in step:
            machine.change("plugin", step["devices"])
        elif "offer" in step:
            machine.change("plugin", step["offer"], instead=True)
        elif isinstance(step.get("driver"), dict):
            machine.change("driver", step["driver"])
        elif "plugin" in step or "driver" in step:
            kind = "plugin" if "plugin" in step else "driver"
            (machine.stop if step[kind] == "gone" else machine.start)(kind)
            if step["at"] < 0:
                # The kubelet takes a second to find out.
                time.sleep(SETTLING_SECONDS)
        elif "object" in step and step["object"]["apiVersion"] == "resource.k8s.io/v1":
            self._create(namespace, step["object"])
        else:
            super()._step(namespace, step)

    def _create(self, namespace: str, body: JSON) -> None:
        if body["kind"] == "DeviceClass":
            self._resource.create_device_class(body)
        elif body["kind"] == "ResourceClaim":
            self._resource.create_namespaced_resource_claim(namespace, body)
        else:
            self._resource.create_namespaced_resource_claim_template(namespace, body)


@contextmanager
def _watching(look: Callable[[], JSON | None], seen: list[JSON]) -> Iterator[None]:
    """Collect what is new every fifth of a second."""
    over = threading.Event()

    def collect() -> None:
        while not over.wait(0.2):
            state = look()
            if state is not None and (not seen or seen[-1] != comparable(state)):
                seen.append(comparable(state))

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> None:
    """Write the golden of each situation asked for, or of all."""
    # Of e2e/, which the tests that import this module do without.
    from clusters.build import programs
    from clusters.image import write_image
    from clusters.native import FOLDER, native
    from clusters.providers import GATES

    def log(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    kubernetes = os.environ.get("KUBERNETES", newer.OLDEST)
    known = situations(kubernetes)
    wanted = {k: v for k, v in known.items() if k in sys.argv[1:]} if sys.argv[1:] else known
    built = programs(("device-plugin", "dra-driver"), log)
    recorded: dict[str, JSON] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(native(log, kubernetes, GATES.get(kubernetes, ())))
        binary, archive = folder / "performer", folder / "performer.tar"
        source = str(record_kubelet.HERE / "performer.c")
        subprocess.run(["gcc", "-static", "-O1", "-o", str(binary), source], check=True)
        image = write_image(
            archive, record_kubelet.IMAGE, {"/performer": binary}, entrypoint=["/performer"]
        )
        cluster.import_image(image)
        config.load_kube_config(str(cluster.kubeconfig))
        client.ResourceV1Api().create_device_class(DEVICE_CLASS)
        machine = Machine(folder, FOLDER / "kubelet", cluster.kubeconfig, built)
        stack.callback(machine.end)
        recorder = Recorder(machine)
        for number, (name, situation) in enumerate(wanted.items()):
            log(name)
            recorded[name] = recorder.record(number, situation)
    before = newer.whole(GOLDEN, kubernetes) if GOLDEN.exists() else {}
    merged = {k: found for k in known if (found := recorded.get(k) or before.get(k))}
    newer.save(GOLDEN, kubernetes, merged, json.dumps(merged, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
