"""Permissions taken away, as RBAC would refuse them."""

from dataclasses import dataclass, field

from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.apiserver.resources import Resource


@dataclass
class Denials:
    """An interceptor; `denied` holds (user, verb, resource or resource/subresource)."""

    resources: dict[str, Resource]
    denied: set[tuple[str, str, str]] = field(default_factory=set)

    def allows(self, user: str, verb: str, resource: str) -> bool:
        """Whether a user may."""
        return (user, verb, resource) not in self.denied

    def before(self, call: Call) -> None:
        """Refuse, with the message of https://kubernetes.io/docs/reference/access-authn-authz/rbac/."""
        what = "/".join(part for part in (call.resource, call.subresource) if part)
        if self.allows(call.user, call.verb, what):
            return
        resource = self.resources[call.resource]
        where = f'in the namespace "{call.namespace}"' if call.namespace else "at the cluster scope"
        name = f' "{call.name}"' if call.name else ""
        raise APIError(
            403,
            "Forbidden",
            f'{resource.qualified}{name} is forbidden: User "{call.user}" cannot {call.verb}'
            f' resource "{what}" in API group "{resource.group}" {where}',
            {"name": call.name, "group": resource.group, "kind": resource.plural},
        )

    def after(self, call: Call) -> None:
        """Nothing."""
