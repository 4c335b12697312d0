"""`hourglass-operator release-finalizers`."""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from hourglass_kube.types import JSON
from hourglass_operator.console.line import print_line
from hourglass_operator.controller.finalizer import left
from hourglass_operator.transport.api import Api
from hourglass_operator.transport.calls import Caller, Request
from hourglass_operator.transport.connection import KubeconfigError, connection

NOT_ALL, BAD_INPUT = 1, 2
_TIMEOUT = 30.0
_HELP = """Let Performers be deleted without the operator, once it is uninstalled.

A Performer that is deleted waits until the operator removes its finalizer. Where no operator will
run any more, this does it: Performers that are being deleted go at once, and Kubernetes removes
their pods and Services; the others and their pods stay as they are. Finalizers of others stay. An
operator that still runs sets its own again.

\b
Examples:
  hourglass-operator release-finalizers --namespace my-avs-project
  hourglass-operator release-finalizers --all-namespaces --dry-run

\b
Exit codes:
  0  done, or nothing to do
  1  not all could be released: the line of each says why
  2  bad input, or the cluster does not answer
"""


class _ListError(Exception):
    """The Performers cannot be listed; the text says why."""


@click.command(name="release-finalizers", help=_HELP)
@click.option("-n", "--namespace", help="Of this namespace.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of all namespaces.")
@click.option("--dry-run", is_flag=True, help="Only say which.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file.")
@click.option("--context", help="Context of the kubeconfig.")
def release_finalizers(
    namespace: str | None,
    all_namespaces: bool,
    dry_run: bool,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Release them."""
    if all_namespaces == bool(namespace):
        found = "both" if namespace else "neither"
        print_line(f"--namespace or --all-namespaces is expected, found {found}")
        sys.exit(BAD_INPUT)

    async def asked() -> bool:
        api = Api(await connection(kubeconfig, context), _TIMEOUT)
        try:
            return await _release(api, namespace or "", dry_run=dry_run)
        finally:
            await api.close()

    try:
        all_released = asyncio.run(asked())
    except (KubeconfigError, _ListError) as error:
        print_line(str(error))
        sys.exit(BAD_INPUT)
    if not all_released:
        sys.exit(NOT_ALL)


def releases(performers: Iterable[JSON]) -> list[tuple[JSON, JSON]]:
    """Of those with a finalizer to remove: the metadata, and the patch that removes it."""
    found = []
    for performer in performers:
        meta = performer["metadata"]
        finalizers = meta.get("finalizers") or []
        remaining = left(finalizers)
        if remaining != finalizers:
            # The patch replaces the list: the version makes sure that no other one is lost.
            change = {"resourceVersion": meta["resourceVersion"], "finalizers": remaining}
            found.append((meta, {"metadata": change}))
    return sorted(found, key=lambda each: (each[0]["namespace"], each[0]["name"]))


async def _release(api: Caller, namespace: str, *, dry_run: bool) -> bool:
    """Whether all were released; raises _ListError."""
    listed = await api.call(Request("list", "performers", namespace, metadata_only=True))
    if not listed.succeeded:
        raise _ListError(f"cannot list performers at {api.server}: {listed.message}")
    wanted = releases(listed.body.get("items") or [])
    if not wanted:
        where = f"in namespace {namespace}" if namespace else "in any namespace"
        print_line(f"no Performer {where} has a finalizer of the operator", err=False)
    failures = 0
    for meta, patch in wanted:
        place = f"{meta['namespace']}/{meta['name']}"
        goes = "; it is being deleted" if meta.get("deletionTimestamp") else ""
        if dry_run:
            print_line(f"{place}: would be released{goes}", err=False)
            continue
        request = Request("patch", "performers", meta["namespace"], meta["name"], body=patch)
        answer = await api.call(request)
        # One that went meanwhile needs nothing more.
        if answer.succeeded or answer.code == 404:
            print_line(f"{place}: released{goes}", err=False)
        else:
            failures += 1
            print_line(f"{place}: not released: {answer.message}")
    return failures == 0
