"""The client itself. `sync_client` is the same for programs without an event loop."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Self

from hourglass_operator.api import PerformerSpec
from hourglass_operator.client import environment, progress
from hourglass_operator.client.errors import (
    ConfigurationError,
    NotFoundError,
    UnavailableError,
)
from hourglass_operator.client.performer import Change, ChangeType, Performer, manifest
from hourglass_operator.client.progress import Outcome, Verdict
from hourglass_operator.client.transport import Transport
from hourglass_operator.client.wait_errors import (
    DeletedError,
    MoveError,
    NotDeletedError,
    NotReadyError,
    UpgradeError,
    WaitError,
)
from hourglass_operator.client.watch import Watch
from hourglass_operator.resources import names
from hourglass_operator.transport.connection import KubeconfigError, connection

READY_SECONDS = 300.0
UPGRADE_SECONDS = 600.0
DELETE_SECONDS = 120.0


class AsyncClient:
    """The Performers of one namespace, to be used in an `async with` block.

    Every method may raise RequestError (see `errors` for its kinds). A request is made again only
    if the API server was too busy to look at it (429) and says when to come back; any other that
    failed may have been carried out. Watches go on by themselves. Seconds are of the wall clock.
    """

    def __init__(
        self,
        namespace: str | None = None,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        variables: Mapping[str, str] = os.environ,
    ) -> None:
        """Without arguments: as the pod's service account, in the executor's own namespace.

        `namespace`: by default KUBERNETES_NAMESPACE of `variables`, from which DEPLOYMENT_MODE and
        PERFORMER_SERVICE_PATTERN are read too. `kubeconfig`: by default $KUBECONFIG, then the pod's
        service account, then ~/.kube/config. Raises ConfigurationError.
        """
        self.environment = environment.read(variables, namespace)
        self._kubeconfig = kubeconfig
        self._context = context
        self._open: Transport | None = None

    async def __aenter__(self) -> Self:
        """Raises ConfigurationError if there is no usable kubeconfig."""
        try:
            configuration = await connection(self._kubeconfig, self._context)
        except KubeconfigError as error:
            raise ConfigurationError(str(error)) from None
        self._open = Transport(configuration, self.environment.namespace)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None

    def endpoint(self, performer: Performer) -> str:
        """Where the Performer is called, by PERFORMER_SERVICE_PATTERN."""
        return self.environment.endpoint(performer.name, performer.spec.config.grpc_port)

    async def create(
        self, name: str, spec: PerformerSpec, labels: Mapping[str, str] | None = None
    ) -> Performer:
        """Create a Performer; raises AlreadyExistsError and InvalidError, among others."""
        body = manifest(name, self.environment.namespace, spec, dict(labels or {}))
        return Performer.from_json(await self._transport.call("create", name, body=body))

    async def get(self, name: str) -> Performer:
        """The Performer as it is now; raises NotFoundError."""
        return Performer.from_json(await self._transport.call("get", name))

    async def list(self, label_selector: str = "") -> list[Performer]:
        """All Performers of the namespace, or those with these labels (`key=value,…`)."""
        answer = await self._transport.list(_selectors(label_selector))
        return [Performer.from_json(item) for item in answer["items"]]

    def watch(self, name: str = "", label_selector: str = "") -> AsyncGenerator[Change]:
        """Changes for ever, beginning with every Performer that there is, as ADDED.

        A lost connection is restored; several changes that were missed meanwhile come as one.
        """
        return Watch(self._transport, _selectors(label_selector, name)).changes()

    async def wait_until_ready(self, name: str, timeout: float = READY_SECONDS) -> Performer:
        """Wait until clients are answered at the endpoint.

        Raises NotReadyError at once when the operator says that it failed, otherwise after
        `timeout` seconds; DeletedError; NotFoundError.
        """
        return await self._wait(name, progress.readiness, timeout, NotReadyError, "is not ready")

    async def upgrade(
        self,
        name: str,
        *,
        image: str | None = None,
        version: str | None = None,
        timeout: float = UPGRADE_SECONDS,
    ) -> Performer:
        """Change image, version or both, and wait until the new version serves.

        Raises ValueError if there is nothing to change, and UpgradeError when the operator gives
        up, or after `timeout` seconds; it says whether the old version still serves. The change
        stays: the new version may still come up, and an upgrade back to the old image and version
        ends the attempt.
        """
        if image is None and version is None:
            raise ValueError("upgrade: expected image, version or both, found neither")
        spec = {"image": image, "version": version}
        wanted = {key: value for key, value in spec.items() if value is not None}
        return await self._changed(name, wanted, timeout, "is not upgraded")

    async def scale(
        self, name: str, resources: Mapping[str, object], timeout: float = UPGRADE_SECONDS
    ) -> Performer:
        """Change spec.resources, and wait until a pod with these serves.

        `resources`: as in a Pod, such as {"requests": {"cpu": "2"}}; what it does not name stays.
        CPU and memory change while the pod runs, where the cluster can do that. Raises UpgradeError
        as `upgrade` does.
        """
        return await self._changed(name, {"resources": resources}, timeout, "is not scaled")

    async def restart(self, name: str, timeout: float = UPGRADE_SECONDS) -> Performer:
        """Let another pod of the same template take the place of the one that serves.

        That one goes when its successor serves; first with the upgrade strategy Recreate, and for
        want of hardware with Auto. Raises MoveError when the operator gives up, or after `timeout`
        seconds; the wish is taken back then.
        """
        return await self._succeeded(name, names.REPLACED, timeout, "is not restarted")

    async def move(self, name: str, timeout: float = UPGRADE_SECONDS) -> Performer:
        """The same, on another node; with Recreate nothing keeps the pod from coming back."""
        return await self._succeeded(name, names.MOVED, timeout, "is not moved")

    async def _succeeded(self, name: str, wish: str, timeout: float, what: str) -> Performer:
        before = await self.get(name)
        pod = before.status.pod_name
        if not (before.ready and pod):
            verdict = progress.summary(before)
            called = f"{self._called(name)} {what}, as no pod of it serves"
            raise _explained(MoveError, called, before, verdict, None)

        async def annotate(value: str | None) -> None:
            body = {"metadata": {"annotations": {wish: value}}}
            await self._transport.call("patch", name, body=body)

        await annotate(pod)
        try:
            return await self._wait(
                name, lambda seen: progress.succession(seen, pod), timeout, MoveError, what
            )
        finally:
            with contextlib.suppress(NotFoundError):
                await annotate(None)

    async def _changed(
        self, name: str, spec: Mapping[str, object], timeout: float, what: str
    ) -> Performer:
        body = {"spec": dict(spec)}
        changed = Performer.from_json(await self._transport.call("patch", name, body=body))

        def judge(performer: Performer) -> Verdict:
            return progress.upgrade(performer, changed.metadata.generation)

        return await self._wait(name, judge, timeout, UpgradeError, what)

    async def delete(self, name: str, timeout: float = DELETE_SECONDS) -> None:
        """Delete a Performer and wait until it is gone; it is no error if it is gone already.

        Raises NotDeletedError after `timeout` seconds; the deletion goes on.
        """
        try:
            answer = await self._transport.call("delete", name)
        except NotFoundError:
            return
        if answer.get("kind") == "Status":
            return
        last = Performer.from_json(answer)
        watch = Watch(self._transport, _selectors(name=name), [last])
        try:
            async with asyncio.timeout(timeout), aclosing(watch.changes()) as changes:
                async for change in changes:
                    if change.type is ChangeType.DELETED:
                        return
                    last = change.performer
        except TimeoutError:
            pass
        called = f"{self._called(name)} is not gone after {timeout:g} s"
        raise _explained(NotDeletedError, called, last, progress.summary(last), watch.trouble)

    @property
    def _transport(self) -> Transport:
        if self._open is None:
            raise RuntimeError("use the client in a with block")
        return self._open

    def _called(self, name: str) -> str:
        return f"performer {self.environment.namespace}/{name}"

    async def _wait(
        self,
        name: str,
        judge: Callable[[Performer], Verdict],
        timeout: float,
        error: type[WaitError],
        what: str,
    ) -> Performer:
        called = f"{self._called(name)} {what}"
        last = await self.get(name)
        watch = Watch(self._transport, _selectors(name=name), [last])
        try:
            async with asyncio.timeout(timeout), aclosing(watch.changes()) as changes:
                while (verdict := judge(last)).outcome is Outcome.WAIT:
                    change = await anext(changes)
                    last = change.performer
                    if change.type is ChangeType.DELETED:
                        raise DeletedError(f"{self._called(name)} was deleted", last)
        except TimeoutError:
            called = f"{called} after {timeout:g} s"
        if verdict.outcome is Outcome.DONE:
            return last
        raise _explained(error, called, last, verdict, watch.trouble)


def _explained(
    error: type[WaitError],
    what: str,
    performer: Performer,
    verdict: Verdict,
    trouble: UnavailableError | None,
) -> WaitError:
    """Trouble with the API server comes first: what was seen before it may be outdated."""
    why = str(trouble) if trouble else ": ".join(filter(None, (verdict.reason, verdict.message)))
    return error(f"{what}: {why}", performer, verdict.reason, verdict.message)


def _selectors(labels: str = "", name: str = "") -> dict[str, str]:
    field = {"fieldSelector": f"metadata.name={name}"} if name else {}
    return field | ({"labelSelector": labels} if labels else {})
