"""Pods: their creation, what may change in them, and their subresources.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Mapping, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import (
    addresses,
    containers,
    names,
    object_meta,
    pod_annotations,
    scheduling,
    valid_specs,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    duplicate,
    each,
    forbidden,
    immutable,
    in_range,
    invalid,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import difference, printed
from hourglass_simulator.apiserver.rules.pod_annotations import APPARMOR, MIRROR

_CONTAINERS = ("containers", "initContainers")
_LARGEST_DEADLINE = 2**31 - 1
_MOVABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def created(pod: JSON) -> Faults:
    """What is wrong with a new pod."""
    yield from object_meta.created("pods", pod["metadata"])
    yield from _whole(pod)
    spec, meta = pod["spec"], pod["metadata"]
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        why = "cannot be set until all schedulingGates have been cleared"
        yield forbidden("spec.nodeName", why)
    yield from pod_annotations.agreeing("spec", meta, spec)


def _whole(pod: JSON) -> Faults:
    spec, meta = pod["spec"], pod["metadata"]
    yield from pod_annotations.annotations("metadata.annotations", meta, spec)
    yield from valid_specs.faults(spec, meta)


def _changed(new: JSON, old: JSON) -> Faults:
    """What every update of a pod is looked at for."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "pods")
    if new["metadata"] is not old["metadata"]:
        yield from object_meta.created("pods", new["metadata"])
    if new["spec"] != old["spec"] or new["metadata"].get("annotations"):
        yield from _whole(new)
    yield from _annotations(new, old)


