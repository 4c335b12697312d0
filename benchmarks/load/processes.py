"""CPU and memory of processes, as Linux counts them: proc_pid_stat(5), proc_pid_status(5)."""

import os
from collections.abc import Mapping
from pathlib import Path

OTHERS = "all others"
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used, its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_megabytes(pid: int) -> float:
    """The most resident memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024


def busy_seconds() -> float:
    """What all processes of the machine have used of all its cores: proc_stat(5)."""
    user, nice, system, _, _, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / _TICKS


class CpuMeter:
    """CPU seconds of several processes, and of all others, since the meter was made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = self._now()

    def used(self) -> dict[str, float]:
        """Seconds by process; `OTHERS` much above zero: the machine was not quiet."""
        return {name: seconds - self._before[name] for name, seconds in self._now().items()}

    def _now(self) -> dict[str, float]:
        own = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        return own | {OTHERS: busy_seconds() - sum(own.values())}


def listed(cpu: Mapping[str, float]) -> str:
    """CPU seconds by process, the most first."""
    used = sorted(cpu.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in used if seconds >= 0.05)
