"""The operator as a process beside the cluster, and the Performers that it works on."""

from operators.account import account_kubeconfig, account_user, operator_account
from operators.audit import FEWEST_CALLS, MOST_CALLS, Audit, Calls
from operators.namespace_state import problems
from operators.performers import Performers, Wanted, performer_manifest
from operators.process import Operator
from operators.relay import Relay
from operators.running import SHORT_LEASE, own_flags, redirect, running
from operators.stream import Stream, Work
from operators.writes import calls, stray, terms

__all__ = [
    "FEWEST_CALLS",
    "MOST_CALLS",
    "SHORT_LEASE",
    "Audit",
    "Calls",
    "Operator",
    "Performers",
    "Relay",
    "Stream",
    "Wanted",
    "Work",
    "account_kubeconfig",
    "account_user",
    "calls",
    "operator_account",
    "own_flags",
    "performer_manifest",
    "problems",
    "redirect",
    "running",
    "stray",
    "terms",
]
