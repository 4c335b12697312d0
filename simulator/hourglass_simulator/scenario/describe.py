"""Scenarios in words: what `hourglass-sim explain` prints and timelines show."""

from collections.abc import Iterable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.behaviour import Behaviour, ProbeAnswers
from hourglass_simulator.scenario.cluster import Cluster, Image, NodeGroup, NodePool
from hourglass_simulator.scenario.duration import text
from hourglass_simulator.scenario.expectation import (
    Expectation,
    ObjectsAre,
    PerformerIs,
    Settles,
    WritesAre,
)
from hourglass_simulator.scenario.manifest import ManifestSource
from hourglass_simulator.scenario.model import Scenario
from hourglass_simulator.scenario.step import Step

_SECRET = ("data", "environment", "stringData")


def explain(scenario: Scenario) -> str:
    """The whole scenario, as plain text in lines of any length."""
    lines = [scenario.title, "", scenario.shows, "", "The cluster"]
    lines += [f"  - {line}" for line in _cluster(scenario.cluster)]
    lines += ["", "What happens"]
    if scenario.manifests:
        lines.append(f"  At the start: {_manifests('apply', scenario.manifests)}.")
    for index, found in enumerate(scenario.steps):
        lines += _step_lines(index, found)
    lines += ["", "How it ends", *(f"  {line}" for line in _ending(scenario.settles))]
    where = (
        "It runs on a real cluster too: every step is a plain API operation."
        if scenario.portable
        else "It runs on the simulator only: it injects faults."
    )
    return "\n".join([*lines, "", where])


def step(found: Step) -> str:
    """What a step does, in one line without its time."""
    expected = found.expect or found.eventually or found.always or found.never
    if expected is not None:
        return f"{_check(found)}: {'; '.join(expectation(expected))}"
    doing = "; ".join(_doing(found))
    return f'{doing}, which is refused with "{found.refused}"' if found.refused else doing


def settles(found: Settles) -> str:
    """How a scenario ends, in one line."""
    return " ".join(_ending(found)).rstrip(".")


def expectation(expected: Expectation) -> list[str]:
    """Everything that is expected, each in words."""
    lines = [
        f"{name} {', '.join(_performer(wanted))}" for name, wanted in expected.performers.items()
    ]
    lines += [_objects(wanted) for wanted in expected.objects]
    if expected.writes is not None:
        lines.append(_writes(expected.writes))
    if expected.no_writes_for is not None:
        lines.append(f"the operator has written nothing for {text(expected.no_writes_for)}")
    return lines


def _step_lines(index: int, found: Step) -> Iterator[str]:
    when = ""
    if found.at is not None:
        when = f"at {text(found.at)}, "
    elif found.after is not None:
        when = f"{text(found.after)} later, "
    expected = found.expect or found.eventually or found.always or found.never
    first = _check(found) if expected is not None else step(found)
    end = ":" if expected is not None else "."
    yield f"  {index}. {_capital(when + first)}{end}"
    if expected is not None:
        yield from (f"       - {line}" for line in expectation(expected))
    if found.note:
        yield f"     ({found.note.strip()})"


def _check(found: Step) -> str:
    if found.eventually is not None:
        return f"eventually, within {text(found.eventually.within)}"
    if found.always is not None:
        return f"always, for {text(found.always.duration)}"
    if found.never is not None:
        return f"never, for {text(found.never.duration)}"
    return "now"


def _doing(found: Step) -> Iterator[str]:
    for verb in ("apply", "create"):
        manifests: tuple[ManifestSource, ...] | None = getattr(found, verb)
        if manifests is not None:
            yield _manifests(verb, manifests)
    if found.patch is not None:
        of = "the status of " if found.patch.subresource else ""
        what = f"{_one(found.patch.resource)} {_name(found.patch)}"
        yield f"patch {of}{what}: {_flow(found.patch.merge)}"
    if found.delete is not None:
        grace = found.delete.grace_period_seconds
        how = "" if grace is None else f" with a grace period of {text(grace)}"
        yield f"delete {_one(found.delete.resource)} {_name(found.delete)}{how}"
    for verb in ("cordon", "uncordon", "drain"):
        nodes: tuple[str, ...] | None = getattr(found, verb)
        if nodes is not None:
            yield f"{verb} {_and(f'node {node}' for node in nodes)}"
    for name, parameters in (found.fault or {}).items():
        yield f"inject the fault {name}" + (f" ({_flow(parameters)[1:-1]})" if parameters else "")
    if found.heal is not None:
        yield f"heal the fault {_and(found.heal)}"


