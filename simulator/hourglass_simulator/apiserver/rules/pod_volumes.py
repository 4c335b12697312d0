"""The volumes of pods.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import claims, names, projections, volumes
from hourglass_simulator.apiserver.rules.containers import PULL_POLICIES
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    choice,
    duplicate,
    each,
    forbidden,
    invalid,
    required,
)
from hourglass_simulator.apiserver.rules.volumes import SHARED, Source, needs, referring

_LONGEST_INITIATOR = 64


def _empty_dir(path: str, source: JSON) -> Faults:
    limit = source.get("sizeLimit")
    if limit is not None and amount(limit) < 0:
        why = "SizeLimit field must be a valid resource quantity"
        yield forbidden(f"{path}.sizeLimit", why)


def _csi(path: str, source: JSON) -> Faults:
    yield from volumes.driver_name(f"{path}.driver", source.get("driver") or "")
    secret = source.get("nodePublishSecretRef")
    if secret is None:
        return
    name = secret.get("name") or ""
    if not name:
        yield required(f"{path}.nodePublishSecretRef.name")
    else:
        yield from each(f"{path}.name", name, names.dns_subdomain(name))


def _ephemeral(path: str, source: JSON) -> Faults:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
    else:
        yield from claims.template(f"{path}.volumeClaimTemplate", template)


def _image(path: str, source: JSON) -> Faults:
    yield from choice(f"{path}.pullPolicy", source.get("pullPolicy"), PULL_POLICIES)


_SOURCES = (
    Source("emptyDir", _empty_dir),
    SHARED["hostPath"],
    Source("gitRepo", volumes.git_repo),
    SHARED["gcePersistentDisk"],
    SHARED["awsElasticBlockStore"],
    Source("secret", projections.secret),
    SHARED["nfs"],
    Source("iscsi", volumes.pod_iscsi),
    Source("glusterfs", needs("endpoints", "path")),
    SHARED["flocker"],
    Source("persistentVolumeClaim", needs("claimName")),
    SHARED["rbd"],
    Source("cinder", referring(needs("volumeID"), "name")),
    SHARED["cephfs"],
    SHARED["quobyte"],
    Source("downwardAPI", projections.downward_api, several="downwarAPI"),
    SHARED["fc"],
    SHARED["flexVolume"],
    Source("configMap", projections.config_map),
    Source("azureFile", needs("secretName", "shareName")),
    SHARED["vsphereVolume"],
    SHARED["photonPersistentDisk"],
    SHARED["portworxVolume"],
    SHARED["azureDisk"],
    Source("storageos", referring(volumes.storage_os, "name")),
    Source("projected", projections.projected),
    SHARED["scaleIO"],
    Source("csi", _csi),
    Source("ephemeral", _ephemeral),
    Source("image", _image),
)


def of_pod(path: str, given: Sequence[JSON], meta: JSON | None) -> Faults:
    """The volumes of a pod; of a template there is no `meta`."""
    pod = (meta or {}).get("name") or ""
    made = {f"{pod}-{v['name']}" for v in given if pod and v.get("ephemeral") is not None}
    seen: set[str] = set()
    for index, volume in enumerate(given):
        where, name = f"{path}[{index}]", volume.get("name") or ""
        found = [*_source(where, volume, name, pod, in_pod=meta is not None), *_name(where, name)]
        if name in seen:
            found.append(duplicate(f"{where}.name", name))
        yield from found
        if not found:
            seen.add(name)
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in made:
            why = "must not reference a PVC that gets created for an ephemeral volume"
            yield invalid(f"{where}.persistentVolumeClaim.claimName", claim, why)


def usable(given: Sequence[JSON], meta: JSON | None) -> dict[str, JSON]:
    """The volumes that nothing is wrong with, by name: what mounts may refer to."""
    found: dict[str, JSON] = {}
    pod = (meta or {}).get("name") or ""
    for volume in given:
        name = volume.get("name") or ""
        wrong = any(_source("", volume, name, pod, in_pod=meta is not None))
        if not wrong and name not in found and not any(_name("", name)):
            found[name] = volume
    return found


def _name(path: str, name: str) -> Faults:
    if not name:
        yield required(f"{path}.name")
    else:
        yield from each(f"{path}.name", name, names.dns_label(name))


def _source(path: str, volume: JSON, name: str, pod: str, *, in_pod: bool) -> Faults:
    given = [source for source in _SOURCES if volume.get(source.field) is not None]
    for index, source in enumerate(given):
        yield from source.faults(path, volume, first=index == 0)
        if source.field == "iscsi":
            yield from _initiator(path, volume["iscsi"], name)
        elif source.field == "ephemeral" and pod and name and index == 0:
            claim = f"{pod}-{name}"
            wrong = (f'PVC name "{claim}": {w}' for w in names.dns_subdomain(claim))
            yield from each(f"{path}.name", name, wrong)
        elif source.field == "image" and in_pod and not volume["image"].get("reference"):
            yield required(f"{path}.image.reference")
    if not given:
        yield required(path, "must specify a volume type")


def _initiator(path: str, source: JSON, name: str) -> Faults:
    length = len(f"{name}:{source.get('targetPortal') or ''}")
    if source.get("initiatorName") is not None and length > _LONGEST_INITIATOR:
        why = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
        yield invalid(f"{path}.name", name, f"{why}iscsi.initiatorName is specified.")
