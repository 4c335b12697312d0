"""Send the same random requests to a real API server and to the simulated one: what differs?

    PYTHONPATH=tests:tests/simulator/apiserver \\
        python -m goldens.compare_requests KUBE_APISERVER VERSION [SEED [COUNT [PATH]]]

Nothing is kept: what is mended becomes a case of a recorder. Each kind of difference is shown with
how often it came and the first request that shows it; first what only the simulated server lets
through, then other codes, texts and bodies. PATH limits the resources to those with it in their
path. The same SEED sends the same requests to the same VERSION.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any, NamedTuple

from simulated_bare_server import Simulated

from goldens.bare_apiserver import bare_apiserver
from goldens.random_objects import RandomObjects, Seed
from goldens.record_kinds import JSON_TYPE, MERGE, NAMESPACE, STRATEGIC, Server, Step, Tokens
from hourglass_simulator.kubernetes.version import version

APPLY = "application/apply-patch+yaml"
_WAYS = {"create": 10, "strict": 1, "update": 4, "patch": 4, "apply": 3, "status": 2}
_VARIABLE = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d+')
_SHOWN = 400


class Answer(NamedTuple):
    """What can be compared of an answer."""

    code: int
    warnings: list[str]
    body: Any

    @property
    def text(self) -> str:
        """What it says is wrong; of what succeeded, nothing."""
        body = self.body if isinstance(self.body, dict) else {"message": str(self.body)}
        return "" if self.code < 400 else str(body.get("message"))


class Difference(NamedTuple):
    """A request that was answered in two ways."""

    step: Step
    simulated: Answer
    real: Answer

    @property
    def rank(self) -> tuple[int, str]:
        """How bad it is, the worst first, and what is alike is of the same kind."""
        simulated, real = self.simulated, self.real
        if simulated.code < 400 <= real.code:
            return 0, f"let through: {_VARIABLE.sub('…', real.text)}"
        if simulated.code != real.code:
            texts = f"{real.code} {_VARIABLE.sub('…', real.text)}"
            return 1, f"{simulated.code} instead of {texts}"
        if simulated.text != real.text:
            return 2, f"{real.code} {_VARIABLE.sub('…', real.text)}"
        if simulated.warnings != real.warnings:
            return 3, f"warnings {_VARIABLE.sub('…', str(real.warnings))}"
        return 4, f"body of {self.step.method} {', '.join(sorted(self.fields()))}"

    def fields(self) -> set[str]:
        """The paths in the body that differ, without indexes."""
        one, other = dict(_leaves(self.simulated.body)), dict(_leaves(self.real.body))
        return {
            re.sub(r"\[\d+\]", "[]", path)
            for path in {*one, *other}
            if one.get(path, ...) != other.get(path, ...)
        }


def requests(
    objects: RandomObjects, chance: random.Random, count: int, path: str
) -> Iterator[Step]:
    """So many at random, and those that they need before them."""
    seeds = [seed for seed in objects.seeds() if path in seed.path]
    stored: dict[str, Seed] = {}
    for _ in range(count):
        seed = chance.choice(seeds)
        way = chance.choices(list(_WAYS), list(_WAYS.values()))[0]
        if way in ("create", "strict"):
            strict = "&fieldValidation=Strict" * (way == "strict")
            yield Step("POST", f"{seed.path}?dryRun=All{strict}", objects.changed(seed))
            continue
        one = f"{seed.path}/{seed.obj['metadata']['name']}"
        if stored.get(one) != seed:
            stored[one] = seed
            yield Step("DELETE", f"{one}?gracePeriodSeconds=0")
            yield Step("POST", seed.path, seed.obj)
        if way == "update":
            yield Step("PUT", f"{one}?dryRun=All", objects.changed(seed))
        elif way == "patch":
            kind = chance.choice([MERGE, STRATEGIC])
            yield Step("PATCH", f"{one}?dryRun=All", objects.changed(seed), kind)
        elif way == "apply":
            query = "dryRun=All&fieldManager=x" + chance.choice(["", "&force=true"])
            yield Step("PATCH", f"{one}?{query}", objects.changed(seed), APPLY)
        elif (status := objects.status(seed.schema)) is not None:
            yield Step("PATCH", f"{one}/status?dryRun=All", {"status": status}, MERGE)


def compare(simulated: Server, real: Server, steps: list[Step]) -> Iterator[Difference]:
    """What the two answer otherwise; where the real one panics there is nothing to compare."""
    for step in steps:
        try:
            answers = (_answer(simulated, step), _answer(real, step))
        except RemoteDisconnected:
            continue
        if answers[0] != answers[1]:
            yield Difference(step, *answers)


def table(differences: list[Difference]) -> Iterator[str]:
    """The kinds of differences, the worst first, each with an example."""
    kinds: dict[tuple[int, str], list[Difference]] = {}
    for each in differences:
        kinds.setdefault(each.rank, []).append(each)
    for (_, what), found in sorted(kinds.items(), key=lambda kind: (kind[0][0], -len(kind[1]))):
        first = found[0]
        yield f"{len(found)} × {what[:_SHOWN]}"
        yield f"    {first.step.method} {first.step.path} {first.step.content_type}"
        yield f"    {json.dumps(first.step.body)[: 2 * _SHOWN]}"
        for name, answer in (("simulated", first.simulated), ("real", first.real)):
            yield f"    {name:9} {answer.code} {answer.text[:_SHOWN]}"


def _answer(server: Server, step: Step) -> Answer:
    reply = server.call(
        step.method, step.path, step.body, content_type=step.content_type, accept=step.accept
    )
    body = json.loads(json.dumps(Tokens().replace(reply.body)))
    return Answer(reply.code, list(reply.headers.get("warning", ())), body)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for index, below in enumerate(value):
            yield from _leaves(below, f"{path}[{index}]")
    else:
        yield path, value


def _prepare(server: Server, *, namespace: bool) -> None:
    """The namespace in which objects are, with what the controllers make in it."""
    named: list[tuple[str, str]] = [("/api/v1/namespaces", NAMESPACE)] * namespace
    for path, name in [*named, (f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", "default")]:
        body = {"metadata": {"name": name}}
        reply = server.call("POST", path, body, content_type=JSON_TYPE, accept=JSON_TYPE)
        assert reply.code == 201, reply.body


def main() -> None:
    """See the module's docstring."""
    program, kubernetes, seed, count, path = (
        *sys.argv[1:],
        *("1", "1000", "")[len(sys.argv) - 3 :],
    )
    chance = random.Random(int(seed))
    simulated = Simulated(version(kubernetes), managed_fields=True)
    _prepare(simulated, namespace=False)
    document = simulated.call("GET", "/openapi/v2", content_type="", accept=JSON_TYPE).body
    steps = list(requests(RandomObjects(document, chance), chance, int(count), path))
    with bare_apiserver(Path(program)) as real:
        _prepare(real, namespace=True)
        differences = list(compare(simulated, real, steps))
    for line in table(differences):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(differences)} of {len(steps)} requests are answered otherwise.\n")


if __name__ == "__main__":
    main()