def _manifests(verb: str, manifests: tuple[ManifestSource, ...]) -> str:
    named = [
        _and(f"{obj['kind']} {obj['metadata']['name']}" for obj in manifest.objects)
        + (f" from {manifest.file}" if manifest.file else "")
        for manifest in manifests
    ]
    return f"{verb} {_and(named)}"


def _cluster(cluster: Cluster) -> Iterator[str]:
    yield f"Kubernetes {cluster.kubernetes}"
    for group in cluster.nodes:
        yield _nodes(group)
    for pool in cluster.node_pools:
        yield from _pool(pool)
    for name, image in cluster.images.items():
        yield f"image {name}: {', '.join(_image(image)) or 'behaves well'}"
    for value, number in cluster.priority_classes.items():
        yield f"PriorityClass {value} with value {number}"
    for kind, names in (
        ("RuntimeClass", cluster.runtime_classes),
        ("ServiceAccount", cluster.service_accounts),
    ):
        if names:
            yield f"{kind} {_and(names)}"
    for kind, holders in (("Secret", cluster.secrets), ("ConfigMap", cluster.config_maps)):
        for name, keys in holders.items():
            yield f"{kind} {name}" + (f" with {_and(keys)}" if keys else "")


def _nodes(group: NodeGroup) -> str:
    names = group.names
    who = f"node {names[0]}" if len(names) == 1 else f"nodes {names[0]} to {names[-1]}"
    drivers = [
        f"DRA driver {driver} with {_and([device.name for device in devices])}"
        for driver, devices in group.drivers.items()
    ]
    return f"{who}: {', '.join([_properties(group), *drivers])}"


def _properties(group: NodeGroup | NodePool) -> str:
    parts = [f"{group.cpu} CPU", group.memory]
    parts += [f"{count} × {resource}" for resource, count in group.devices.items()]
    parts += [f"label {key}={value}" for key, value in group.labels.items()]
    parts += [f"taint {taint}" for taint in group.taints]
    return ", ".join(parts)


def _pool(pool: NodePool) -> Iterator[str]:
    by = "Karpenter" if pool.karpenter is not None else "the cluster autoscaler"
    yield f"node pool {pool.name}, {pool.min} to {pool.max} nodes by {by}: {_properties(pool)}"
    yield f"nodes of {pool.name} register {text(pool.boots_in)} after their launch" + "".join(
        f", with taint {taint}" for taint in pool.startup_taints
    )
    for stage in pool.startup:
        come = [*(f"label {key}" for key in stage.labels), *stage.devices]
        parts = [f"{_and(come)} appears"] if come else []
        parts += [f"taint {_and(stage.taints)} goes"] if stage.taints else []
        yield f"{text(stage.after)} later {' and '.join(parts)}"


def _image(image: Image) -> Iterator[str]:
    if image.missing:
        yield "is not in the registry"
    if image.unauthorized:
        yield "is refused by the registry"
    if image.pull is not None:
        yield f"takes {text(image.pull)} to pull"
    yield from _behaves(image)
    for build in image.builds:
        how = ", ".join(_behaves(build)) or "behaves well"
        yield f"means from {text(build.pushed)} on a build that {how}"


def _behaves(image: Behaviour) -> Iterator[str]:
    if image.start is not None:
        yield f"takes {text(image.start)} to start"
    if image.command_missing:
        yield "has no such command"
    if image.command_not_permitted:
        yield "has a command that may not be executed"
    if image.user:
        yield f"runs as {image.user}"
    if image.ready_after is not None:
        yield f"is ready {text(image.ready_after)} after its start"
    if image.ready_until is not None:
        yield f"is no longer ready {text(image.ready_until)} after its start"
    if image.never_ready:
        yield "is never ready"
    if image.exits_after is not None:
        how = "for lack of memory" if image.out_of_memory else f"with code {image.exit_code}"
        yield f"ends {text(image.exits_after)} after its start {how}"
    yield from _ends_and_probes(image)


def _ends_and_probes(image: Behaviour) -> Iterator[str]:
    if image.memory is not None:
        yield f"uses {image.memory} of memory"
    if image.stops_after is not None:
        yield f"takes {text(image.stops_after)} to stop"
    if image.exit_code_on_termination:
        yield f"ends with code {image.exit_code_on_termination} when it is stopped"
    if image.ignores_termination:
        yield "ignores SIGTERM"
    if image.log:
        yield "prints something"
    if image.termination_message:
        yield "leaves a termination message"
    for kind, answers in image.probes:
        if answers is not None:
            yield f"{kind} probes {', '.join(_answers(answers))}"
    for name, hook in (("postStart", image.post_start), ("preStop", image.pre_stop)):
        if hook.takes is not None:
            yield f"its {name} hook takes {text(hook.takes)}"
        if hook.fails or hook.command_missing:
            yield f"its {name} hook fails"


