"""Whether the operator knows what there is, once nothing is under way any more."""

from collections.abc import Iterator

from hourglass_kube.node import view as node_view
from hourglass_operator.controller.cache import RESOURCES, Cache
from hourglass_operator.resources import names
from hourglass_operator.runtime.informers.selectors import SELECTORS
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.scenario.expect import Mismatch


def differences(cache: Cache, api: APIServer) -> Iterator[Mismatch]:
    """What the operator's cache says otherwise than the API server."""
    for resource in RESOURCES:
        found = api.list(resource, label_selector=SELECTORS[resource]).items
        for obj in found:
            meta = obj["metadata"]
            name = (meta.get("namespace", ""), meta["name"])
            if resource == "nodes":
                known = cache.nodes().get(name[1]) == node_view(obj)
            else:
                known = cache.version(resource, name) >= int(meta["resourceVersion"])
            if not known:
                subject = f"{resource[:-1]} {'/'.join(part for part in name if part)}"
                version = cache.version(resource, name)
                seen = f"version {version}" if version else "nothing"
                yield Mismatch(subject, f"the cache has version {meta['resourceVersion']}", seen)
    yield from _gone(cache, api)
    yield from _devices(cache, api)


def _gone(cache: Cache, api: APIServer) -> Iterator[Mismatch]:
    """What the cache has and the cluster has not."""
    there = {
        resource: {
            (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            for obj in api.list(resource).items
        }
        for resource in ("nodes", "performers", "pods", "services")
    }
    for node in cache.nodes():
        if ("", node) not in there["nodes"]:
            yield Mismatch(f"node {node}", "the cache has no such node", "it has")
    for key in sorted(cache.performers):
        if key not in there["performers"]:
            yield Mismatch(f"performer {'/'.join(key)}", "the cache has none", "it has")
        for pod in cache.pods(key):
            if (key[0], pod.name) not in there["pods"]:
                yield Mismatch(f"pod {key[0]}/{pod.name}", "the cache has none", "it has")
        service = cache.service(key)
        name = names.service_name(key[1])
        if service is not None and (key[0], name) not in there["services"]:
            yield Mismatch(f"service {key[0]}/{name}", "the cache has none", "it has")
        if service is not None:
            yield from _endpoints(cache, api, key, service.uid)


def _endpoints(
    cache: Cache, api: APIServer, key: tuple[str, str], service: str
) -> Iterator[Mismatch]:
    ready = {
        endpoint["targetRef"]["name"]
        for each in api.list("endpointslices", key[0]).items
        if any(o["uid"] == service for o in each["metadata"].get("ownerReferences") or ())
        for endpoint in each.get("endpoints") or ()
        if endpoint["conditions"].get("ready") is not False and endpoint.get("targetRef")
    }
    known = cache.ready_endpoints(key, service)
    if known != ready:
        expected = f"the cache has the ready endpoints {', '.join(sorted(ready)) or 'none'}"
        subject = f"performer {'/'.join(key)}"
        yield Mismatch(subject, expected, ", ".join(sorted(known)) or "none")


def _devices(cache: Cache, api: APIServer) -> Iterator[Mismatch]:
    """A device that a pod has given back is free."""
    there = {
        (obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in api.list("pods").items
    }
    held: dict[str, dict[str, int]] = {}
    for key in sorted(cache.performers):
        for pod in cache.pods(key):
            if (key[0], pod.name) in there and not pod.ended and not pod.over:
                of_node = held.setdefault(pod.node, {})
                for resource, count in pod.devices:
                    of_node[resource] = of_node.get(resource, 0) + count
    for node, used in sorted(cache.used().items()):
        for resource, count in sorted(used.items()):
            holds = held.get(node, {}).get(resource, 0)
            if count > holds:
                expected = f"pods of Performers hold {holds} {resource}"
                yield Mismatch(f"node {node}", expected, f"the cache says {count}")
