"""`python -m hourglass_operator.manifests.chart FOLDER` writes the Helm chart `deploy/chart`.

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
from hourglass_operator.manifests import policy, roles, workload
from hourglass_operator.manifests.files import with_notice, write
from hourglass_operator.manifests.installation import DEFAULT, Installation
from hourglass_operator.manifests.kubernetes_versions import OLDEST, RANGE
from hourglass_operator.manifests.user_roles import user_roles

_CHOSEN = Installation(
    namespace="{{ .Release.Namespace }}",
    image="{{ .Values.image.repository }}:{{ .Values.image.tag }}",
    replicas="{{ toJson .Values.replicas }}",
    args="{{ toJson .Values.args }}",
    resources="{{ toJson .Values.resources }}",
    node_selector="{{ toJson .Values.nodeSelector }}",
    tolerations="{{ toJson .Values.tolerations }}",
    image_pull_secrets="{{ toJson .Values.imagePullSecrets }}",
)


def chart() -> Mapping[str, str]:
    """File name → text."""
    metadata = {
        "apiVersion": "v2",
        "name": roles.NAME,
        "description": (
            "The operator of Hourglass Performers; their definition is installed apart. "
            f"Tested with Kubernetes {RANGE}."
        ),
        "type": "application",
        "version": version(roles.NAME),
        "appVersion": version(roles.NAME),
        "kubeVersion": f">={OLDEST}.0-0",
    }
    files = {
        "Chart.yaml": as_yaml(metadata),
        "values.yaml": as_yaml(values()),
        "values.schema.json": json.dumps(_schema(), indent=2) + "\n",
        "templates/rbac.yaml": roles.explanation() + _template(*roles.rbac(_CHOSEN.namespace)),
        "templates/user-roles.yaml": as_yaml(*user_roles()),
        "templates/deployment.yaml": _template(workload.deployment(_CHOSEN)),
        "templates/poddisruptionbudget.yaml": _template(workload.disruption_budget(_CHOSEN)),
        "templates/service.yaml": _template(workload.metrics_service(_CHOSEN)),
        "templates/networkpolicy.yaml": _template(workload.network_policy(_CHOSEN)),
        "templates/policy.yaml": _where(".Values.performerPolicy.enabled", _policy()),
    }
    return with_notice(files)


def values() -> JSON:
    """What an installation gets that chooses nothing: the same as from the base."""
    repository, tag = DEFAULT.image.rsplit(":", 1)
    return {
        "image": {"repository": repository, "tag": tag},
        "replicas": DEFAULT.replicas,
        "args": DEFAULT.args,
        "resources": DEFAULT.resources,
        "nodeSelector": DEFAULT.node_selector,
        "tolerations": DEFAULT.tolerations,
        "imagePullSecrets": DEFAULT.image_pull_secrets,
        "performerPolicy": {"enabled": False, **{name: [] for name in policy.LISTS}},
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
    return re.sub(r"'(\{\{ [^}]*\btoJson\b[^}]* \}\})'", r"\1", as_yaml(*documents))


def _schema() -> JSON:
    text = {"type": "string", "minLength": 1}
    objects = {"type": "array", "items": {"type": "object"}}
    names = {"type": "array", "items": {"type": "string", "pattern": r"^\S+$"}}
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    properties: JSON = {
        "image": {
            "type": "object",
            "properties": {"repository": text, "tag": text},
            "additionalProperties": False,
        },
        "replicas": {"type": "integer", "minimum": 0},
        "args": {"type": "array", "items": {"type": "string"}},
        "resources": {"type": "object"},
        "nodeSelector": texts,
        "tolerations": objects,
        "imagePullSecrets": objects,
        "performerPolicy": {
            "type": "object",
            "properties": {"enabled": {"type": "boolean"}, **dict.fromkeys(policy.LISTS, names)},
            "additionalProperties": False,
        },
        # What Helm adds by itself.
        "global": {"type": "object"},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


if __name__ == "__main__":
    write(chart(), Path(sys.argv[1]))