def _answers(answers: ProbeAnswers) -> Iterator[str]:
    if answers.fails or answers.command_missing:
        yield "fail"
    elif answers.succeeds_after is not None:
        yield f"succeed {text(answers.succeeds_after)} after its start"
    elif answers.fails_after is None:
        yield "succeed"
    if answers.fails_after is not None:
        yield f"fail {text(answers.fails_after)} after its start"
    if answers.status is not None:
        yield f"with status {answers.status}"
    if answers.hangs:
        yield "without an answer"


def _performer(wanted: PerformerIs) -> Iterator[str]:
    if wanted.exists is not None:
        yield "exists" if wanted.exists else "is gone"
    if wanted.phase:
        yield f"is {' or '.join(wanted.phase)}"
    if wanted.ready is not None:
        yield "is ready" if wanted.ready else "is not ready"
    if wanted.serving is not None:
        yield "has a ready endpoint" if wanted.serving else "has no ready endpoint"
    if wanted.served_throughout:
        yield "has had a ready endpoint at every moment since the last action"
    for name, condition in wanted.conditions.items():
        yield f"has {name}={condition}"
    for pattern in wanted.message:
        yield f"says something that {pattern}"
    for name, pattern in wanted.messages.items():
        yield f"says under {name} something that {pattern}"
    yield from _performer_objects(wanted)
    for reason, count in wanted.events.items():
        yield f"has the event {reason} × {count}"
    if wanted.phases:
        yield f"has been {' → '.join(wanted.phases)}"
    if wanted.reasons:
        yield f"has had the reasons {' → '.join(wanted.reasons)}"
    if wanted.has is not None:
        yield f"holds {_flow(wanted.has)}"


def _performer_objects(wanted: PerformerIs) -> Iterator[str]:
    if wanted.pods is not None:
        yield f"has {_number(wanted.pods, 'pod')}"
    if wanted.pods_created is not None:
        yield f"has had {_number(wanted.pods_created, 'pod')} in all"
    if wanted.pod is not None:
        yield f"is on {'the same' if wanted.pod == 'same' else 'another'} pod"
    if wanted.node is not None:
        yield f"runs on node {wanted.node}"
    if wanted.services is not None:
        yield f"has {_number(wanted.services, 'Service')}"
    if wanted.service is not None:
        yield f"has the Service {wanted.service}"
    if wanted.endpoint is not None:
        yield f"is reached at {wanted.endpoint}"
    if wanted.last_upgrade is not None:
        done = "has" if wanted.last_upgrade == "set" else "has not"
        yield f"{done} been upgraded"


def _objects(wanted: ObjectsAre) -> str:
    line = wanted.resource
    if wanted.name is not None:
        line += f" named {wanted.name}"
    if wanted.namespace is not None:
        line += f" in {wanted.namespace}"
    if wanted.labels:
        line += " with labels " + _and(f"{key}={value}" for key, value in wanted.labels.items())
    if wanted.has is not None:
        line += f" that hold {_flow(wanted.has)}"
    return f"there are {line}" + ("" if wanted.count is None else f": {wanted.count}")


def _writes(wanted: WritesAre) -> str:
    which = " ".join(part for part in (wanted.verb, wanted.resource) if part)
    most = f"at most {_number(wanted.at_most, 'time')}" if wanted.at_most else "nothing"
    return f"the operator writes {most}" + (f" (counting only {which})" if which else "")


def _ending(found: Settles) -> Iterator[str]:
    others = "Every other" if found.performers else "Every"
    yield (
        f"Within {text(found.within)} everything settles, and for {text(found.quiet_for)} "
        "after that it stays so and the operator writes nothing."
    )
    yield from (f"{line}." for line in expectation(found))
    yield f"{others} Performer is as its spec asks."


def _flow(value: object) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        shown = _redacted(value)
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in shown.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(inner) for inner in value)}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)


def _redacted(value: JSON) -> JSON:
    """Without the values of environment variables, Secrets and ConfigMaps: reports are shared."""
    if "name" in value and "value" in value:
        return {**value, "value": "…"}
    return {
        key: dict.fromkeys(inner, "…") if key in _SECRET and isinstance(inner, dict) else inner
        for key, inner in value.items()
    }


def _name(found: object) -> str:
    namespace, name = getattr(found, "namespace", None), getattr(found, "name", "")
    return f"{namespace}/{name}" if namespace else str(name)


def _one(resource: str) -> str:
    return "Performer" if resource == "performers" else resource


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count or 'no'} {word}s"


def _and(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = list(parts)
    return f"{', '.join(most)} and {last}" if most else last


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]
