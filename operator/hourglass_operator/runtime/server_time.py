"""A transport that sets the clock by the time that the API server's answers bear."""

from collections.abc import Callable, Mapping

from hourglass_operator.runtime.clock import TOLERANCE, Clock
from hourglass_operator.transport.calls import Answer, EventStream, Request, Transport


class TimedTransport:
    """The Transport of a replica; `jumped` is called with seconds when the time has jumped."""

    def __init__(self, transport: Transport, clock: Clock, jumped: Callable[[float], None]) -> None:
        self.server: str = transport.server
        self._transport = transport
        self._clock = clock
        self._jumped = jumped

    async def call(
        self, request: Request, *, timeout: float | None = None, once: bool = False
    ) -> Answer:
        """See Transport."""
        sent = self._clock.steady()
        answer = await self._transport.call(request, timeout=timeout, once=once)
        if answer.date is not None:
            jump = self._clock.hear(answer.date, sent, self._clock.steady())
            if abs(jump) > TOLERANCE:
                self._jumped(jump)
        return answer

    def watch(self, resource: str, namespace: str, query: Mapping[str, str]) -> EventStream:
        """See Transport."""
        return self._transport.watch(resource, namespace, query)
