"""How containers behave, as scenario files and pods' annotations say it."""

# ruff: noqa: RUF012 - pydantic copies mutable defaults

from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, ValidationError

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.workload import Answers, Hook, Workload
from hourglass_simulator.scenario import document
from hourglass_simulator.scenario.strict import Bool, Count, Duration, Quantity, Strict

ANNOTATION = "simulator.hourglass.eigenlayer.io/behaviour"
"""What a pod says of its containers, in YAML: the keys of a behaviour, `containers` by name."""

ExitCode = Annotated[Count, Field(le=255)]


class ProbeAnswers(Strict):
    """How probes of one kind are answered; durations count from the start of the container."""

    succeeds_after: Duration | None = None
    fails_after: Duration | None = None
    fails: Bool = False
    """It never succeeds."""
    status: Annotated[Count | None, Field(ge=400, le=599)] = None
    """What HTTP answers if it fails; over gRPC the service is not serving."""
    output: str = ""
    """What the command prints if it fails."""
    command_missing: Bool = False
    """The image has no such command."""
    hangs: Bool = False
    """If it fails there is no answer in time."""

    @property
    def answers(self) -> Answers:
        """The same for a kubelet."""
        after = 0.0 if self.succeeds_after is None else self.succeeds_after
        return Answers(
            after=None if self.fails else after,
            until=self.fails_after,
            status=self.status or 0,
            output=self.output,
            missing=self.command_missing,
            hangs=self.hangs,
        )


class Probes(Strict):
    """Where a kind is left out, readiness counts for it: `readyAfter` and so on."""

    startup: ProbeAnswers | None = None
    readiness: ProbeAnswers | None = None
    liveness: ProbeAnswers | None = None


class HookBehaviour(Strict):
    """How a lifecycle hook goes; a sleep takes its own time beside."""

    takes: Duration | None = None
    fails: Bool = False
    exit_code: ExitCode = 1
    output: str = ""
    command_missing: Bool = False

    @property
    def hook(self) -> Hook:
        """The same for a kubelet."""
        return Hook(
            self.takes or 0.0, self.fails, self.exit_code, self.command_missing, self.output
        )


class Behaviour(Strict):
    """How a container behaves; by default it is ready within seconds and runs on.

    Durations count from the start of the container, unless they say otherwise.
    """

    start: Duration | None = None
    """What the runtime needs to start the container, beyond the usual."""
    command_missing: Bool = False
    """The image has no such command: the container cannot be started."""
    command_not_permitted: Bool = False
    """The command may not be executed: the container cannot be started."""
    user: str = ""
    """The user of the image, a number or a name; one that is not root unless given."""
    ready_after: Duration | None = None
    """When probes begin to succeed."""
    ready_until: Duration | None = None
    """When they fail again, for good."""
    never_ready: Bool = False
    probes: Probes = Probes()
    """Probes that are answered otherwise, by kind."""
    exits_after: Duration | None = None
    """When the container ends by itself, each time that it is started."""
    exit_code: Count = 1
    out_of_memory: Bool = False
    """It is the kernel that ends it: OOMKilled, exit code 137."""
    memory: Quantity | None = None
    """What it uses: more than its limit ends it at once, for lack of memory."""
    stops_after: Duration | None = None
    """From SIGTERM to its end."""
    exit_code_on_termination: ExitCode = 0
    """With which code it ends then."""
    ignores_termination: Bool = False
    """It ends by SIGKILL only, when the grace period is over."""
    log: str = ""
    """What it prints."""
    termination_message: str = ""
    """What it writes to its terminationMessagePath at its end."""
    post_start: HookBehaviour = HookBehaviour()
    pre_stop: HookBehaviour = HookBehaviour()

    @property
    def workload(self) -> Workload:
        """The same for a kubelet."""
        kinds: dict[str, Any] = {
            kind: found.answers
            for kind in ("startup", "readiness", "liveness")
            if (found := getattr(self.probes, kind)) is not None
        }
        ready_after = 0.0 if self.ready_after is None else self.ready_after
        stop_after = 0.0 if self.stops_after is None else self.stops_after
        return Workload(
            start_seconds=self.start or 0.0,
            ready_after=None if self.never_ready else ready_after,
            ready_until=self.ready_until,
            exit_after=self.exits_after,
            exit_code=self.exit_code,
            out_of_memory=self.out_of_memory,
            stop_after=None if self.ignores_termination else stop_after,
            stop_code=self.exit_code_on_termination,
            executable=not self.command_missing,
            permitted=not self.command_not_permitted,
            log=self.log,
            termination_message=self.termination_message,
            memory=0 if self.memory is None else quantity.whole(self.memory),
            user=self.user,
            post_start=self.post_start.hook,
            pre_stop=self.pre_stop.hook,
            **kinds,
        )


class PodBehaviour(Behaviour):
    """How the containers of a pod behave: all alike, or by name."""

    containers: dict[str, Behaviour] = {}
    """What is said of one container replaces what is said of all."""

    def of(self, container: str) -> Behaviour:
        """How one of the containers behaves."""
        return self.containers.get(container, self)


def annotated(pod: JSON, container: str) -> Workload | None:
    """How a pod says that its container behaves; None if it does not.

    Raises ValueError, with every mistake in a sentence, if the annotation cannot be read.
    """
    text = (pod["metadata"].get("annotations") or {}).get(ANNOTATION)
    return None if text is None else parse(text).of(container).workload


@lru_cache(maxsize=1024)
def parse(text: str) -> PodBehaviour:
    """The value of the annotation; raises ValueError with every mistake in a sentence."""
    try:
        values = [each.value for each in document.parse(text, f"the annotation {ANNOTATION}")]
        if len(values) > 1:
            raise ValueError(f"the annotation {ANNOTATION}: expected one document")
        return PodBehaviour.model_validate(values[0] if values and values[0] else {})
    except document.UnreadableError as error:
        raise ValueError("; ".join(map(str, error.problems))) from None
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in one['loc']) or 'it'}: {one['msg']}"
            for one in error.errors()
        ]
        raise ValueError(f"the annotation {ANNOTATION}: {'; '.join(found)}") from None
