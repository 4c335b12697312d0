"""ClusterRoles that gather the rules of others."""

from typing import Any

from hourglass_simulator.cluster import Cluster

READ = {"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}


def rules(cluster: Cluster, name: str) -> Any:
    return cluster.api.get("clusterroles", "", name).get("rules")


def test_the_roles_of_users_have_the_rules_that_are_labelled_for_them() -> None:
    cluster = Cluster()
    cluster.api.enable_rbac()
    cluster.run_until(1)
    assert {"apiGroups": [""], "resources": ["secrets"]}.items() <= {
        key: value
        for rule in rules(cluster, "edit")
        if "secrets" in rule["resources"]
        for key, value in {**rule, "resources": ["secrets"]}.items()
    }.items()
    label = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    cluster.api.create(
        "clusterroles", {"metadata": {"name": "things", "labels": label}, "rules": [READ]}
    )
    cluster.run_until(2)
    # What may be viewed may be viewed by those who may edit and administer, too.
    assert all(READ in rules(cluster, name) for name in ("view", "edit", "admin"))
    cluster.api.delete("clusterroles", "", "things")
    cluster.run_until(3)
    assert all(READ not in rules(cluster, name) for name in ("view", "edit", "admin"))
