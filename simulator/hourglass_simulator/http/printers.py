"""What stands in the columns of the tables of built-in kinds.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/printers/internalversion/printers.go
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.schema_columns import age, lookup
from hourglass_simulator.http import autoscaler_columns, pod_columns

Cell = Callable[[JSON, datetime], Any]

NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"
_SHOWN_ENDPOINTS = 3
_ROLE = "node-role.kubernetes.io/"
_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _at(path: str, default: Any = NONE) -> Cell:
    def cell(obj: JSON, _: datetime) -> Any:
        value = lookup(obj, path)
        return default if value in (None, "") else value

    return cell


def _since(path: str, default: str = UNKNOWN) -> Cell:
    def cell(obj: JSON, now: datetime) -> str:
        value = lookup(obj, path)
        return age(now - datetime.fromisoformat(value)) if value else default

    return cell


def _count(path: str) -> Cell:
    return lambda obj, _: len(lookup(obj, path) or ())


def _joined(values: Iterable[Any], default: str = NONE) -> str:
    return ",".join(map(str, values)) or default


def _ratio(have: str, want: str) -> Cell:
    return lambda obj, _: f"{lookup(obj, have) or 0}/{lookup(obj, want) or 0}"


def _labels(path: str) -> Cell:
    return lambda obj, _: _joined(f"{k}={v}" for k, v in sorted((lookup(obj, path) or {}).items()))


def _selector(path: str) -> Cell:
    """A label selector: https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#FormatLabelSelector."""

    def cell(obj: JSON, _: datetime) -> str:
        found = lookup(obj, path) or {}
        terms = [(k, f"{k}={v}") for k, v in (found.get("matchLabels") or {}).items()]
        terms += [(each["key"], _expression(each)) for each in found.get("matchExpressions") or ()]
        return _joined(text for _, text in sorted(terms))

    return cell


