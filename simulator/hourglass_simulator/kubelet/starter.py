"""Starting containers: back-off, image, configuration, creation.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_container.go
"""

from collections.abc import Callable, Collection
from functools import partial

from hourglass_simulator.kubelet import environment, hooks, killing, security
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.images import Image, Pull, invalid, qualified
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.kubelet.workload import Workload
from hourglass_simulator.recorder import NORMAL, WARNING

FAILED_PULL_SECONDS = 0.1
"""Until a registry has said no."""

Done = Callable[[bool, bool, float | None], None]
"""Whether anything has changed, whether anything has failed, and when the first back-off of a
container that has ended will be over, if one waits for that.
"""


class Starter:
    """One attempt at all containers of a pod that are to be started, in their order.

    `on_run` is called for each container that runs, and `on_start` after its hook. `changed` says
    that the sync which this is part of has changed something already, `killed` which containers it
    has ended.
    """

    def __init__(
        self,
        pod: NodePod,
        on_run: Callable[[Container], None],
        on_start: Callable[[Container], None],
        *,
        changed: bool = False,
        killed: Collection[Container] = (),
    ) -> None:
        self._pod = pod
        self._on_run = on_run
        self._on_start = on_start
        self._killed = killed
        self._runtime = pod.runtime
        self._texts = pod.runtime.api.version.texts
        self._clock = pod.runtime.clock
        self._epoch = pod.epoch
        self._changed = changed
        self._failed = False
        self._waits_until: float | None = None
        self._queue = pod.to_start()
        self._done: Done = lambda *_: None

    def start(self, done: Done) -> None:
        """Begin; `done` is called when the last one has started or failed."""
        self._done = done
        self._next()

    def _next(self) -> None:
        if not self._queue:
            self._done(self._changed, self._failed, self._waits_until)
            return
        container = self._queue.pop(0)
        if not self._waits(container):
            self._image(container)

    def _waits(self, container: Container) -> bool:
        """A container that ended waits for its back-off."""
        # One that this sync has ended is not known to be dead yet: the one before it counts.
        finished: float | None = container.finished
        if container in self._killed:
            finished = container.last_finished
        if container.terminated is None or finished is None:
            return False
        now, backoff = self._clock.now, container.backoff
        if not backoff.waiting(finished, now):
            backoff.next(finished, now)
            return False
        until = finished + backoff.seconds
        if self._waits_until is None or until < self._waits_until:
            self._waits_until = until
        pod = self._pod.described
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
        build = self._pod.agent.images.get(qualified(reference))
        if policy == "Never" and build is None:
            why = f'Container image "{reference}" is not present with pull policy of Never'
            self._event(container, WARNING, "ErrImageNeverPull", why)
            self._fail_image(container, "ErrImageNeverPull", why)
        elif policy != "Always" and build is not None:
            text = self._texts.image_present.format(image=reference)
            self._event(container, NORMAL, "Pulled", text)
            self._create(container, self._runtime.images.image(reference, build))
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
            self._pod.agent.images[image.reference] = image.build
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
        container.build = image.build
        workload = self._workload(container)
        spec = self._pod.object["spec"]
        why = self._target_missing(container)
        why = why or environment.missing(self._runtime.api, namespace, container.spec)
        why = why or security.refusal(spec, container.spec, workload.user, self._pod.described)
        if why:
            self._event(container, WARNING, "Failed", f"Error: {why}")
            self._fail(container, "CreateContainerConfigError", why)
            return
        if why := security.missing_profile(spec, container.spec, self._pod.agent.paths):
            self._event(container, WARNING, "Failed", f"Error: {why}")
            self._fail(container, "CreateContainerError", why)
            return
        if workload.start_seconds:
            self._clock.after(workload.start_seconds, lambda: self._run(container, image))
        else:
            self._run(container, image)

    def _run(self, container: Container, image: Image) -> None:
        if not self._wanted():
            return
        workload = self._workload(container)
        container.create(self._pod.uid, self._pod.sandboxes)
        container.image_reference, container.image_id = image.reference, image.identifier
        container.workload = workload
        self._changed = True
        self._event(
            container, NORMAL, "Created", self._texts.created_container.format(name=container.name)
        )
        now, timestamp = self._clock.now, self._pod.timestamp()
        if workload.executable and workload.permitted:
            container.run(now, timestamp)
            self._event(
                container,
                NORMAL,
                "Started",
                self._texts.started_container.format(name=container.name),
            )
            self._on_run(container)
            self._post_start(container)
            return
        why = _cannot_execute(container)
        container.end(now, timestamp, 128, "StartError", why)
        self._event(container, WARNING, "Failed", f"Error: {why}")
        self._fail(container, "RunContainerError", why)

    def _post_start(self, container: Container) -> None:
        """Run the hook, if there is one; until it is done the container is not looked at."""
        handled, hook = hooks.handler(container.spec, "postStart"), container.workload.post_start
        if handled is None:
            self._started(container)
            return
        pod = self._pod
        why = hooks.failure(handled, hook, container, pod.described, pod.ip)
        if why:
            action = partial(self._post_start_failed, container, why)
        else:
            action = partial(self._started, container)
        if seconds := hooks.seconds(handled, hook):
            self._clock.after(seconds, action)
        else:
            action()

    def _started(self, container: Container) -> None:
        if not self._wanted():
            return
        self._on_start(container)
        self._next()

    def _post_start_failed(self, container: Container, why: str) -> None:
        if not self._wanted():
            return
        self._event(container, WARNING, "FailedPostStartHook", "PostStartHook failed")
        self._event(container, NORMAL, "Killing", "FailedPostStartHook")
        started = container.started

        def end(code: int) -> None:
            if container.started == started is not None:
                reason = "Error" if code else "Completed"
                container.end(self._clock.now, self._pod.timestamp(), code, reason)
            if self._wanted():
                self._fail(container, "PostStartHookError", why)

        killing.stop(self._pod, container, killing.grace_of(self._pod), end)

    def _target_missing(self, container: Container) -> str | None:
        """An ephemeral container aims at one that has never run."""
        target = container.spec.get("targetContainerName") if container.ephemeral else None
        if not target or any(c.exists for c in self._pod.all_containers if c.name == target):
            return None
        return f"unable to find target container {target}"

    def _workload(self, container: Container) -> Workload:
        return self._runtime.workload(self._pod.object, container)

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
    if not container.workload.permitted:
        why = "permission denied"
    elif "/" in command:
        why = f"stat {command}: no such file or directory"
    else:
        why = "executable file not found in $PATH"
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
