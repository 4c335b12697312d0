"""One run: in every round the client without an operator, then the operator."""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from clusters import Cluster
from hourglass_operator.api import PLURAL
from load.api import Api
from load.baseline import Baseline
from load.figures import Figures
from load.performers import Creation, create, delete
from load.processes import CpuMeter, cpu_seconds, listed, peak_megabytes
from load.sample import SAMPLE, Sample
from operators import FEWEST_CALLS, Audit, Calls, Operator, operator_account

NAMESPACE = "load"
PARTS = ("creation", "restart", "idle", "deletion")

MOST_TIMES_THE_BASELINE = 1.25
"""Until all are Running, and until all are gone."""
MOST_P50 = 0.6
"""Of the total: the first Performers are Running long before the last."""
MOST_CPU_MS = 10.0
"""Of the operator for a Performer, from create to Running."""
MOST_WRITES = 5.0
"""Of the operator for a Performer, from create to Running; one in two hundred may need another."""
MOST_RESTART_SECONDS = 5.0
MOST_MEGABYTES = 128.0
"""With 10,000 Performers."""

PODS_A_NODE = 200
SETTLING = 15.0
"""Seconds after which the last calls of a start or a creation have surely been made."""
START_SECONDS = 300.0

T = TypeVar("T")


@dataclass(frozen=True)
class Measured(Generic[T]):
    """The result of some work, the CPU seconds of each process in it, and the calls it caused."""

    result: T
    cpu: Mapping[str, float]
    calls: Calls


