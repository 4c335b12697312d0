"""Reads the objects that the plugin needs."""

import asyncio

from hourglass_kube.types import JSON
from hourglass_operator.plugin.view import Objects
from hourglass_operator.runtime.informers.selectors import CLUSTER_WIDE, OPTIONAL, SELECTORS
from hourglass_operator.transport.calls import Answer, Caller, Request


class ReadError(Exception):
    """The API server refused or did not answer; the text says what was asked and its answer."""


async def objects(caller: Caller, namespace: str, *, events_of: str = "") -> Objects:
    """All Performers of a namespace (empty: of all) with what belongs to them, and all nodes.

    `events_of`: also the Events of this Performer and its pods. Raises ReadError; what the user may
    not list (an executor may not list nodes) is named in the result instead.
    """
    wanted = {**SELECTORS, **({"events": ""} if events_of else {})}
    answers = await asyncio.gather(
        *(_list(caller, resource, namespace, selector) for resource, selector in wanted.items())
    )
    found: dict[str, list[JSON]] = {}
    hidden, absent = set(), set()
    for resource, answer in zip(wanted, answers, strict=True):
        if answer.code == 403 and resource != "performers":
            hidden.add(resource)
        elif answer.code == 404 and resource in OPTIONAL:
            absent.add(resource)
        elif not answer.succeeded:
            raise ReadError(f"cannot list {resource}: {answer.message}")
        found[resource] = answer.body.get("items") or []
    mine = [event for event in found.pop("events", []) if _concerns(event, events_of)]
    return Objects(found, sorted(mine, key=_moment), frozenset(hidden), frozenset(absent))


async def _list(caller: Caller, resource: str, namespace: str, selector: str) -> Answer:
    query = {"labelSelector": selector} if selector else {}
    where = "" if resource in CLUSTER_WIDE else namespace
    return await caller.call(Request("list", resource, where, query=query))


def _concerns(event: JSON, performer: str) -> bool:
    about = event.get("involvedObject") or {}
    name = str(about.get("name", ""))
    if about.get("kind") == "Performer":
        return name == performer
    return about.get("kind") == "Pod" and name.startswith(f"performer-{performer}-")


def _moment(event: JSON) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
