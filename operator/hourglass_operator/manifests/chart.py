"""`python -m hourglass_operator.manifests.chart FOLDER [IMAGE]` writes the Helm chart.

The templates are the objects of the base with expressions for what an `Installation` may choose:
https://helm.sh/docs/chart_template_guide/getting_started/
"""

import json
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from hourglass_kube.dumper import as_yaml
from hourglass_kube.types import JSON
from hourglass_operator.api import crd
from hourglass_operator.manifests import policy, roles, workload
from hourglass_operator.manifests.chart_values import schema, values
from hourglass_operator.manifests.files import with_notice, write
from hourglass_operator.manifests.installation import DEFAULT, Installation, apart
from hourglass_operator.manifests.kubernetes_versions import OLDEST, RANGE
from hourglass_operator.manifests.monitoring import service_monitor
from hourglass_operator.manifests.user_roles import user_roles
from hourglass_operator.runtime.process.settings import ENVIRONMENT_PREFIX

_VARIABLES = (
    # A list of texts is a list in a file of settings, and one text in a variable.
    '[{{ range $name, $value := .Values.settings }}{"name": '
    '{{ $name | replace "-" "_" | upper | printf "%s%s" "'
    + ENVIRONMENT_PREFIX
    + '" | toJson }}, "value": '
    '{{ if kindIs "string" $value }}{{ toJson $value }}'
    '{{ else if kindIs "slice" $value }}{{ join "," $value | toJson }}'
    "{{ else }}{{ toJson $value | toJson }}{{ end }}}, {{ end }}"
    "{{ range .Values.extraEnv }}{{ toJson . }}, {{ end }}]"
)
_NAMES = {
    "name": f'.Values.nameOverride | default "{roles.NAME}"',
    "fullname": f'.Values.fullnameOverride | default (include "{roles.NAME}.name" .)',
    "lease": f'index .Values.settings "lease-name" | default "{roles.LEASE}"',
    "leaseNamespace": 'index .Values.settings "lease-namespace" | default .Release.Namespace',
}
"""Expressions that several templates include: what each is called there, and what it says."""


def _included(name: str) -> str:
    return f'{{{{ include "{roles.NAME}.{name}" . }}}}'


# The label by which the pods are found stays.
_LABELS = f'dict "app.kubernetes.io/name" (include "{roles.NAME}.name" .)'
_CHOSEN = Installation(
    name=_included("fullname"),
    label=_included("name"),
    namespace="{{ .Release.Namespace }}",
    image="{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}"
    "{{ else }}:{{ .Values.image.tag }}{{ end }}",
    pull_policy="{{ toJson .Values.image.pullPolicy }}",
    replicas="{{ toJson .Values.replicas }}",
    args="{{ toJson .Values.args }}",
    resources="{{ toJson .Values.resources }}",
    node_selector="{{ toJson .Values.nodeSelector }}",
    tolerations="{{ toJson .Values.tolerations }}",
    image_pull_secrets="{{ toJson .Values.imagePullSecrets }}",
    affinity="{{ if .Values.affinity }}{{ toJson .Values.affinity }}{{ else }}"
    + json.dumps(apart(_included("name"))).replace('\\"', '"')
    + "{{ end }}",
    topology_spread="{{ toJson .Values.topologySpreadConstraints }}",
    priority_class="{{ toJson .Values.priorityClassName }}",
    env=_VARIABLES,
    volumes="{{ toJson .Values.extraVolumes }}",
    volume_mounts="{{ toJson .Values.extraVolumeMounts }}",
    pod_labels=f"{{{{ merge ({_LABELS}) .Values.podLabels | toJson }}}}",
    pod_annotations="{{ toJson .Values.podAnnotations }}",
)