def _annotations(new: JSON, old: JSON) -> Faults:
    path = "metadata.annotations"
    given: Mapping[str, str] = new["metadata"].get("annotations") or {}
    before: Mapping[str, str] = old["metadata"].get("annotations") or {}
    for key in sorted(before):
        if given.get(key) == before[key]:
            continue
        if key.startswith(APPARMOR):
            yield forbidden(f"{path}[{key}]", "may not remove or update AppArmor annotations")
        if key == MIRROR:
            yield forbidden(f"{path}[{key}]", "may not remove or update mirror pod annotation")
    for key in sorted(given.keys() - before.keys()):
        if key.startswith(APPARMOR):
            yield forbidden(f"{path}[{key}]", "may not add AppArmor annotations")
        if key == MIRROR:
            yield forbidden(f"{path}[{key}]", "may not add mirror pod annotation")
    yield from pod_annotations.annotations(path, new["metadata"], new["spec"])


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed pod."""
    yield from _changed(new, old)
    spec, before = new["spec"], old["spec"]
    for kind in _CONTAINERS:
        given = spec.get(kind) or []
        if len(given) != len(before.get(kind) or ()):
            yield forbidden(f"spec.{kind}", "pod updates may not add or remove containers")
            return
        for index, container in enumerate(given):
            if not container.get("image"):
                yield required(f"spec.{kind}[{index}].image")
            yield from containers.untrimmed_image(f"spec.{kind}[{index}]", container)
    deadline = list(_deadline(spec, before))
    yield from deadline
    if deadline and spec.get("activeDeadlineSeconds") is not None:
        return
    tolerations = spec.get("tolerations") or [], before.get("tolerations") or []
    yield from scheduling.only_added_tolerations("spec.tolerations", *tolerations)
    yield from _gates(spec.get("schedulingGates") or [], before.get("schedulingGates") or [])
    if spec == before:
        return
    munged = _munged(spec, before)
    if before.get("schedulingGates"):
        yield from _directives(munged, before)
        munged = _with_directives(munged, before)
    if munged != before:
        why = f"pod updates may not change fields other than {_MOVABLE}\n"
        yield forbidden("spec", why + difference("core.PodSpec", before, munged))


def _deadline(spec: JSON, before: JSON) -> Faults:
    field, new, old = (
        "spec.activeDeadlineSeconds",
        *(s.get("activeDeadlineSeconds") for s in (spec, before)),
    )
    if new is None:
        if old is not None:
            yield invalid(field, None, "must not update from a positive integer to nil value")
    elif not 0 <= new <= _LARGEST_DEADLINE:
        yield invalid(field, new, in_range(0, _LARGEST_DEADLINE))
    elif old is not None and old < new:
        yield invalid(field, new, "must be less than or equal to previous value")


def _gates(new: Sequence[JSON], old: Sequence[JSON]) -> Faults:
    known = [gate["name"] for gate in old]
    for index, gate in enumerate(new):
        if gate["name"] not in known:
            why = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield forbidden(f"spec.schedulingGates[{index}].name", why)


def _munged(spec: JSON, before: JSON) -> JSON:
    """The spec with all that may change as it was."""
    result = dict(spec)
    for field in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _put_back(result, field, before)
    for kind in _CONTAINERS:
        if kind in spec:
            result[kind] = [
                {**container, "image": own["image"]} if "image" in own else container
                for container, own in zip(spec[kind], before[kind], strict=True)
            ]
    grace = "terminationGracePeriodSeconds"
    if (before.get(grace) or 0) < 0 and spec.get(grace) == 1:
        result[grace] = before[grace]
    return result


def _put_back(result: JSON, field: str, before: JSON) -> None:
    if field in before:
        result[field] = before[field]
    else:
        result.pop(field, None)


def _directives(spec: JSON, before: JSON) -> Faults:
    """What of scheduling may change while it has not begun: it may only become stricter."""
    selector, old = spec.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if any(selector.get(key) != value for key, value in old.items()):
        why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield invalid("spec.nodeSelector", selector or None, why)
    terms, terms_before = _terms(spec), _terms(before)
    if terms == terms_before or not terms_before:
        return
    path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    path += ".nodeSelectorTerms"
    if len(terms) != len(terms_before):
        why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield invalid(path, printed("[]core.NodeSelectorTerm", terms), why)
        return
    for index, (term, own) in enumerate(zip(terms, terms_before, strict=True)):
        if not _only_adds(term, own):
            why = "only additions are allowed (no mutations or deletions)"
            yield invalid(f"{path}[{index}]", printed("core.NodeSelectorTerm", term), why)


def _terms(spec: JSON) -> list[JSON]:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required_terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms: list[JSON] = required_terms.get("nodeSelectorTerms") or []
    return terms


def _only_adds(term: JSON, before: JSON) -> bool:
    fields = ("matchExpressions", "matchFields")
    if not any(before.get(field) for field in fields):
        return not any(term.get(field) for field in fields)
    for field in fields:
        own = before.get(field) or []
        if (term.get(field) or [])[: len(own)] != own:
            return False
    return True


def _with_directives(spec: JSON, before: JSON) -> JSON:
    result = dict(spec)
    _put_back(result, "nodeSelector", before)
    affinity = dict(spec.get("affinity") or {})
    _put_back(affinity, "nodeAffinity", before.get("affinity") or {})
    if affinity or "affinity" in before:
        result["affinity"] = affinity
    else:
        result.pop("affinity", None)
    return result


def ephemeral_containers(new: JSON, old: JSON) -> Faults:
    """What is wrong with containers that are added to a running pod."""
    found = list(_changed(new, old))
    if MIRROR in (old["metadata"].get("annotations") or {}):
        yield forbidden("", "static pods do not support ephemeral containers")
        return
    yield from found
    path = "spec.ephemeralContainers"
    given = {c.get("name"): c for c in new["spec"].get("ephemeralContainers") or ()}
    for own in old["spec"].get("ephemeralContainers") or ():
        name = own.get("name")
        if name not in given:
            yield forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n')
        elif given[name] != own:
            why = f'existing ephemeral containers "{name}" may not be changed\n'
            yield forbidden(path, why + difference("core.EphemeralContainer", own, given[name]))


def resized(new: JSON, old: JSON, classes: tuple[str, str]) -> Faults:
    """What is wrong with a pod that asks for more or less; `classes` of service: new, old."""
    yield from _changed(new, old)
    spec, before = new["spec"], old["spec"]
    if classes[0] != classes[1]:
        why = "Pod QOS Class may not change as a result of resizing"
        yield invalid("spec", classes[1], why)
    order = [*_order(spec, before, "containers"), *_order(spec, before, "initContainers")]
    yield from order
    if order:
        return
    sidecars = [c.get("restartPolicy") == "Always" for c in before.get("initContainers") or ()]
    for index, own in enumerate(before.get("initContainers") or ()):
        if sidecars[index]:
            field = f"spec.initContainers[{index}].resources"
            yield from _removed(field, spec["initContainers"][index], own)
    for index, own in enumerate(before.get("containers") or ()):
        yield from _removed(f"spec.containers[{index}].resources", spec["containers"][index], own)
    for container, own in zip(spec["containers"], before["containers"], strict=True):
        if _without_amounts(container, own) != own:
            yield forbidden("spec", "only cpu and memory resources are mutable")
    for index, own in enumerate(before.get("initContainers") or ()):
        container = spec["initContainers"][index]
        if sidecars[index]:
            if _without_amounts(container, own) != own:
                why = "only cpu and memory resources for sidecar containers are mutable"
                yield forbidden("spec", why)
        elif container != own:
            yield forbidden("spec", "resources for non-sidecar init containers are immutable")


def _order(spec: JSON, before: JSON, kind: str) -> Faults:
    given, own = spec.get(kind) or [], before.get(kind) or []
    if len(given) != len(own):
        yield forbidden(f"spec.{kind}", f"{kind} may not be added or removed on resize")
        return
    for index, (container, old) in enumerate(zip(given, own, strict=True)):
        if container.get("name") != old.get("name"):
            why = f"{kind} may not be renamed or reordered on resize"
            yield forbidden(f"spec.{kind}[{index}].name", why)


def _removed(path: str, container: JSON, own: JSON) -> Faults:
    for kind in ("requests", "limits"):
        given = (container.get("resources") or {}).get(kind) or {}
        if ((own.get("resources") or {}).get(kind) or {}).keys() - given.keys():
            yield forbidden(f"{path}.{kind}", f"resource {kind} cannot be removed")


def _without_amounts(container: JSON, own: JSON) -> JSON:
    """A container with the cpu and the memory that it had."""
    asked, before = container.get("resources") or {}, own.get("resources") or {}
    result = {}
    for kind in ("limits", "requests"):
        if not before.get(kind):
            continue
        amounts = dict(asked.get(kind) or {})
        for name in ("cpu", "memory"):
            _put_back(amounts, name, before[kind])
        result[kind] = amounts
    return {**container, "resources": result}


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "pods")
    yield from _annotations(new, old)
    found, before = new.get("status") or {}, old.get("status") or {}
    for index, condition in enumerate(found.get("conditions") or ()):
        kind, path = condition.get("type") or "", f"status.conditions[{index}]"
        if (condition.get("observedGeneration") or 0) < 0:
            why = "must be a non-negative integer"
            yield invalid(f"{path}.observedGeneration", condition["observedGeneration"], why)
        if kind not in _SYSTEM_CONDITIONS:
            yield from each(f"{path}.Type", kind, names.qualified_name(kind))
    nominated = found.get("nominatedNodeName")
    if nominated and nominated != before.get("nominatedNodeName"):
        yield from each("status.nominatedNodeName", nominated, names.dns_subdomain(nominated))
    yield from immutable("status.qosClass", found.get("qosClass"), before.get("qosClass"))
    for kind in _STATUSES:
        yield from _states(kind, found.get(kind) or [], before.get(kind) or [], old["spec"])
    yield from _claim_statuses(found.get("resourceClaimStatuses") or [], new["spec"])
    yield from _pod_ips(found, before)
    yield from _host_ips(found, before)


def _states(kind: str, new: Sequence[JSON], old: Sequence[JSON], spec: JSON) -> Faults:
    """Containers that have ended for good do not run again."""
    restart = spec.get("restartPolicy") or "Always"
    if restart == "Always" and kind != "ephemeralContainerStatuses":
        return
    sidecars = [
        c.get("name")
        for c in spec.get("initContainers") or ()
        if c.get("restartPolicy") == "Always"
    ]
    for index, before in enumerate(old):
        ended = (before.get("state") or {}).get("terminated")
        again = restart == "OnFailure" and (ended or {}).get("exitCode")
        if kind == "ephemeralContainerStatuses":
            again = False
        if ended is None or again or before.get("name") in sidecars:
            continue
        for state in new:
            running = (state.get("state") or {}).get("terminated") is None
            if state.get("name") == before.get("name") and running:
                why = "may not be transitioned to non-terminated state"
                yield forbidden(f"status.{kind}[{index}].state", why)


def _claim_statuses(given: Sequence[JSON], spec: JSON) -> Faults:
    known = [claim.get("name") for claim in spec.get("resourceClaims") or ()]
    seen: set[str] = set()
    for index, one in enumerate(given):
        field, name = f"status.resourceClaimStatuses[{index}].name", one.get("name") or ""
        if name not in known:
            yield invalid(field, name, "must match the name of an entry in `spec.resourceClaims`")
        if name in seen:
            yield duplicate(field, name)
        seen.add(name)


def _pod_ips(found: JSON, before: JSON) -> Faults:
    own = [ip.get("ip") or "" for ip in found.get("podIPs") or ()]
    known = [ip.get("ip") or "" for ip in before.get("podIPs") or ()]
    for index, value in enumerate(own):
        yield from addresses.address(f"status.podIPs[{index}]", value, known)
    yield from _families("status.podIPs", own, "core.PodIP")


def _host_ips(found: JSON, before: JSON) -> Faults:
    own = [ip.get("ip") or "" for ip in found.get("hostIPs") or ()]
    known = [ip.get("ip") or "" for ip in before.get("hostIPs") or ()]
    if own and own[0] != (found.get("hostIP") or ""):
        yield invalid("status.hostIPs[0].ip", own[0], "must be equal to `hostIP`")
    for index, value in enumerate(own):
        yield from addresses.address(f"status.hostIPs[{index}]", value, known)
    yield from _families("status.hostIPs", own, "core.HostIP")


def _families(field: str, own: list[str], go_type: str) -> Faults:
    if len(own) > 1 and (len(own) > 2 or not addresses.is_dual_stack(own)):
        shown = printed(f"[]{go_type}", [{"ip": value} for value in own])
        yield invalid(field, shown, "may specify no more than one IP for each IP family")
