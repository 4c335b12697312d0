"""The operator as a process beside the cluster, and the Performers that it works on."""

from operators.account import operator_account
from operators.performers import Performers, Wanted
from operators.process import Operator
from operators.running import SHORT_LEASE, running

__all__ = ["SHORT_LEASE", "Operator", "Performers", "Wanted", "operator_account", "running"]
