"""The pure parts of the clusters `native` and `control-plane`: command lines, files, cleaning."""

import csv
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clusters import UnavailableError, control_plane, packages
from clusters.control_plane import commands
from clusters.control_plane.commands import LOOPBACK, Files
from clusters.native import leftovers, node
from clusters.native.network import API_ADDRESS, Ports
from e2e_clusters.executables import Executables

PORTS = Ports(1, 2, 3, 4, 5, 6, 7, 8, 9)
FILES = Files(Path("/state"))
PROGRAM = Path("/bin/program")
USERS = {**commands.USERS, **node.USERS}
COMMANDS = {
    "etcd": commands.etcd(FILES.folder, PORTS),
    "kube-apiserver": commands.apiserver(PROGRAM, FILES, PORTS, API_ADDRESS),
    "kube-apiserver on loopback": commands.apiserver(PROGRAM, FILES, PORTS, LOOPBACK),
    "kube-controller-manager": commands.controller_manager(PROGRAM, FILES, PORTS),
    "kube-scheduler": commands.scheduler(PROGRAM, FILES, PORTS),
    "kubelet": node.kubelet(PROGRAM, FILES.folder, FILES.kubeconfig("kubelet")),
    "kube-proxy": node.kube_proxy(PROGRAM, FILES, PORTS),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_flag_is_given_once_with_a_value(name: str) -> None:
    flags = [flag.split("=")[0] for flag in COMMANDS[name][1:]]
    assert len(flags) == len(set(flags))
    assert all(flag.startswith("--") for flag in flags)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_works_in_the_folder_of_the_cluster(name: str) -> None:
    assert any(f"{FILES.folder}/" in flag for flag in COMMANDS[name])


def test_nobody_listens_on_the_port_of_another() -> None:
    ports = astuple(Ports.free())
    assert len(set(ports)) == len(ports)


def test_a_control_plane_is_taken_down_to_its_logs(tmp_path: Path) -> None:
    (tmp_path / "etcd" / "member").mkdir(parents=True)
    (tmp_path / "admin.kubeconfig").touch()
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "etcd.log").touch()
    control_plane.take_down(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert (tmp_path / "log" / "etcd.log").exists()


def test_everybody_has_a_token_user_and_groups_of_their_own() -> None:
    tokens = commands.new_tokens(USERS)
    rows = list(csv.reader(commands.tokens_csv(USERS, tokens).splitlines()))
    assert {row[0] for row in rows} == set(tokens.values())
    assert [row[1:] for row in rows] == [[user, who, group] for who, (user, group) in USERS.items()]
    assert len({row[1] for row in rows}) == len(rows)


def test_a_kubeconfig_knows_the_api_server_by_its_certificate() -> None:
    server = "https://127.0.0.1:6443"
    config = yaml.safe_load(commands.kubeconfig("secret", FILES.authority, server))
    assert config["clusters"][0]["cluster"] == {
        "server": server,
        "certificate-authority": "/state/certs/apiserver.crt",
    }
    assert config["users"][0]["user"] == {"token": "secret"}


def test_feature_gates_are_on_in_the_api_server_and_the_kubelet() -> None:
    gates = ["ResourceHealthStatus"]
    flags = commands.apiserver(PROGRAM, FILES, PORTS, API_ADDRESS, gates)
    assert "--feature-gates=WatchList=false,ResourceHealthStatus=true" in flags
    config = json.loads(node.kubelet_config(FILES.folder, PORTS, gates))
    assert config["featureGates"] == {"ResourceHealthStatus": True}


def test_the_audit_log_holds_mutating_calls_and_the_lists_of_service_accounts() -> None:
    assert commands.AUDIT_POLICY["omitStages"] == ["RequestReceived"]
    # The first rule that matches decides.
    lists, reads, rest = commands.AUDIT_POLICY["rules"]
    assert lists == {
        "level": "Metadata",
        "verbs": ["list"],
        "userGroups": ["system:serviceaccounts"],
    }
    assert reads == {"level": "None", "verbs": ["get", "list", "watch"]}
    assert rest == {"level": "Metadata"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("failCgroupV1", False, id="it starts with cgroup v1"),
        pytest.param("oomScoreAdj", 0, id="it starts without CAP_SYS_RESOURCE"),
        pytest.param("failSwapOn", False, id="it starts with swap"),
        pytest.param("podLogsDir", "/state/pod-logs", id="it keeps logs in the cluster's folder"),
        pytest.param("clusterDNS", ["10.96.0.10"], id="pods ask the cluster's DNS"),
    ],
)
def test_the_kubelet(key: str, value: Any) -> None:
    assert json.loads(node.kubelet_config(FILES.folder, PORTS))[key] == value


def test_dns_answers_where_the_service_points() -> None:
    service, endpoints = node.dns_service(PORTS)["items"]
    assert {port["targetPort"] for port in service["spec"]["ports"]} == {PORTS.dns}
    assert {port["port"] for port in endpoints["ports"]} == {PORTS.dns}
    assert endpoints["endpoints"] == [{"addresses": [API_ADDRESS]}]
    assert node.corefile(Path("/k"), PORTS).startswith(f"cluster.local:{PORTS.dns} {{")


RULES = """\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -j KUBE-SVC-NPX46M4PTMTKRN6Y
COMMIT
"""


def test_only_the_rules_of_kubernetes_go() -> None:
    assert leftovers.without_kubernetes(RULES) == (
        "*nat\n"
        ":PREROUTING ACCEPT [0:0]\n"
        ":DOCKER - [0:0]\n"
        "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
        "COMMIT\n"
    )


NAMES = st.sampled_from(["a", "b", "state", "stateful"])
POINTS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(POINTS, unique=True))
def test_mounts_go_before_what_they_lie_in_and_others_stay(points: list[str]) -> None:
    mounts = "".join(f"tmpfs {point} tmpfs rw 0 0\n" for point in points)
    found = leftovers.mounts_below(Path("/state"), mounts)
    assert sorted(found) == sorted(point for point in points if point.startswith("/state/"))
    for position, outer in enumerate(found):
        assert not any(inner.startswith(f"{outer}/") for inner in found[position:])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_missing_packages_are_installed(executables: Executables) -> None:
    executables.add("apt-get", "")
    logged = list[str]()
    packages.install_missing({"runc": "runc", "ctr": "containerd", "sh": "dash"}, logged.append)
    assert logged == ["installing containerd, runc by apt-get"]
    assert executables.calls() == [
        "apt-get -qq update",
        "apt-get -qq install -y --no-install-recommends containerd runc",
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(None, "missing, and no apt-get to install it: runc", id="no apt-get"),
        pytest.param(
            "echo no network >&2; exit 100",
            "apt-get update failed: no network",
            id="apt-get fails",
        ),
    ],
)
def test_packages_that_cannot_be_installed(
    executables: Executables, script: str | None, reason: str
) -> None:
    if script is not None:
        executables.add("apt-get", script)
    with pytest.raises(UnavailableError, match=reason):
        packages.install_missing({"runc": "runc"}, lambda _: None)
