"""Looks for pods and Services of Performers that their watches do not show.

A selective watch shows what bears its label. What lost the label while nobody watched is found by
its owner reference, in lists of nothing but metadata:
https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
"""

import logging
from collections.abc import Callable, Collection

from hourglass_operator.controller.event_handler import EventHandler
from hourglass_operator.controller.plan import Read
from hourglass_operator.controller.unread import key_of
from hourglass_operator.controller.versions import Name
from hourglass_operator.runtime.informers.informer import is_list
from hourglass_operator.runtime.informers.selectors import UNWATCHED
from hourglass_operator.runtime.informers.store import name_of
from hourglass_operator.transport.calls import Answer, Caller, Request, no_answer

logger = logging.getLogger(__name__)

PAGE = 500
"""Objects of a list of metadata that are in memory at once."""


class Unlabelled:
    """Lists when it is asked to; what it finds is read by the passes over its Performers."""

    def __init__(
        self,
        caller: Caller,
        events: EventHandler,
        now: Callable[[], float],
        namespaces: Collection[str],
    ) -> None:
        """`namespaces`: those that are served; empty: all."""
        self._caller = caller
        self._events = events
        self._now = now
        self._namespaces = sorted(namespaces) or [""]
        self._complaint = ""

    async def list_all(self) -> None:
        """List once; what cannot be listed is left for the next time."""
        complaint = ""
        for resource in UNWATCHED:
            for namespace in self._namespaces:
                answer = await self._list(resource, namespace)
                if not answer.succeeded:
                    complaint = f"cannot look for unlabelled {resource}: {answer.message}"
        if complaint and complaint != self._complaint:
            logger.warning("%s", complaint)
        self._complaint = complaint

    async def _list(self, resource: str, namespace: str) -> Answer:
        # Without a resourceVersion, which would make the API server ignore the limit: since 1.34
        # it answers every page from memory (https://kep.k8s.io/4988).
        query = {"limit": str(PAGE), "labelSelector": UNWATCHED[resource]}
        seen: set[Name] = set()
        while True:
            request = Request("list", resource, namespace, query=query, metadata_only=True)
            answer = await self._caller.call(request)
            if not answer.succeeded:
                return answer
            if not is_list(answer.body):
                return no_answer("what was answered is no list")
            for item in answer.body.get("items") or ():
                if key_of(Read(resource, *name_of(item))) is not None:
                    seen.add(name_of(item))
                    self._events.unlabelled(resource, item["metadata"], self._now())
            rest = answer.body["metadata"].get("continue")
            if not rest:
                self._events.recheck(resource, seen, self._now(), namespace)
                return answer
            query = {**query, "continue": rest}
