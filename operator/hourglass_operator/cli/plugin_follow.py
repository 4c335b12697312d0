"""Waiting with a client while a person or a program watches."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from hourglass_operator.api.messages import essence
from hourglass_operator.cli.plugin_options import DATA
from hourglass_operator.cli.plugin_target import Target, bad
from hourglass_operator.client import AsyncClient, ClientError, Performer, WaitError
from hourglass_operator.console.data import print_data
from hourglass_operator.console.line import print_line
from hourglass_operator.plugin.follow import followed, line

NOT_SERVING = 1


def follow(
    target: Target,
    name: str,
    output: str,
    wait: Callable[[AsyncClient], Awaitable[Performer]],
) -> None:
    """Wait with a client; people see each change on standard error, programs the end as JSON."""

    last = ""

    def report(state: str) -> None:
        nonlocal last
        last = state
        print_line(state)

    async def follow() -> Performer:
        place, file, context = target.namespace, target.kubeconfig, target.context
        async with AsyncClient(place, kubeconfig=file, context=context, variables={}) as client:
            return await followed(client, name, lambda: wait(client), report)

    performer: Performer | None
    try:
        performer, failure = asyncio.run(follow()), ""
    except WaitError as error:
        performer, failure = error.performer, essence(str(error))
        if last.endswith(f": {essence(error.message)}"):
            failure = failure.removesuffix(f": {error.reason}: {essence(error.message)}")
    except ClientError as error:
        bad(str(error))
    if output in DATA:
        state = performer and line(performer)
        print_data({"serves": not failure, "state": state, "failure": failure}, output)
    elif failure:
        print_line(failure)
    elif performer is not None:
        print_line(f"{name} serves: {line(performer)}", err=False)
    if failure:
        sys.exit(NOT_SERVING)
