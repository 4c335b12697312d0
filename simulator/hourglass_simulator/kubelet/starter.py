"""Starting containers: back-off, image, configuration, creation.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_container.go
"""

from collections.abc import Callable

from hourglass_simulator.kubelet import environment
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.images import Image, Pull, invalid, qualified
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.recorder import NORMAL, WARNING

FAILED_PULL_SECONDS = 0.1
"""Until a registry has said no."""


class Starter:
    """One attempt at all containers of a pod that are to be started, in their order.

    `on_start` is called for each container that runs. `changed` says that the sync which this is
    part of has changed something already.
    """

    def __init__(
        self, pod: NodePod, on_start: Callable[[Container], None], *, changed: bool = False
    ) -> None:
        self._pod = pod
        self._on_start = on_start
        self._runtime = pod.runtime
        self._clock = pod.runtime.clock
        self._epoch = pod.epoch
        self._changed = changed
        self._failed = False
        self._queue = [c for c in pod.containers if c.to_start(pod.restart_policy)]
        self._done: Callable[[bool, bool], None] = lambda *_: None

    def start(self, done: Callable[[bool, bool], None]) -> None:
        """Begin; `done(changed, failed)` is called when the last one has started or failed."""
        self._done = done
        self._next()

    def _next(self) -> None:
        if not self._queue:
            self._done(self._changed, self._failed)
            return
        container = self._queue.pop(0)
        if not self._waits(container):
            self._image(container)

    def _waits(self, container: Container) -> bool:
        """A container that ended waits for its back-off."""
        if container.terminated is None:
            return False
        now, backoff = self._clock.now, container.backoff
        if not backoff.waiting(container.finished, now):
            backoff.next(container.finished, now)
            return False
        meta = self._pod.object["metadata"]
        pod = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        text = f"Back-off restarting failed container {container.name} in pod {pod}"
        self._event(container, WARNING, "BackOff", text)
        delay = _duration(backoff.seconds)
        why = f"back-off {delay} restarting failed container={container.name} pod={pod}"
        self._fail(container, "CrashLoopBackOff", why)
        return True

    # Image

    def _image(self, container: Container) -> None:
        reference: str = container.spec["image"]
        if why := invalid(reference):
            self._event(container, WARNING, "InspectFailed", why)
            self._fail_image(container, "InvalidImageName", why)
            return
        policy = container.spec.get("imagePullPolicy", "IfNotPresent")
        present = qualified(reference) in self._pod.agent.images
        if policy == "Never" and not present:
            why = f'Container image "{reference}" is not present with pull policy of Never'
            self._event(container, WARNING, "ErrImageNeverPull", why)
            self._fail_image(container, "ErrImageNeverPull", why)
        elif policy != "Always" and present:
            text = f'Container image "{reference}" already present on machine'
            self._event(container, NORMAL, "Pulled", text)
            self._create(container, self._runtime.images.image(reference))
        elif container.pull_backoff.waiting_since_update(self._clock.now):
            why = f'Back-off pulling image "{reference}"'
            self._event(container, NORMAL, "BackOff", why)
            message = f"{why}: ErrImagePull: {container.pull_error}"
            self._fail_image(container, "ImagePullBackOff", message)
        else:
            self._pull(container)

    def _pull(self, container: Container) -> None:
        reference: str = container.spec["image"]
        image = self._runtime.images.image(reference)
        self._event(container, NORMAL, "Pulling", f'Pulling image "{reference}"')
        succeeds = image.pull is Pull.SUCCEEDS
        seconds = image.pull_seconds if succeeds else FAILED_PULL_SECONDS
        self._clock.after(seconds, lambda: self._pulled(container, image, seconds))

    def _pulled(self, container: Container, image: Image, seconds: float) -> None:
        if not self._wanted():
            return
        reference = container.spec["image"]
        if image.pull is not Pull.SUCCEEDS:
            why = image.failure()
            text = f'Failed to pull image "{reference}": {why}'
            self._event(container, WARNING, "Failed", text)
            container.pull_backoff.next(self._clock.now, self._clock.now)
            container.pull_error = why
            self._fail_image(container, "ErrImagePull", why)
            return
        if self._runtime.images.kept:
            self._pod.agent.images.add(image.reference)
        took = _duration(seconds)
        text = (
            f'Successfully pulled image "{reference}" in {took} ({took} including waiting).'
            f" Image size: {image.size} bytes."
        )
        self._event(container, NORMAL, "Pulled", text)
        self._create(container, image)

    # Container

    def _create(self, container: Container, image: Image) -> None:
        namespace = self._pod.object["metadata"]["namespace"]
        if why := environment.missing(self._runtime.api, namespace, container.spec):
            self._event(container, WARNING, "Failed", f"Error: {why}")
            self._fail(container, "CreateContainerConfigError", why)
            return
        name = self._pod.object["metadata"]["name"]
        workload = self._runtime.workload(namespace, name, container.spec["image"])
        if workload.start_seconds:
            self._clock.after(workload.start_seconds, lambda: self._run(container, image))
        else:
            self._run(container, image)

    def _run(self, container: Container, image: Image) -> None:
        if not self._wanted():
            return
        meta = self._pod.object["metadata"]
        reference = container.spec["image"]
        workload = self._runtime.workload(meta["namespace"], meta["name"], reference)
        container.create(self._pod.uid)
        container.image_reference, container.image_id = image.reference, image.identifier
        container.workload = workload
        self._changed = True
        self._event(container, NORMAL, "Created", f"Created container: {container.name}")
        now, timestamp = self._clock.now, self._clock.timestamp()
        if workload.executable:
            container.run(now, timestamp)
            self._event(container, NORMAL, "Started", f"Started container {container.name}")
            self._on_start(container)
            self._next()
            return
        why = _cannot_execute(container)
        container.end(now, timestamp, 128, "StartError", why)
        self._event(container, WARNING, "Failed", f"Error: {why}")
        self._fail(container, "RunContainerError", why)

    def _wanted(self) -> bool:
        return self._pod.startable and self._pod.epoch == self._epoch

    def _fail_image(self, container: Container, reason: str, message: str) -> None:
        self._event(container, WARNING, "Failed", f"Error: {reason}")
        self._fail(container, reason, message)

    def _fail(self, container: Container, reason: str, message: str) -> None:
        container.reason = (reason, message)
        self._failed = True
        self._next()

    def _event(self, container: Container, kind: str, reason: str, message: str) -> None:
        self._pod.event(kind, reason, message, container.field_path)


def _cannot_execute(container: Container) -> str:
    command = (container.spec.get("command") or container.spec.get("args") or ["/performer"])[0]
    why = (
        f"stat {command}: no such file or directory"
        if "/" in command
        else "executable file not found in $PATH"
    )
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed:"
        f" runc create failed: unable to start container process: exec: {_quoted(command)}:"
        f" {why}: unknown"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _duration(seconds: float) -> str:
    """A Go duration, in milliseconds below a second."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    shown = f"{rest:.3f}".rstrip("0").rstrip(".")
    return f"{int(minutes)}m{shown}s" if minutes else f"{shown}s"
