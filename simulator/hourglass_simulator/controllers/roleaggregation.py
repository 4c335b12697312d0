"""Keeps the rules of ClusterRoles that aggregate those of others.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go
"""

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock

SYNC_SECONDS = 0.05
RETRY_SECONDS = 1.0
USER = "system:serviceaccount:kube-system:clusterrole-aggregation-controller"


class RoleAggregation:
    """Whatever changes a ClusterRole may change those that aggregate it."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._roles: dict[str, JSON] = {}
        self._due = False
        api.watch("clusterroles", sink=self._event)

    def _event(self, event: WatchEvent) -> None:
        name = event.object["metadata"]["name"]
        if event.type == "DELETED":
            self._roles.pop(name, None)
        else:
            self._roles[name] = event.object
        self._soon()

    def _soon(self, seconds: float = SYNC_SECONDS) -> None:
        if not self._due:
            self._due = True
            self._clock.after(seconds, self._sync)

    def _sync(self) -> None:
        self._due = False
        for name, role in sorted(self._roles.items()):
            if not role.get("aggregationRule"):
                continue
            rules = self._rules(role)
            if rules == (role.get("rules") or []):
                continue
            try:
                self._api.patch("clusterroles", "", name, {"rules": rules}, user=USER)
            except (APIError, CallTimeoutError) as error:
                if not isinstance(error, APIError) or error.code != 404:
                    self._soon(RETRY_SECONDS)

    def _rules(self, role: JSON) -> list[JSON]:
        """The rules of all that a role selects, each once, in the order of their names."""
        found: list[JSON] = []
        for wanted in role["aggregationRule"].get("clusterRoleSelectors") or ():
            for name, other in sorted(self._roles.items()):
                own = name == role["metadata"]["name"]
                if own or not selector.matches(wanted, other["metadata"].get("labels") or {}):
                    continue
                found += [rule for rule in other.get("rules") or () if rule not in found]
        return found
