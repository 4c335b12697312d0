"""The values of the Helm chart, and the schema by which Helm refuses others.

https://helm.sh/docs/topics/charts/#schema-files
"""

from importlib.metadata import version

from hourglass_kube.types import JSON
from hourglass_operator.manifests import policy
from hourglass_operator.manifests.installation import DEFAULT
from hourglass_operator.manifests.roles import NAME
from hourglass_operator.runtime.process.settings import RuntimeSettings

_TEXT: JSON = {"type": "string", "minLength": 1}
_SWITCH: JSON = {"type": "boolean"}
_OBJECTS: JSON = {"type": "array", "items": {"type": "object"}}
_TEXTS: JSON = {"type": "object", "additionalProperties": {"type": "string"}}
# Of a Service, and of pods that are named after it.
_NAME: JSON = {"type": "string", "pattern": "^([a-z]([-a-z0-9]{0,51}[a-z0-9])?)?$"}
_WORDS: JSON = {"type": "array", "items": {"type": "string", "pattern": r"^\S+$"}}


def values(image: str = DEFAULT.image) -> JSON:
    """What an installation gets that chooses nothing: the same as from the base.

    `image` has a tag, or a digest: then the tag is the version.
    """
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, version(NAME)
    return {
        "nameOverride": "",
        "fullnameOverride": "",
        "image": {"repository": repository, "tag": tag, "digest": digest, "pullPolicy": ""},
        "imagePullSecrets": DEFAULT.image_pull_secrets,
        "replicas": DEFAULT.replicas,
        "args": DEFAULT.args,
        "settings": {},
        "extraEnv": DEFAULT.env,
        "extraVolumes": DEFAULT.volumes,
        "extraVolumeMounts": DEFAULT.volume_mounts,
        "resources": DEFAULT.resources,
        "nodeSelector": DEFAULT.node_selector,
        "tolerations": DEFAULT.tolerations,
        "affinity": {},
        "topologySpreadConstraints": DEFAULT.topology_spread,
        "priorityClassName": DEFAULT.priority_class,
        "podLabels": {},
        "podAnnotations": DEFAULT.pod_annotations,
        "serviceAccount": {"annotations": {}},
        "crds": {"install": True},
        "userRoles": {"install": True},
        "networkPolicy": {"enabled": True},
        "serviceMonitor": {"enabled": False},
        "performerPolicy": {"enabled": False, **{name: [] for name in policy.LISTS}},
    }


def schema() -> JSON:
    """Strict: a misspelt value is an error."""
    digest = {"type": "string", "pattern": "^(sha256:[a-f0-9]{64})?$"}
    pull_policy = {"enum": ["", "Always", "IfNotPresent", "Never"]}
    of_image = {"repository": _TEXT, "tag": _TEXT, "digest": digest, "pullPolicy": pull_policy}
    properties: JSON = {
        "nameOverride": _NAME,
        "fullnameOverride": _NAME,
        "image": _strict(of_image),
        "imagePullSecrets": _OBJECTS,
        "replicas": {"type": "integer", "minimum": 0},
        "args": {"type": "array", "items": {"type": "string"}},
        "settings": _settings(),
        "extraEnv": _OBJECTS,
        "extraVolumes": _OBJECTS,
        "extraVolumeMounts": _OBJECTS,
        "resources": {"type": "object"},
        "nodeSelector": _TEXTS,
        "tolerations": _OBJECTS,
        "affinity": {"type": "object"},
        "topologySpreadConstraints": _OBJECTS,
        "priorityClassName": {"type": "string"},
        "podLabels": _TEXTS,
        "podAnnotations": _TEXTS,
        "serviceAccount": _strict({"annotations": _TEXTS}),
        "crds": _strict({"install": _SWITCH}),
        "userRoles": _strict({"install": _SWITCH}),
        "networkPolicy": _strict({"enabled": _SWITCH}),
        "serviceMonitor": _strict({"enabled": _SWITCH}),
        "performerPolicy": _strict({"enabled": _SWITCH, **dict.fromkeys(policy.LISTS, _WORDS)}),
        # What Helm adds by itself.
        "global": {"type": "object"},
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_strict(properties)}


def _strict(properties: JSON) -> JSON:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _settings() -> JSON:
    """Settings of the operator by their names in docs/settings.md.

    Where it listens is not among them: the probes and the Service have the ports that it has.
    """
    made = RuntimeSettings.model_json_schema()
    found = {
        name.replace("_", "-"): _kind(field, made.get("$defs", {}))
        for name, field in made["properties"].items()
        if name not in ("health_address", "metrics_address")
    }
    return _strict(found)


def _kind(field: JSON, defined: JSON) -> JSON:
    """A field of a model without what is not about its values; null is said by leaving it out."""
    if "$ref" in field:
        return _kind(defined[field["$ref"].rpartition("/")[2]], defined)
    if "anyOf" in field:
        (one,) = (each for each in field["anyOf"] if each != {"type": "null"})
        return _kind(one, defined)
    words = ("title", "description", "default", "format")
    return {name: value for name, value in field.items() if name not in words}
