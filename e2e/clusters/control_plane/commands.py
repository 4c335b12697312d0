"""etcd and the control plane: their command lines and files.

Flags: https://kubernetes.io/docs/reference/command-line-tools-reference/
"""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clusters.control_plane.ports import Ports

SERVICE_RANGE = "10.96.0.0/16"
LOOPBACK = "127.0.0.1"

Users = Mapping[str, tuple[str, str]]
"""Who comes with a kubeconfig of its own → user and group: the audit log distinguishes them."""

USERS: Users = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kwok": ("kwok", "system:masters"),
}
"""Those of every cluster."""

AUDIT_POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "verbs": ["list"], "userGroups": ["system:serviceaccounts"]},
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}
"""Every mutating call, and the lists of ServiceAccounts, such as the operator's.

https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""


@dataclass(frozen=True)
class Files:
    """Where the control plane keeps what it needs, below one folder."""

    folder: Path

    @property
    def certificates(self) -> Path:
        """The folder in which the API server makes its own certificate."""
        return self.folder / "certs"

    @property
    def authority(self) -> Path:
        """The certificate by which clients know the API server."""
        return self.certificates / "apiserver.crt"

    @property
    def account_key(self) -> Path:
        """The private key that signs ServiceAccount tokens."""
        return self.certificates / "service-accounts.key"

    @property
    def tokens(self) -> Path:
        """Token, user, uid and group of everybody who has a kubeconfig."""
        return self.folder / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        """`AUDIT_POLICY`."""
        return self.folder / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """One JSON event a line."""
        return self.folder / "log" / "audit.log"

    def kubeconfig(self, who: str) -> Path:
        """The kubeconfig of one of the users."""
        return self.folder / f"{who}.kubeconfig"


def new_tokens(users: Users) -> dict[str, str]:
    """A token for each of the users."""
    return {who: secrets.token_hex(16) for who in users}


def tokens_csv(users: Users, tokens: Mapping[str, str]) -> str:
    """The API server's token file."""
    rows = []
    for who, token in tokens.items():
        user, group = users[who]
        rows.append(f'{token},{user},{who},"{group}"\n')
    return "".join(rows)


def kubeconfig(token: str, authority: Path, server: str) -> str:
    """A kubeconfig that knows the API server by its certificate, as JSON (which is YAML)."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "native",
                    "cluster": {"server": server, "certificate-authority": str(authority)},
                }
            ],
            "users": [{"name": "native", "user": {"token": token}}],
            "contexts": [{"name": "native", "context": {"cluster": "native", "user": "native"}}],
            "current-context": "native",
        },
        indent=1,
    )


def etcd(folder: Path, ports: Ports) -> list[str]:
    """Speed before safety: the data goes away with the cluster."""
    client = f"http://{LOOPBACK}:{ports.etcd}"
    return [
        "etcd",
        f"--data-dir={folder / 'etcd'}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls=http://{LOOPBACK}:{ports.etcd_peer}",
    ]


def apiserver(
    program: Path, files: Files, ports: Ports, address: str, gates: Collection[str] = ()
) -> list[str]:
    """With RBAC, the audit log and these feature gates; without the WatchList feature.

    It serves on an address of this machine.
    """
    return [
        str(program),
        f"--etcd-servers=http://{LOOPBACK}:{ports.etcd}",
        f"--bind-address={address}",
        f"--secure-port={ports.apiserver}",
        f"--advertise-address={address}",
        f"--cert-dir={files.certificates}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={files.account_key}",
        f"--service-account-signing-key-file={files.account_key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--audit-policy-file={files.audit_policy}",
        f"--audit-log-path={files.audit_log}",
        # One file: whoever counts calls goes on reading where the last count ended.
        "--audit-log-maxsize=10000",
        # Needs progress requests, which etcd 3.4 (Debian 12) does not have.
        ",".join(["--feature-gates=WatchList=false", *(f"{gate}=true" for gate in sorted(gates))]),
        # No pod is there to ask for the Service `kubernetes`, which 1.37 lets nobody point to it.
        *(["--endpoint-reconciler-type=none"] if address == LOOPBACK else []),
    ]


# Without these limits thousands of pods on fake nodes would measure the clients' own throttle.
_UNTHROTTLED = ["--kube-api-qps=1000", "--kube-api-burst=1000"]


def controller_manager(program: Path, files: Files, ports: Ports) -> list[str]:
    """All controllers, each with the ServiceAccount that RBAC knows it by."""
    return [
        str(program),
        f"--kubeconfig={files.kubeconfig('controller-manager')}",
        "--leader-elect=false",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.controller_manager}",
        f"--service-account-private-key-file={files.account_key}",
        # What pods find as ca.crt beside their token.
        f"--root-ca-file={files.authority}",
        "--use-service-account-credentials",
        *_UNTHROTTLED,
    ]


def scheduler(program: Path, files: Files, ports: Ports) -> list[str]:
    """The default scheduler."""
    return [
        str(program),
        f"--kubeconfig={files.kubeconfig('scheduler')}",
        "--leader-elect=false",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.scheduler}",
        *_UNTHROTTLED,
    ]