def _expression(each: JSON) -> str:
    key, operator = each["key"], each["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return key if operator == "Exists" else f"!{key}"
    return f"{key} {operator.lower()} ({','.join(sorted(each.get('values') or ()))})"


def _readiness_gates(obj: JSON, _: datetime) -> str:
    gates = obj["spec"].get("readinessGates") or []
    conditions = {c["type"]: c["status"] for c in obj.get("status", {}).get("conditions") or []}
    passed = sum(conditions.get(gate["conditionType"]) == "True" for gate in gates)
    return f"{passed}/{len(gates)}" if gates else NONE


def _node_state(obj: JSON, _: datetime) -> str:
    conditions = {c["type"]: c["status"] for c in obj.get("status", {}).get("conditions") or []}
    state = "Unknown"
    if "Ready" in conditions:
        state = "Ready" if conditions["Ready"] == "True" else "NotReady"
    return f"{state},SchedulingDisabled" if obj["spec"].get("unschedulable") else state


def _node_roles(obj: JSON, _: datetime) -> str:
    labels = obj["metadata"].get("labels") or {}
    return _joined(sorted(k.removeprefix(_ROLE) for k in labels if k.startswith(_ROLE)))


def _address(kind: str) -> Cell:
    return _at(f'.status.addresses[?(@.type=="{kind}")].address')


def _service_ports(obj: JSON, _: datetime) -> str:
    ports = obj["spec"].get("ports") or []
    return _joined(
        f"{p['port']}{':' + str(p['nodePort']) if p.get('nodePort') else ''}"
        f"/{p.get('protocol', 'TCP')}"
        for p in ports
    )


def _external(obj: JSON, _: datetime) -> str:
    spec = obj["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    found = [*(spec.get("externalIPs") or ())]
    if spec.get("type") == "LoadBalancer":
        entries = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        found += [each.get("ip") or each.get("hostname") for each in entries]
        return _joined(found, "<pending>")
    return _joined(found)


def _about(obj: JSON, _: datetime) -> str:
    about = obj.get("involvedObject") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _event_source(obj: JSON, _: datetime) -> str:
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    instance = source.get("host") or obj.get("reportingInstance") or ""
    return ", ".join(filter(None, (component, instance)))


def _seen(*paths: str) -> Cell:
    def cell(obj: JSON, now: datetime) -> str:
        found = next((value for path in paths if (value := lookup(obj, path))), None)
        return age(now - datetime.fromisoformat(found)) if found else UNKNOWN

    return cell


def _modes(obj: JSON, _: datetime) -> str:
    modes = (obj.get("status") or {}).get("accessModes") or []
    return ",".join(_MODES.get(mode, mode) for mode in modes)


def _spec_modes(obj: JSON, _: datetime) -> str:
    return ",".join(_MODES.get(mode, mode) for mode in obj["spec"].get("accessModes") or ())


def _bound(path: str) -> Cell:
    """Of a claim that is bound to a volume."""
    return lambda obj, _: (lookup(obj, path) or "") if obj["spec"].get("volumeName") else ""


def _claim_state(obj: JSON, _: datetime) -> str:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return str((obj.get("status") or {}).get("phase", ""))


def _claim_of(obj: JSON, _: datetime) -> str:
    claim = obj["spec"].get("claimRef") or {}
    return f"{claim.get('namespace', '')}/{claim['name']}" if claim.get("name") else ""


def _containers(field: str, path: str = ".spec.template.spec.containers") -> Cell:
    return lambda obj, _: _joined((c.get(field, "") for c in lookup(obj, path) or ()), default="")


def _job_state(obj: JSON, _: datetime) -> str:
    conditions = {c["type"]: c["status"] for c in (obj.get("status") or {}).get("conditions") or ()}
    for kind, shown in (("Complete", "Complete"), ("Failed", "Failed")):
        if conditions.get(kind) == "True":
            return shown
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if conditions.get(kind) == "True":
            return kind
    return "Running"


def _completions(obj: JSON, _: datetime) -> str:
    spec, done = obj["spec"], (obj.get("status") or {}).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(obj: JSON, now: datetime) -> str:
    began, ended = (lookup(obj, f".status.{field}") for field in ("startTime", "completionTime"))
    if not began:
        return ""
    until = datetime.fromisoformat(ended) if ended else now
    return age(until - datetime.fromisoformat(began))


def _hosts(obj: JSON, _: datetime) -> str:
    hosts = [rule.get("host") or "*" for rule in obj["spec"].get("rules") or ()]
    more = f" + {len(hosts) - 3} more..." if len(hosts) > 3 else ""
    return _joined(hosts[:3], "*") + more


def _ingress_address(obj: JSON, _: datetime) -> str:
    entries = (obj["status"].get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(filter(None, (each.get("ip") or each.get("hostname") for each in entries)))


def _subjects(kind: str) -> Cell:
    def cell(obj: JSON, _: datetime) -> str:
        found = [s for s in obj.get("subjects") or () if s["kind"] == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{s.get('namespace', '')}/{s['name']}" for s in found)
        return ", ".join(s["name"] for s in found)

    return cell


def _endpoint_addresses(obj: JSON, _: datetime) -> str:
    """Of Endpoints: address and port of each."""
    found = []
    for subset in obj.get("subsets") or ():
        addresses = [each["ip"] for each in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if ports:
            found += [f"{ip}:{port['port']}" for port in ports for ip in addresses]
        else:
            found += addresses
    return _some(found)


def _some(found: list[str]) -> str:
    more = len(found) - _SHOWN_ENDPOINTS
    text = _joined(found[:_SHOWN_ENDPOINTS])
    return f"{text} + {more} more..." if more > 0 else text


def _slice_ports(obj: JSON, _: datetime) -> str:
    ports = obj.get("ports") or ()
    found = [str(p["port"]) if p.get("port") is not None else "*" for p in ports]
    return _some(found) if found else UNSET


def _slice_addresses(obj: JSON, _: datetime) -> str:
    found = [a for each in obj.get("endpoints") or () for a in each.get("addresses") or ()]
    return _some(found) if found else UNSET


def _budget(field: str) -> Cell:
    return lambda obj, _: str(obj["spec"].get(field, "N/A"))


def _reference(obj: JSON, _: datetime) -> str:
    target = obj["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def _available(obj: JSON, _: datetime) -> str:
    found = lookup(obj, '.status.conditions[?(@.type=="Available")]')
    if not found:
        return "Unknown"
    return str(found["status"]) if found["status"] == "True" else f"False ({found['reason']})"


def _api_service(obj: JSON, _: datetime) -> str:
    service = obj["spec"].get("service")
    return f"{service['namespace']}/{service['name']}" if service else "Local"


def _named_default(annotation: str) -> Cell:
    """The name, and whether it is the default one."""

    def cell(obj: JSON, _: datetime) -> str:
        name = str(obj["metadata"]["name"])
        notes = obj["metadata"].get("annotations") or {}
        return f"{name} (default)" if notes.get(annotation) == "true" else name

    return cell


def _parameters(obj: JSON, _: datetime) -> str:
    found = obj["spec"].get("parameters")
    if not found:
        return NONE
    group = f".{found['apiGroup']}" if found.get("apiGroup") is not None else ""
    return f"{found['kind']}{group}/{found['name']}"


def _parent(obj: JSON, _: datetime) -> str:
    found = obj["spec"].get("parentRef")
    if not found:
        return NONE
    resource = ".".join(filter(None, (found["resource"], found.get("group")))).lower()
    return "/".join(filter(None, (resource, found.get("namespace"), found["name"])))


def _requested_duration(obj: JSON, _: datetime) -> str:
    seconds = obj["spec"].get("expirationSeconds")
    return NONE if seconds is None else age(timedelta(seconds=seconds))


def _request_state(obj: JSON, _: datetime) -> str:
    """Of a CertificateSigningRequest, whose conditions are never False."""
    status = obj.get("status") or {}
    kinds = {condition["type"] for condition in status.get("conditions") or ()}
    states = [next((each for each in ("Denied", "Approved") if each in kinds), "Pending")]
    states += ["Failed"] if "Failed" in kinds else []
    states += ["Issued"] if status.get("certificate") else []
    return ",".join(states)


def _last_true(kinds: Iterable[str], otherwise: str) -> Cell:
    """The last condition of one of these types that is true."""
    known = frozenset(kinds)

    def cell(obj: JSON, _: datetime) -> str:
        conditions = (obj.get("status") or {}).get("conditions") or ()
        true = (c["type"] for c in conditions if c["status"] == "True" and c["type"] in known)
        return next(iter([*true][::-1]), otherwise)

    return cell


def _migrated(obj: JSON, _: datetime) -> str:
    found = obj["spec"]["resource"]
    return ".".join(filter(None, (found["resource"], found.get("group"))))


def _versions(obj: JSON, _: datetime) -> str:
    return ",".join(
        sorted(
            each["name"] + ("(storage)" if each["storage"] else "")
            for each in obj["spec"]["versions"]
            if each["served"]
        )
    )


def _amounts(*, limits: bool) -> Cell:
    """Used and allowed amounts of a quota, of its limits or of all others."""

    def cell(obj: JSON, _: datetime) -> str:
        status = obj.get("status") or {}
        used = status.get("used") or {}
        return ", ".join(
            f"{name}: {used.get(name, '0')}/{most}"
            for name, most in sorted((status.get("hard") or {}).items())
            if name.startswith("limits") is limits
        )

    return cell


def _param_kind(obj: JSON, _: datetime) -> str:
    found = obj["spec"].get("paramKind")
    return f"{found['apiVersion']}/{found['kind']}" if found else UNSET


def _param_ref(obj: JSON, _: datetime) -> str:
    found = obj["spec"].get("paramRef")
    if not found:
        return UNSET
    if name := found.get("name"):
        return f"{found['namespace']}/{name}" if found.get("namespace") else f"*/{name}"
    return str(_selector(".selector")(found, _))


def _claim_allocation(obj: JSON, _: datetime) -> str:
    status = obj.get("status") or {}
    states = [
        *(["deleted"] if obj["metadata"].get("deletionTimestamp") else []),
        *(["allocated"] if status.get("allocation") else []),
        *(["reserved"] if status.get("reservedFor") else []),
    ]
    return _joined(states, "pending")


COMMON: dict[str, Cell] = {
    "Name": lambda obj, _: obj["metadata"]["name"],
    "Age": _since(".metadata.creationTimestamp"),
    "Created At": _at(".metadata.creationTimestamp"),
}
"""By the name of the column, whatever the kind."""
_WORKLOAD: dict[str, Cell] = {
    "Desired": _at(".spec.replicas", 0),
    "Current": _at(".status.replicas", 0),
    "Ready": _at(".status.readyReplicas", 0),
    "Containers": _containers("name"),
    "Images": _containers("image"),
    "Selector": _selector(".spec.selector"),
}
_BINDING: dict[str, Cell] = {
    "Role": lambda obj, _: f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}",
    "Users": _subjects("User"),
    "Groups": _subjects("Group"),
    "ServiceAccounts": _subjects("ServiceAccount"),
}
CELLS: dict[str, dict[str, Cell]] = {
    "componentstatuses": {
        "Status": lambda _obj, _now: "Healthy",
        "Message": lambda obj, _: obj["conditions"][0]["message"],
        "Error": lambda _obj, _now: "",
    },
    "scales.autoscaling": {
        "Desired": lambda obj, _: obj["spec"].get("replicas", 0),
        "Available": lambda obj, _: obj["status"]["replicas"],
    },
    "configmaps": {
        "Data": lambda obj, _: len(obj.get("data") or ()) + len(obj.get("binaryData") or ())
    },
    "endpoints": {"Endpoints": _endpoint_addresses},
    "events": {
        "Last Seen": _seen(
            ".series.lastObservedTime", ".lastTimestamp", ".firstTimestamp", ".eventTime"
        ),
        "Type": _at(".type", ""),
        "Reason": _at(".reason", ""),
        "Object": _about,
        "Subobject": _at(".involvedObject.fieldPath", ""),
        "Source": _event_source,
        "Message": lambda obj, _: (obj.get("message") or "").strip(),
        "First Seen": _seen(".firstTimestamp", ".eventTime"),
        "Count": _at(".count", 1),
    },
    "namespaces": {"Status": _at(".status.phase", "")},
    "nodes": {
        "Status": _node_state,
        "Roles": _node_roles,
        "Version": _at(".status.nodeInfo.kubeletVersion", ""),
        "Internal-IP": _address("InternalIP"),
        "External-IP": _address("ExternalIP"),
        "OS-Image": _at(".status.nodeInfo.osImage", UNKNOWN),
        "Kernel-Version": _at(".status.nodeInfo.kernelVersion", UNKNOWN),
        "Container-Runtime": _at(".status.nodeInfo.containerRuntimeVersion", UNKNOWN),
    },
    "persistentvolumeclaims": {
        "Status": _claim_state,
        "Volume": _at(".spec.volumeName", ""),
        "Capacity": _bound(".status.capacity.storage"),
        "Access Modes": lambda obj, now: _modes(obj, now) if obj["spec"].get("volumeName") else "",
        "StorageClass": _at(".spec.storageClassName", ""),
        "VolumeAttributesClass": _at(".spec.volumeAttributesClassName", UNSET),
        "VolumeMode": _at(".spec.volumeMode", UNSET),
    },
    "persistentvolumes": {
        "Capacity": _at(".spec.capacity.storage", ""),
        "Access Modes": _spec_modes,
        "Reclaim Policy": _at(".spec.persistentVolumeReclaimPolicy", ""),
        "Status": _claim_state,
        "Claim": _claim_of,
        "StorageClass": _at(".spec.storageClassName", ""),
        "VolumeAttributesClass": _at(".spec.volumeAttributesClassName", UNSET),
        "Reason": _at(".status.reason", ""),
        "VolumeMode": _at(".spec.volumeMode", UNSET),
    },
    "pods": {
        "Ready": pod_columns.ready,
        "Status": pod_columns.state,
        "Restarts": pod_columns.restarts,
        "IP": _at(".status.podIP"),
        "Node": _at(".spec.nodeName"),
        "Nominated Node": _at(".status.nominatedNodeName"),
        "Readiness Gates": _readiness_gates,
    },
    "podtemplates": {
        "Containers": _containers("name", ".template.spec.containers"),
        "Images": _containers("image", ".template.spec.containers"),
        "Pod Labels": _labels(".template.metadata.labels"),
    },
    "replicationcontrollers": {**_WORKLOAD, "Selector": _labels(".spec.selector")},
    "resourcequotas": {"Request": _amounts(limits=False), "Limit": _amounts(limits=True)},
    "secrets": {"Type": _at(".type", ""), "Data": _count(".data")},
    "serviceaccounts": {"Secrets": _count(".secrets")},
    "services": {
        "Type": _at(".spec.type", ""),
        "Cluster-IP": _at(".spec.clusterIP"),
        "External-IP": _external,
        "Port(s)": _service_ports,
        "Selector": _labels(".spec.selector"),
    },
    "apiservices.apiregistration.k8s.io": {"Service": _api_service, "Available": _available},
    "controllerrevisions.apps": {
        "Controller": lambda obj, _: next(
            (
                f"{o['kind'].lower()}.{o['apiVersion'].partition('/')[0]}/{o['name']}"
                for o in obj["metadata"].get("ownerReferences") or ()
                if o.get("controller")
            ),
            NONE,
        ),
        "Revision": _at(".revision", 0),
    },
    "daemonsets.apps": {
        **_WORKLOAD,
        "Desired": _at(".status.desiredNumberScheduled", 0),
        "Current": _at(".status.currentNumberScheduled", 0),
        "Ready": _at(".status.numberReady", 0),
        "Up-to-date": _at(".status.updatedNumberScheduled", 0),
        "Available": _at(".status.numberAvailable", 0),
        "Node Selector": _labels(".spec.template.spec.nodeSelector"),
    },
    "deployments.apps": {
        **_WORKLOAD,
        "Ready": _ratio(".status.readyReplicas", ".spec.replicas"),
        "Up-to-date": _at(".status.updatedReplicas", 0),
        "Available": _at(".status.availableReplicas", 0),
    },
    "replicasets.apps": _WORKLOAD,
    "statefulsets.apps": {**_WORKLOAD, "Ready": _ratio(".status.readyReplicas", ".spec.replicas")},
    "horizontalpodautoscalers.autoscaling": {
        "Reference": _reference,
        "Targets": autoscaler_columns.targets,
        "MinPods": lambda obj, _: str(obj["spec"].get("minReplicas", UNSET)),
        "MaxPods": _at(".spec.maxReplicas", 0),
        "Replicas": _at(".status.currentReplicas", 0),
    },
    "cronjobs.batch": {
        **_WORKLOAD,
        "Schedule": _at(".spec.schedule", ""),
        "Timezone": _at(".spec.timeZone"),
        "Suspend": lambda obj, _: "True" if obj["spec"].get("suspend") else "False",
        "Active": _count(".status.active"),
        "Last Schedule": _since(".status.lastScheduleTime", NONE),
        "Containers": _containers("name", ".spec.jobTemplate.spec.template.spec.containers"),
        "Images": _containers("image", ".spec.jobTemplate.spec.template.spec.containers"),
        "Selector": _selector(".spec.jobTemplate.spec.selector"),
    },
    "jobs.batch": {
        **_WORKLOAD,
        "Status": _job_state,
        "Completions": _completions,
        "Duration": _duration,
    },
    "certificatesigningrequests.certificates.k8s.io": {
        "SignerName": _at(".spec.signerName"),
        "Requestor": _at(".spec.username", ""),
        "RequestedDuration": _requested_duration,
        "Condition": _request_state,
    },
    "clustertrustbundles.certificates.k8s.io": {"SignerName": _at(".spec.signerName")},
    "podcertificaterequests.certificates.k8s.io": {
        "PodName": _at(".spec.podName", ""),
        "ServiceAccountName": _at(".spec.serviceAccountName", ""),
        "NodeName": _at(".spec.nodeName", ""),
        "SignerName": _at(".spec.signerName", ""),
        "State": _last_true(("Issued", "Denied", "Failed"), "Pending"),
        "UnverifiedUserAnnotations": _labels(".spec.unverifiedUserAnnotations"),
    },
    "flowschemas.flowcontrol.apiserver.k8s.io": {
        "PriorityLevel": _at(".spec.priorityLevelConfiguration.name", ""),
        "MatchingPrecedence": _at(".spec.matchingPrecedence", 0),
        "DistinguisherMethod": _at(".spec.distinguisherMethod.type"),
        "MissingPL": _at('.status.conditions[?(@.type=="Dangling")].status', "?"),
    },
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": {
        "Type": _at(".spec.type", ""),
        "NominalConcurrencyShares": _at(".spec.limited.nominalConcurrencyShares"),
        "Queues": _at(".spec.limited.limitResponse.queuing.queues"),
        "HandSize": _at(".spec.limited.limitResponse.queuing.handSize"),
        "QueueLengthLimit": _at(".spec.limited.limitResponse.queuing.queueLengthLimit"),
    },
    "ingressclasses.networking.k8s.io": {
        "Name": _named_default("ingressclass.kubernetes.io/is-default-class"),
        "Controller": _at(".spec.controller", ""),
        "Parameters": _parameters,
    },
    "ipaddresses.networking.k8s.io": {"ParentRef": _parent},
    "ingresses.networking.k8s.io": {
        "Class": _at(".spec.ingressClassName"),
        "Hosts": _hosts,
        "Address": _ingress_address,
        "Ports": lambda obj, _: "80, 443" if obj["spec"].get("tls") else "80",
    },
    "networkpolicies.networking.k8s.io": {"Pod-Selector": _selector(".spec.podSelector")},
    "servicecidrs.networking.k8s.io": {
        "CIDRs": lambda obj, _: ",".join(obj["spec"].get("cidrs") or ())
    },
    "poddisruptionbudgets.policy": {
        "Min Available": _budget("minAvailable"),
        "Max Unavailable": _budget("maxUnavailable"),
        "Allowed Disruptions": _at(".status.disruptionsAllowed", 0),
    },
    "clusterrolebindings.rbac.authorization.k8s.io": _BINDING,
    "rolebindings.rbac.authorization.k8s.io": _BINDING,
    "csidrivers.storage.k8s.io": {
        "AttachRequired": _at(".spec.attachRequired", False),
        "PodInfoOnMount": _at(".spec.podInfoOnMount", False),
        "StorageCapacity": _at(".spec.storageCapacity", False),
        "TokenRequests": lambda obj, _: _joined(
            (each.get("audience", "") for each in obj["spec"].get("tokenRequests") or ()), UNSET
        ),
        "RequiresRepublish": _at(".spec.requiresRepublish", False),
        "Modes": lambda obj, _: _joined(obj["spec"].get("volumeLifecycleModes") or ()),
    },
    "csinodes.storage.k8s.io": {"Drivers": _count(".spec.drivers")},
    "storageclasses.storage.k8s.io": {
        "Name": _named_default("storageclass.kubernetes.io/is-default-class"),
        "Provisioner": _at(".provisioner", ""),
        "ReclaimPolicy": _at(".reclaimPolicy", ""),
        "VolumeBindingMode": _at(".volumeBindingMode", ""),
        "AllowVolumeExpansion": _at(".allowVolumeExpansion", False),
    },
    "volumeattachments.storage.k8s.io": {
        "Attacher": _at(".spec.attacher", ""),
        "PV": _at(".spec.source.persistentVolumeName", ""),
        "Node": _at(".spec.nodeName", ""),
        "Attached": _at(".status.attached", False),
    },
    "volumeattributesclasses.storage.k8s.io": {"DriverName": _at(".driverName", "")},
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": {"Webhooks": _count(".webhooks")},
    "validatingwebhookconfigurations.admissionregistration.k8s.io": {
        "Webhooks": _count(".webhooks")
    },
    "validatingadmissionpolicies.admissionregistration.k8s.io": {
        "Validations": _count(".spec.validations"),
        "ParamKind": _param_kind,
    },
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "PolicyName": _at(".spec.policyName", ""),
        "ParamRef": _param_ref,
    },
    "mutatingadmissionpolicies.admissionregistration.k8s.io": {
        "Mutations": _count(".spec.mutations"),
        "ParamKind": _param_kind,
    },
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "PolicyName": _at(".spec.policyName", ""),
        "ParamRef": _param_ref,
    },
    "customresourcedefinitions.apiextensions.k8s.io": {
        "Scope": _at(".spec.scope", ""),
        "Versions": _versions,
        "Group": _at(".spec.group", ""),
        "Kind": _at(".spec.names.kind", ""),
        "ShortNames": lambda obj, _: ",".join(obj["spec"]["names"].get("shortNames") or ()),
        "Established": lambda obj, now: _last_true(("Established",), "")(obj, now) != "",
    },
    "storageversionmigrations.storagemigration.k8s.io": {
        "Resource": lambda obj, _: ".".join(
            filter(
                None, (obj["spec"]["resource"]["resource"], obj["spec"]["resource"].get("group"))
            )
        ),
        "Status": _last_true(("Running", "Failed", "Succeeded"), "Unknown"),
    },
    "priorityclasses.scheduling.k8s.io": {
        "Value": _at(".value", 0),
        "Global-Default": _at(".globalDefault", False),
        "PreemptionPolicy": _at(".preemptionPolicy", UNSET),
    },
    "leases.coordination.k8s.io": {"Holder": _at(".spec.holderIdentity", "")},
    "runtimeclasses.node.k8s.io": {"Handler": _at(".handler", "")},
    "endpointslices.discovery.k8s.io": {
        "AddressType": _at(".addressType", ""),
        "Ports": _slice_ports,
        "Endpoints": _slice_addresses,
    },
    "resourceclaims.resource.k8s.io": {"State": _claim_allocation},
    "devicetaintrules.resource.k8s.io": {
        "Key": _at(".spec.taint.key", ""),
        "Value": _at(".spec.taint.value", ""),
        "Effect": _at(".spec.taint.effect", ""),
        "TimeAdded": _since(".spec.taint.timeAdded", ""),
    },
    "resourceslices.resource.k8s.io": {
        "Node": _at(".spec.nodeName", UNSET),
        "Driver": _at(".spec.driver", ""),
        "Pool": _at(".spec.pool.name", ""),
    },
}
"""By resource with its group, and name of the column; a column that is in neither is not shown."""
CELLS["events.events.k8s.io"] = CELLS["events"]
