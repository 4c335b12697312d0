"""FlowSchemas say whether there is their priority level."""

from typing import Any

import pytest

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers.flowschemas import MANAGER

GROUP = {"kind": "Group", "group": {"name": "g"}}
LEVEL = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}


def conditions(cluster: Cluster, name: str) -> Any:
    return cluster.api.get("flowschemas", "", name)["status"].get("conditions")


@pytest.mark.parametrize("managed_fields", [True, False], ids=["with owners", "without owners"])
def test_a_flow_schema_dangles_until_there_is_its_level(managed_fields: bool) -> None:
    cluster = Cluster(managed_fields=managed_fields)
    cluster.control_flow()
    cluster.run_until(1)
    before = cluster.api.resource_version
    cluster.run_until(2)
    assert cluster.api.resource_version == before
    schema = cluster.api.create(
        "flowschemas",
        {
            "metadata": {"name": "one"},
            "spec": {
                "priorityLevelConfiguration": {"name": "later"},
                "rules": [
                    {
                        "subjects": [GROUP],
                        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
                    }
                ],
            },
        },
    )
    assert "conditions" not in schema["status"]
    cluster.run_until(3)
    about = 'This FlowSchema references the PriorityLevelConfiguration object named "later"'
    [found] = conditions(cluster, "one")
    assert {**found, "lastTransitionTime": ""} == {
        "type": "Dangling",
        "status": "True",
        "lastTransitionTime": "",
        "reason": "NotFound",
        "message": f"{about} but there is no such object",
    }
    cluster.api.create(
        "prioritylevelconfigurations", {"metadata": {"name": "later"}, "spec": LEVEL}
    )
    cluster.run_until(4)
    [found] = conditions(cluster, "one")
    assert (found["status"], found["message"]) == ("False", f"{about} and it exists")
    owners = cluster.api.get("flowschemas", "", "one")["metadata"].get("managedFields", [])
    written = [(each["manager"], each["operation"]) for each in owners if "subresource" in each]
    assert written == ([(MANAGER, "Apply")] if managed_fields else [])