def chart(image: str = DEFAULT.image) -> Mapping[str, str]:
    """File name → text; `image` is the operator's, with a tag or a digest."""
    metadata = {
        "apiVersion": "v2",
        "name": roles.NAME,
        "description": f"The operator of Hourglass Performers. Tested with Kubernetes {RANGE}.",
        "type": "application",
        "version": version(roles.NAME),
        "appVersion": version(roles.NAME),
        "kubeVersion": f">={OLDEST}.0-0",
    }
    files = {
        "Chart.yaml": as_yaml(metadata),
        "values.yaml": as_yaml(values(image)),
        "values.schema.json": json.dumps(schema(), indent=2) + "\n",
        "templates/_names.tpl": _names(),
        "templates/crd.yaml": _where(".Values.crds.install", _template(_definition())),
        "templates/rbac.yaml": roles.explanation() + _template(*_rbac()),
        "templates/user-roles.yaml": _where(".Values.userRoles.install", as_yaml(*user_roles())),
        "templates/deployment.yaml": _template(workload.deployment(_CHOSEN)),
        "templates/poddisruptionbudget.yaml": _template(workload.disruption_budget(_CHOSEN)),
        "templates/service.yaml": _template(workload.metrics_service(_CHOSEN)),
        "templates/networkpolicy.yaml": _where(
            ".Values.networkPolicy.enabled", _template(workload.network_policy(_CHOSEN))
        ),
        "templates/servicemonitor.yaml": _where(
            ".Values.serviceMonitor.enabled", _template(service_monitor(_CHOSEN))
        ),
        "templates/policy.yaml": _where(".Values.performerPolicy.enabled", _policy()),
        "templates/tests/metrics.yaml": _template(_test()),
    }
    return with_notice(files)


def _names() -> str:
    """https://helm.sh/docs/chart_template_guide/named_templates/"""
    return "".join(
        f'{{{{- define "{roles.NAME}.{name}" }}}}{{{{ {expression} }}}}{{{{ end }}}}\n'
        for name, expression in _NAMES.items()
    )


def _definition() -> JSON:
    """The resource definition; without it all Performers would go when the release goes."""
    made = crd.generate()
    keep = {"annotations": {"helm.sh/resource-policy": "keep"}}
    return {**made, "metadata": {**made["metadata"], **keep}}


def _rbac() -> list[JSON]:
    lease = (_included("lease"), _included("leaseNamespace"))
    account, *others = roles.rbac(_CHOSEN.namespace, _CHOSEN.name, *lease)
    annotations = {"annotations": "{{ toJson .Values.serviceAccount.annotations }}"}
    return [{**account, "metadata": {**account["metadata"], **annotations}}, *others]


def _test() -> JSON:
    """`helm test`: a pod that asks for the metrics, as Prometheus does.

    https://helm.sh/docs/topics/chart_tests/
    """
    deployment = workload.deployment(_CHOSEN)["spec"]["template"]["spec"]
    service = workload.metrics_service(_CHOSEN)
    (port,) = service["spec"]["ports"]
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    url = f"http://{name}.{namespace}:{port['port']}/metrics"
    ask = f"from urllib.request import urlopen; print(urlopen('{url}', timeout=10).status)"
    (container,) = deployment["containers"]
    same = ("image", "imagePullPolicy", "securityContext")
    kept = ("imagePullSecrets", "nodeSelector", "tolerations", "securityContext")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{_CHOSEN.name}-test",
            "namespace": namespace,
            "annotations": {
                "helm.sh/hook": "test",
                "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            **{field: deployment[field] for field in kept},
            "containers": [
                {
                    "name": "metrics",
                    **{field: container[field] for field in same},
                    "command": ["python", "-c", ask],
                }
            ],
        },
    }


def _policy() -> str:
    lists = {
        name: f'{{{{ join "\\n" .Values.performerPolicy.{name} | toJson }}}}'
        for name in policy.LISTS
    }
    limits = policy.limits(lists, _CHOSEN.namespace)
    return _template(limits, *policy.policies(_CHOSEN.namespace))


def _where(condition: str, template: str) -> str:
    return f"{{{{- if {condition} }}}}\n{template}{{{{- end }}}}\n"


def _template(*documents: JSON) -> str:
    """JSON is YAML, but not in quotes."""
    return re.sub(r"'(\[?\{\{ .*\btoJson\b.*)'$", r"\1", as_yaml(*documents), flags=re.MULTILINE)


if __name__ == "__main__":
    write(chart(*sys.argv[2:]), Path(sys.argv[1]))