class Run:
    """One cluster, its admin, the operator's ServiceAccount, and the operator."""

    def __init__(self, cluster: Cluster, folder: Path, options: argparse.Namespace) -> None:
        self._cluster = cluster
        self._options = options
        self._kubeconfig = folder / "kubeconfig"
        user = operator_account(cluster, NAMESPACE, "operator", self._kubeconfig)
        flags = (f"--lease-namespace={NAMESPACE}",)
        self._operator = Operator(self._kubeconfig, folder / "operator.log", flags)
        assert cluster.audit_log is not None
        self._audit = Audit(cluster.audit_log, user)
        self.figures = Figures()

    async def measure(self) -> None:
        """Everything that the options ask for."""
        admin = Api(self._cluster.kubeconfig, NAMESPACE)
        writer = Api(self._kubeconfig, NAMESPACE)
        try:
            async with admin, writer:
                sample = await self._sample(admin)
                for performers in self._options.performers:
                    for number in range(1, self._options.rounds + 1):
                        log(f"{performers} Performers, round {number} of {self._options.rounds}")
                        await self._round(admin, Baseline(writer, sample), performers)
                for performers in self._options.up_to:
                    await self._memory(admin, performers)
        finally:
            if self._operator.runs:
                self._operator.stop()

    def _measures(self, part: str) -> bool:
        return part in self._options.only

    async def _sample(self, admin: Api) -> Sample:
        """The objects of a Performer that the operator has brought to Running."""
        self._start()
        await create(admin, [SAMPLE])
        sample = await Sample.read(admin)
        await self._clear(admin, [SAMPLE])
        return sample

    async def _round(self, admin: Api, baseline: Baseline, performers: int) -> None:
        names = names_up_to(performers)
        alone: Creation | None = None
        alone_deleted = 0.0
        if self._measures("creation") or self._measures("deletion"):
            alone, alone_deleted = await self._without_operator(admin, baseline, names)
        self._start()
        await self._creation(admin, names, alone)
        if self._measures("idle"):
            await self._idle(performers)
        if self._measures("restart"):
            await self._restart(performers)
        self.figures.add(f"{performers}: peak MB", self._peak(), MOST_MEGABYTES)
        await self._deletion(admin, names, alone_deleted)
        await self._clear(admin, [])

    async def _without_operator(
        self, admin: Api, baseline: Baseline, names: list[str]
    ) -> tuple[Creation, float]:
        async with baseline.working():
            created = await self._measured("(a)", create(admin, names, baseline.created))
        async with baseline.working():
            deleted = await self._measured("(a)", delete(admin, names, baseline.deleted))
        await self._wait_empty(admin)
        self.figures.add(f"{len(names)}: (a) all Running, s", created.result.total)
        self.figures.add(f"{len(names)}: (a) all deleted, s", deleted.result)
        return created.result, deleted.result

    async def _creation(self, admin: Api, names: list[str], alone: Creation | None) -> None:
        measured = await self._measured("operator", create(admin, names))
        if not self._measures("creation") or alone is None:
            return
        creation, performers, add = measured.result, len(names), self.figures.add
        add(f"{performers}: all Running, s", creation.total)
        times = creation.total / alone.total
        add(f"{performers}: all Running, times (a)", times, MOST_TIMES_THE_BASELINE)
        add(f"{performers}: create to Running p50, s", creation.p50)
        add(f"{performers}: p50 of the total", creation.p50 / creation.total, MOST_P50)
        cpu = 1000 * measured.cpu["operator"] / performers
        add(f"{performers}: operator CPU ms a Performer", cpu, MOST_CPU_MS)
        writes = measured.calls.made.total() / performers
        add(f"{performers}: writes a Performer", writes, MOST_WRITES, FEWEST_CALLS)

    async def _deletion(self, admin: Api, names: list[str], alone: float) -> None:
        measured = await self._measured("operator", delete(admin, names))
        if not self._measures("deletion"):
            return
        performers, add = len(names), self.figures.add
        add(f"{performers}: all deleted, s", measured.result)
        times = measured.result / alone
        add(f"{performers}: all deleted, times (a)", times, MOST_TIMES_THE_BASELINE)
        add(
            f"{performers}: operator CPU ms a deletion",
            1000 * measured.cpu["operator"] / performers,
        )
        add(f"{performers}: writes a deletion", measured.calls.made.total() / performers)

    async def _measured(self, who: str, work: Awaitable[T]) -> "Measured[T]":
        """Do the work, and wait until the calls that it caused have surely been made."""
        self._audit.count()
        meter = self._meter()
        result = await work
        cpu = meter.used()
        log(f"  {who}: {described(result)}; CPU s: {listed(cpu)}")
        await asyncio.sleep(SETTLING)
        calls = self._audit.count()
        log(f"  {who}: {calls}")
        return Measured(result, cpu, calls)

    async def _idle(self, performers: int) -> None:
        self._audit.count()
        await asyncio.sleep(self._options.idle)
        calls = self._understood(self._audit.count())
        self.figures.add(
            f"{performers}: writes in {self._options.idle:g} idle s", calls.made.total(), 0
        )

    async def _restart(self, performers: int) -> None:
        add = self.figures.add
        add(f"{performers}: peak MB before the restart", self._peak(), MOST_MEGABYTES)
        self._operator.stop()
        self._audit.count()
        ready = self._start()
        cpu = cpu_seconds(self._operator.pid)
        await asyncio.sleep(SETTLING)
        calls = self._understood(self._audit.count())
        log(f"  restart: leads and is ready after {ready:.1f} s, CPU {cpu:.1f} s; {calls}")
        add(f"{performers}: ready after a restart, s", ready, MOST_RESTART_SECONDS)
        add(f"{performers}: writes after a restart", calls.made.total(), 0)
        add(f"{performers}: lists at a restart", calls.lists.total())

    async def _memory(self, admin: Api, performers: int) -> None:
        """The peak with so many Performers, which stay."""
        self._cluster.add_fake_nodes(performers // PODS_A_NODE + 1, prefix=f"for-{performers}")
        self._start()
        log(f"{performers} Performers: {described(await create(admin, names_up_to(performers)))}")
        await self._restart(performers)
        self.figures.add(f"{performers}: peak MB", self._peak(), MOST_MEGABYTES)
        await self._clear(admin, names_up_to(performers))

    def _start(self) -> float:
        """Start the operator; returns the seconds until it leads and is ready."""
        began = time.monotonic()
        self._operator.start()
        self._operator.wait_leading(START_SECONDS)
        log(f"  the operator runs, pid {self._operator.pid}")
        return time.monotonic() - began

    async def _clear(self, admin: Api, names: list[str]) -> None:
        """Delete what is left, and stop the operator once everything has gone."""
        if names:
            await delete(admin, names)
        await self._wait_empty(admin)
        self._operator.stop()

    async def _wait_empty(self, admin: Api) -> None:
        """Kubernetes collects Services and EndpointSlices at its own pace."""
        for resource in (PLURAL, "pods", "services", "endpointslices"):
            while await admin.has_any(resource):
                await asyncio.sleep(1)
        await asyncio.sleep(SETTLING / 3)

    def _peak(self) -> float:
        return peak_megabytes(self._operator.pid)

    def _meter(self) -> CpuMeter:
        assert self._cluster.components is not None
        pids = self._cluster.components.pids() | {"this client": os.getpid()}
        return CpuMeter(pids | ({"operator": self._operator.pid} if self._operator.runs else {}))

    def _understood(self, calls: Calls) -> Calls:
        """An operator that leads writes its Lease: without that it was another user's log."""
        if not calls.apart:
            raise RuntimeError("the audit log shows no call of the operator on its Lease")
        return calls


def names_up_to(performers: int) -> list[str]:
    """The names of so many Performers."""
    return [f"p{number}" for number in range(performers)]


def described(result: object) -> str:
    """A creation or the seconds of a deletion, for the log."""
    if not isinstance(result, Creation):
        return f"all deleted after {result:.1f} s"
    return (
        f"all Running after {result.total:.1f} s,"
        f" create to Running p50 {result.p50:.1f} s, p99 {result.p99:.1f} s"
    )


def log(line: str) -> None:
    """Print with the time: a run takes many minutes."""
    print(time.strftime("%H:%M:%S"), line, flush=True)
