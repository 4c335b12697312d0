"""Which FlowSchema and which priority level a request belongs to, as answers say in their headers.

No request waits here.

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/util/flowcontrol/rule.go
"""

from collections.abc import Mapping, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.authorization import Attributes
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.users import account_of

_SCHEMAS, _LEVELS = "flowschemas", "prioritylevelconfigurations"
_ANY = "*"


class FlowControl:
    """Sorts requests by the FlowSchemas of the store as they are when one comes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def headers(self, asked: Attributes) -> Mapping[str, str]:
        """Those of the answer to a request; none where no FlowSchema is for it."""
        schemas, levels = (self._store.table(each) for each in (_SCHEMAS, _LEVELS))
        for schema in sorted(schemas.all() if schemas else (), key=_precedence):
            level = levels and levels.find("", schema["spec"]["priorityLevelConfiguration"]["name"])
            rules = schema["spec"].get("rules") or ()
            if level and any(_applies(rule, asked) for rule in rules):
                return {
                    "X-Kubernetes-PF-FlowSchema-UID": schema["metadata"]["uid"],
                    "X-Kubernetes-PF-PriorityLevel-UID": level["metadata"]["uid"],
                }
        return {}


def _precedence(schema: JSON) -> tuple[int, str]:
    return schema["spec"]["matchingPrecedence"], schema["metadata"]["name"]


def _applies(rule: JSON, asked: Attributes) -> bool:
    if not any(_is_subject(each, asked) for each in rule.get("subjects") or ()):
        return False
    if asked.path:
        return any(_is_path(each, asked) for each in rule.get("nonResourceRules") or ())
    return any(_is_resource(each, asked) for each in rule.get("resourceRules") or ())


def _is_subject(subject: JSON, asked: Attributes) -> bool:
    user = asked.user
    if subject["kind"] == "User":
        return subject["user"]["name"] in (_ANY, user.name)
    if subject["kind"] == "Group":
        name = subject["group"]["name"]
        return name == _ANY or name in user.groups
    wanted, account = subject["serviceAccount"], account_of(user.name)
    if account is None or account[0] != wanted["namespace"]:
        return False
    return wanted["name"] in (_ANY, account[1])


def _has(values: Sequence[str], value: str) -> bool:
    return _ANY in values or value in values


def _is_resource(rule: JSON, asked: Attributes) -> bool:
    in_scope = (
        _has(rule.get("namespaces") or (), asked.namespace)
        if asked.namespace
        else rule.get("clusterScope", False)
    )
    return bool(
        in_scope
        and _has(rule["verbs"], asked.verb)
        and _has(rule["apiGroups"], asked.group)
        and _has(rule["resources"], asked.whole_resource)
    )


def _is_path(rule: JSON, asked: Attributes) -> bool:
    def matches(url: str) -> bool:
        if url.endswith(_ANY):
            return asked.path.startswith(url.removesuffix(_ANY))
        return asked.path == url

    return _has(rule["verbs"], asked.verb) and any(map(matches, rule["nonResourceURLs"]))
