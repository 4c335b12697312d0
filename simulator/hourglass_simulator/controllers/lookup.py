"""An object that a controller needs and that may be gone."""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.controllers.workqueue import Key

_NOT_FOUND = 404


def find(api: APIServer, resource: str, key: Key, user: str) -> JSON | None:
    """The object with that namespace and name, None if there is none; raises other APIErrors."""
    try:
        return api.get(resource, *key, user=user)
    except APIError as error:
        if error.code == _NOT_FOUND:
            return None
        raise
