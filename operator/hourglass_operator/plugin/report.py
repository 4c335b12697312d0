"""What helps others to help: objects, Events, the operator's log and versions."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_operator.plugin.masking import masked
from hourglass_operator.plugin.snapshot import every, listed, snapshot
from hourglass_operator.resources import names
from hourglass_operator.transport.calls import Answer, Caller, Request
from hourglass_operator.transport.paths import SERVER_VERSION

OPERATOR = f"app.kubernetes.io/name={names.MANAGED_BY}"
"""The pods of the operator: deploy/base and the chart label them so."""
_LINES = 5000
"""Of each of its logs, the last ones."""
_CONCERNED = ("Performer", "Pod", "Node", "Service", "PodDisruptionBudget")


@dataclass(frozen=True, slots=True)
class Report:
    """Texts by the names of their files, and what could not be read, in words."""

    files: Mapping[str, str]
    missing: list[str]


async def report(caller: Caller, program: str) -> Report:
    """Gather it; `program` is the version of this program. Raises ReadError.

    Values of variables are masked, and no Secret is read.
    """
    found, events, version, operators = await asyncio.gather(
        snapshot(caller),
        every(caller, "events"),
        caller.call(Request("get", SERVER_VERSION)),
        caller.call(Request("list", "pods", query={"labelSelector": OPERATOR})),
    )
    missing = [f"{resource}: you may not list them" for resource in found.hidden]
    if events is None:
        missing.append("events: you may not list them")
    pods = operators.body.get("items") or [] if operators.succeeded else []
    if not pods:
        missing.append(f"the operator's log: there is no pod with the label {OPERATOR}")
    logs = await asyncio.gather(*(_log(caller, pod) for pod in pods))
    files = {
        "cluster.json": _text(listed(masked(found.items))),
        "events.json": _text([each for each in events or () if _concerns(each)]),
        "versions.json": _text(_versions(program, version, pods)),
    }
    for pod, log in zip(pods, logs, strict=True):
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        if log.succeeded:
            files[f"log-{namespace}-{name}.txt"] = _said(log)
        else:
            missing.append(f"the log of pod {namespace}/{name}: {log.message}")
    return Report(files, missing)


async def _log(caller: Caller, pod: JSON) -> Answer:
    meta = pod["metadata"]
    query = {"tailLines": str(_LINES)}
    return await caller.call(
        Request("get", "pods", meta["namespace"], meta["name"], "log", query=query)
    )


def _said(log: Answer) -> str:
    """A log of one line in JSON has been read as an object."""
    is_text = set(log.body) == {"message"}
    return f"{log.message if is_text else json.dumps(log.body)}\n"


def _concerns(event: JSON) -> bool:
    return (event.get("involvedObject") or {}).get("kind") in _CONCERNED


def _versions(program: str, server: Answer, pods: list[JSON]) -> JSON:
    images = {container["image"] for pod in pods for container in pod["spec"]["containers"]}
    return {
        "program": program,
        "kubernetes": server.body.get("gitVersion", "") if server.succeeded else "",
        "operatorImages": sorted(images),
    }


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
