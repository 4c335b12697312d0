"""Which rules are those of which resource."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import (
    admission,
    admission_policies,
    apiservices,
    autoscalers,
    certificates,
    configuration,
    csi,
    device_slices,
    device_taint_rules,
    devices,
    discovery,
    endpoints,
    events,
    flowcontrol,
    job_status,
    jobs,
    migrations,
    networking,
    nodes,
    pod_certificates,
    pod_warnings,
    pods,
    policies,
    rbac,
    services,
    storage,
    templates,
    trust_bundles,
    workloads,
)
from hourglass_simulator.apiserver.rules.fault import Faults

Created = Callable[[JSON], Faults]
Updated = Callable[[JSON, JSON], Faults]
Warns = Callable[[JSON, JSON | None], Iterable[str]]

_NAMES = "Pod names and hostnames"


class Rules(NamedTuple):
    """What is wrong with a new object, with a changed one (new, old), and through subresources.

    `warns` is what is said of an object that nothing is wrong with: (new, old or None).
    """

    created: Created
    updated: Updated
    below: Mapping[str, Updated] = {}
    warns: Warns = lambda _new, _old: ()

    def faults(self, new: JSON, old: JSON, subresource: str) -> Faults:
        """What is wrong with an object that is to be stored in the place of `old`."""
        return self.below.get(subresource, self.updated)(new, old)


def _status(updated: Updated) -> Mapping[str, Updated]:
    return {"status": updated}


_CORE = {
    "pods": Rules(
        pods.created,
        pods.updated,
        {"status": pods.status, "ephemeralcontainers": pods.ephemeral_containers},
        lambda new, old: pod_warnings.of_pod(new) if old is None else (),
    ),
    "services": Rules(
        services.created,
        services.updated,
        _status(services.status),
        lambda new, _: services.warnings(new),
    ),
    "nodes": Rules(nodes.node_created, nodes.node_updated, _status(nodes.node_status)),
    "namespaces": Rules(
        nodes.namespace_created,
        nodes.namespace_updated,
        {"status": nodes.namespace_status, "finalize": nodes.namespace_finalized},
    ),
    "events": Rules(events.created, events.updated),
    "configmaps": Rules(configuration.config_map_created, configuration.config_map_updated),
    "secrets": Rules(
        configuration.secret_created,
        configuration.secret_updated,
        warns=lambda new, _: configuration.secret_warnings(new),
    ),
    "serviceaccounts": Rules(
        configuration.account_created,
        configuration.account_updated,
        warns=configuration.account_warnings,
    ),
    "persistentvolumes": Rules(
        storage.volume_created,
        storage.volume_updated,
        _status(storage.volume_status),
        lambda new, _: storage.volume_warnings(new),
    ),
    "persistentvolumeclaims": Rules(
        storage.claim_created,
        storage.claim_updated,
        _status(storage.claim_status),
        lambda new, _: pod_warnings.of_claim("spec", new.get("spec") or {}),
    ),
    "resourcequotas": Rules(
        policies.quota_created, policies.quota_updated, _status(policies.quota_status)
    ),
    "limitranges": Rules(policies.range_created, policies.range_updated),
    "endpoints": Rules(endpoints.created, endpoints.updated, warns=endpoints.warnings),
    "podtemplates": Rules(
        templates.template_created,
        templates.template_updated,
        warns=templates.template_warnings,
    ),
    "replicationcontrollers": Rules(
        workloads.controller_created,
        workloads.controller_updated,
        _status(workloads.controller_status),
        workloads.warnings(_NAMES),
    ),
}

_WORKLOADS = {
    "deployments": Rules(
        workloads.deployment_created,
        workloads.deployment_updated,
        _status(workloads.deployment_status),
        workloads.warnings(_NAMES),
    ),
    "replicasets": Rules(
        workloads.replica_set_created,
        workloads.replica_set_updated,
        _status(workloads.replica_set_status),
        workloads.warnings(_NAMES),
    ),
    "statefulsets": Rules(
        workloads.stateful_set_created,
        workloads.stateful_set_updated,
        _status(workloads.stateful_set_status),
        workloads.warnings(""),
    ),
    "daemonsets": Rules(
        workloads.daemon_set_created,
        workloads.daemon_set_updated,
        _status(workloads.daemon_set_status),
        workloads.warnings(""),
    ),
    "controllerrevisions": Rules(templates.revision_created, templates.revision_updated),
    "jobs": Rules(
        jobs.job_created,
        jobs.job_updated,
        _status(job_status.job_status),
        workloads.warnings(_NAMES),
    ),
    "cronjobs": Rules(jobs.cron_created, jobs.cron_updated, warns=jobs.cron_warnings),
    "horizontalpodautoscalers": Rules(
        autoscalers.created, autoscalers.updated, _status(autoscalers.status)
    ),
}

_OTHERS = {
    "priorityclasses": Rules(nodes.priority_created, nodes.priority_updated),
    "runtimeclasses": Rules(
        nodes.runtime_created,
        nodes.runtime_updated,
        warns=lambda new, _: nodes.runtime_warnings(new),
    ),
    "endpointslices": Rules(
        discovery.slice_created,
        discovery.slice_updated,
        warns=lambda new, _: discovery.slice_warnings(new),
    ),
    "leases": Rules(discovery.lease_created, discovery.lease_updated),
    "poddisruptionbudgets": Rules(
        policies.budget_created, policies.budget_updated, _status(policies.budget_status)
    ),
    "storageclasses": Rules(
        storage.class_created,
        storage.class_updated,
        warns=lambda new, _: storage.class_warnings(new),
    ),
    "ingresses": Rules(
        networking.ingress_created,
        networking.ingress_updated,
        _status(networking.ingress_status),
        networking.ingress_warnings,
    ),
    "ingressclasses": Rules(networking.class_created, networking.class_updated),
    "networkpolicies": Rules(
        networking.policy_created, networking.policy_updated, warns=networking.policy_warnings
    ),
    "ipaddresses": Rules(networking.address_created, networking.address_updated),
    "servicecidrs": Rules(
        networking.range_created, networking.range_updated, _status(networking.range_status)
    ),
    "certificatesigningrequests": Rules(
        certificates.created,
        certificates.updated,
        {"status": certificates.status, "approval": certificates.approval},
    ),
    "podcertificaterequests": Rules(
        pod_certificates.created, pod_certificates.updated, _status(pod_certificates.status)
    ),
    "clustertrustbundles": Rules(trust_bundles.created, trust_bundles.updated),
    "csidrivers": Rules(csi.driver_created, csi.driver_updated),
    "csinodes": Rules(csi.node_created, csi.node_updated),
    "csistoragecapacities": Rules(csi.capacity_created, csi.capacity_updated),
    "volumeattachments": Rules(csi.attachment_created, csi.attachment_updated),
    "volumeattributesclasses": Rules(csi.attributes_created, csi.attributes_updated),
    "apiservices": Rules(apiservices.created, apiservices.updated, _status(apiservices.status)),
    "roles": Rules(rbac.role_created, rbac.role_updated),
    "clusterroles": Rules(rbac.cluster_role_created, rbac.cluster_role_updated),
    "rolebindings": Rules(rbac.binding_created, rbac.binding_updated),
    "clusterrolebindings": Rules(rbac.cluster_binding_created, rbac.cluster_binding_updated),
    "validatingwebhookconfigurations": Rules(
        admission.validating_created, admission.validating_updated
    ),
    "mutatingwebhookconfigurations": Rules(admission.mutating_created, admission.mutating_updated),
    "validatingadmissionpolicies": Rules(
        admission_policies.policy_created,
        admission_policies.policy_updated,
        _status(admission_policies.policy_status),
    ),
    "mutatingadmissionpolicies": Rules(
        admission_policies.mutating_policy_created, admission_policies.mutating_policy_updated
    ),
    "mutatingadmissionpolicybindings": Rules(
        admission_policies.mutating_binding_created, admission_policies.mutating_binding_updated
    ),
    "validatingadmissionpolicybindings": Rules(
        admission_policies.policy_binding_created, admission_policies.policy_binding_updated
    ),
    "flowschemas": Rules(
        flowcontrol.schema_created, flowcontrol.schema_updated, _status(flowcontrol.status)
    ),
    "prioritylevelconfigurations": Rules(
        flowcontrol.level_created, flowcontrol.level_updated, _status(flowcontrol.status)
    ),
    "storageversionmigrations": Rules(
        migrations.created, migrations.updated, _status(migrations.status)
    ),
    "devicetaintrules": Rules(
        device_taint_rules.created, device_taint_rules.updated, _status(device_taint_rules.status)
    ),
    "deviceclasses": Rules(devices.class_created, devices.class_updated),
    "resourceclaims": Rules(
        devices.claim_created, devices.claim_updated, _status(devices.claim_status)
    ),
    "resourceclaimtemplates": Rules(devices.template_created, devices.template_updated),
    "resourceslices": Rules(device_slices.created, device_slices.updated),
}

RULES: Mapping[str, Rules] = {**_CORE, **_WORKLOADS, **_OTHERS}
"""By the plural of a built-in resource; of those that are not here only metadata is looked at."""
