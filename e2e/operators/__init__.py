"""The operator as a process beside the cluster, and the Performers that it works on."""

from operators.account import operator_account
from operators.census import complaints
from operators.line import Line
from operators.performers import Performers, Wanted
from operators.process import Operator
from operators.running import SHORT_LEASE, own_flags, redirect, running
from operators.stream import Stream, Work
from operators.writes import calls, stray, terms

__all__ = [
    "SHORT_LEASE",
    "Line",
    "Operator",
    "Performers",
    "Stream",
    "Wanted",
    "Work",
    "calls",
    "complaints",
    "operator_account",
    "own_flags",
    "redirect",
    "running",
    "stray",
    "terms",
]
