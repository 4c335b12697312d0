"""What every namespace has on a real cluster: an account and the certificate of the API server.

https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/certificates/rootcacertpublisher/publisher.go
"""

from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock

LATENCY_SECONDS = 0.05
RETRY_SECONDS = 1.0

_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal"
    " endpoints such as the internal service IP or kubernetes.default.svc. No other usage is"
    " guaranteed across distributions of Kubernetes clusters."
)
_ACCOUNT = ("serviceaccounts", "default")
_CERTIFICATE = ("configmaps", "kube-root-ca.crt")
_USERS = {
    _ACCOUNT: "system:serviceaccount:kube-system:service-account-controller",
    _CERTIFICATE: "system:serviceaccount:kube-system:root-ca-cert-publisher",
}


class NamespaceContents:
    """Creates both in every namespace, and again when they are deleted.

    `authority` is the certificate by which pods would know the API server, in PEM.
    """

    def __init__(self, clock: Clock, api: APIServer, authority: str = "") -> None:
        self._clock = clock
        self._api = api
        self._objects: dict[tuple[str, str], JSON] = {
            _ACCOUNT: {"metadata": {"name": _ACCOUNT[1]}},
            _CERTIFICATE: {
                "metadata": {
                    "name": _CERTIFICATE[1],
                    "annotations": {"kubernetes.io/description": _DESCRIPTION},
                },
                "data": {"ca.crt": authority},
            },
        }
        api.watch("namespaces", sink=self._namespace)
        for resource, _ in self._objects:
            api.watch(resource, sink=partial(self._object, resource))

    def _namespace(self, event: WatchEvent) -> None:
        if event.type == "ADDED":
            for what in self._objects:
                self._soon(what, event.object["metadata"]["name"])

    def _object(self, resource: str, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        if event.type == "DELETED" and (resource, meta["name"]) in self._objects:
            self._soon((resource, meta["name"]), meta["namespace"])

    def _soon(
        self, what: tuple[str, str], namespace: str, seconds: float = LATENCY_SECONDS
    ) -> None:
        self._clock.after(seconds, lambda: self._create(what, namespace))

    def _create(self, what: tuple[str, str], namespace: str) -> None:
        resource, _ = what
        try:
            self._api.create(resource, self._objects[what], namespace=namespace, user=_USERS[what])
        except APIError as error:
            # It is there already, or the namespace is gone or going.
            if error.code not in (403, 404, 409):
                self._soon(what, namespace, RETRY_SECONDS)
        except CallTimeoutError:
            self._soon(what, namespace, RETRY_SECONDS)
