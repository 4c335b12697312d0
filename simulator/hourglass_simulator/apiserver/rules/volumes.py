"""The sources of volumes that pods and PersistentVolumes share.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import names, paths
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    each,
    forbidden,
    in_range,
    invalid,
    not_supported,
    one_of,
    required,
    too_long,
)

Check = Callable[[str, JSON], Faults]
_HOST_PATHS = (
    *("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate"),
    *("File", "FileOrCreate", "Socket"),
)
_LARGEST_LUN = 255
_LARGEST_PARTITION = 255
_INITIATORS = {
    "iqn": r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$",
    "eui": r"^eui.[A-Za-z0-9]{16}$",
    "naa": r"^naa.[A-Za-z0-9]{32}$",
}
_INITIATOR_RULE = "must be valid format"
_LONGEST_TENANT = 64
MANY = "may not specify more than 1 volume type"


class Source(NamedTuple):
    """A field that is a kind of volume; errors name it otherwise where Kubernetes does."""

    field: str
    check: Check
    named: str = ""
    several: str = ""

    def faults(self, path: str, source: JSON, *, first: bool) -> Faults:
        """What is wrong with a source, or that it is not the only one."""
        if first:
            yield from self.check(f"{path}.{self.named or self.field}", source[self.field])
        else:
            yield forbidden(f"{path}.{self.several or self.field}", MANY)


def of_sources(path: str, source: JSON, sources: Sequence[Source]) -> Faults:
    """A volume, which has one source."""
    given = [each for each in sources if source.get(each.field) is not None]
    for index, one in enumerate(given):
        yield from one.faults(path, source, first=index == 0)
    if not given:
        yield required(path, "must specify a volume type")


def needs(*fields: str) -> Check:
    """A source with fields that must have a value."""

    def check(path: str, source: JSON) -> Faults:
        for field in fields:
            if not source.get(field):
                yield required(f"{path}.{field}")

    return check


def host_path(path: str, source: JSON) -> Faults:
    """A path of the node."""
    if not source.get("path"):
        yield required(f"{path}.path")
        return
    yield from paths.no_backsteps(f"{path}.path", source["path"])
    if source.get("type") is not None:
        yield from one_of(f"{path}.type", source["type"], _HOST_PATHS)


def git_repo(path: str, source: JSON) -> Faults:
    """A repository of git."""
    yield from needs("repository")(path, source)
    yield from paths.descending(f"{path}.directory", source.get("directory") or "")


def _initiator(field: str, value: str, unknown: str) -> Faults:
    form = _INITIATORS.get(value[:3])
    if form is None:
        yield invalid(field, value, unknown)
    elif not re.search(form, value):
        yield invalid(field, value, _INITIATOR_RULE)


def iscsi(path: str, source: JSON, unknown: str) -> Faults:
    """A disk by iSCSI; `unknown` is what is said of a name of no form."""
    if not source.get("iqn"):
        yield required(f"{path}.iqn")
    else:
        yield from _initiator(f"{path}.iqn", source["iqn"], unknown)
    lun = source.get("lun") or 0
    if not 0 <= lun <= _LARGEST_LUN:
        yield invalid(f"{path}.lun", lun, in_range(0, _LARGEST_LUN))
    authenticated = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
    if authenticated and source.get("secretRef") is None:
        yield required(f"{path}.secretRef")


def iscsi_initiator(path: str, source: JSON, unknown: str) -> Faults:
    """The name of the initiator of iSCSI."""
    if source.get("initiatorName") is not None:
        yield from _initiator(f"{path}.initiatorname", source["initiatorName"], unknown)


def pod_iscsi(path: str, source: JSON) -> Faults:
    """A disk by iSCSI in a pod."""
    unknown = "must be valid format starting with iqn, eui, or naa"
    yield from needs("targetPortal")(path, source)
    yield from iscsi(path, source, unknown)
    yield from iscsi_initiator(path, source, unknown)


def fibre_channel(path: str, source: JSON) -> Faults:
    """A disk by Fibre Channel."""
    names_of_targets, wwids = source.get("targetWWNs"), source.get("wwids")
    if not names_of_targets and not wwids:
        why = "must specify either targetWWNs or wwids, but not both"
        yield required(f"{path}.targetWWNs", why)
    if names_of_targets and wwids:
        why = "targetWWNs and wwids can not be specified simultaneously"
        yield invalid(f"{path}.targetWWNs", names_of_targets, why)
    if names_of_targets:
        lun = source.get("lun")
        if lun is None:
            yield required(f"{path}.lun", "lun is required if targetWWNs is specified")
        elif not 0 <= lun <= _LARGEST_LUN:
            yield invalid(f"{path}.lun", lun, in_range(0, _LARGEST_LUN))


def disk(field: str) -> Check:
    """A disk of a cloud, which `field` names, and a partition of it."""

    def check(path: str, source: JSON) -> Faults:
        yield from needs(field)(path, source)
        partition = source.get("partition") or 0
        if not 0 <= partition <= _LARGEST_PARTITION:
            yield invalid(f"{path}.partition", partition, in_range(1, _LARGEST_PARTITION))

    return check


def nfs(path: str, source: JSON) -> Faults:
    """A folder of an NFS server."""
    yield from needs("server", "path")(path, source)
    if not (source.get("path") or "").startswith("/"):
        yield invalid(f"{path}.path", source.get("path") or "", "must be an absolute path")


def quobyte(path: str, source: JSON) -> Faults:
    """A volume of Quobyte."""
    registry, pairs = source.get("registry") or "", "must be a host:port pair or multiple pairs "
    if not registry:
        yield required(f"{path}.registry", f"{pairs}separated by commas")
    elif len(source.get("tenant") or "") > _LONGEST_TENANT:
        why = "must be a UUID and may not exceed a length of 64 characters"
        yield required(f"{path}.tenant", why)
    else:
        for pair in registry.split(","):
            if not re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*", pair):
                yield invalid(f"{path}.registry", registry, f"{pairs}separated by commas")
    yield from needs("volume")(path, source)


def flocker(path: str, source: JSON) -> Faults:
    """A dataset of Flocker."""
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    if not name and not uuid:
        yield required(path, "one of datasetName and datasetUUID is required")
    if name and uuid:
        why = "datasetName and datasetUUID can not be specified simultaneously"
        yield invalid(path, "resource", why)
    if "/" in name:
        yield invalid(f"{path}.datasetName", name, "must not contain '/'")


def flex(path: str, source: JSON) -> Faults:
    """A volume of a FlexVolume driver."""
    yield from needs("driver")(path, source)
    for key in sorted(source.get("options") or ()):
        normalized = "." + key.partition("/")[0].lower()
        if normalized.endswith((".kubernetes.io", ".k8s.io")):
            why = "kubernetes.io and k8s.io namespaces are reserved"
            yield invalid(f"{path}.options[{key}]", key, why)


def azure_disk(path: str, source: JSON) -> Faults:
    """A disk of Azure."""
    yield from needs("diskName", "diskURI")(path, source)
    caching, kind, uri = source.get("cachingMode"), source.get("kind"), source.get("diskURI") or ""
    if caching is not None:
        modes = ("None", "ReadOnly", "ReadWrite")
        yield from one_of(f"{path}.cachingMode", caching, modes)
    if kind is None:
        return
    yield from one_of(f"{path}.kind", kind, ("Dedicated", "Managed", "Shared"))
    if kind == "Managed":
        if not uri.startswith("/subscriptions/"):
            form = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/"
            form += "microsoft.compute/disks/{disk-id}"
            yield not_supported(f"{path}.diskURI", uri, [form])
    elif not uri.startswith("https://"):
        form = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        yield not_supported(f"{path}.diskURI", uri, [form])


def storage_os(path: str, source: JSON) -> Faults:
    """A volume of StorageOS."""
    name, namespace = source.get("volumeName") or "", source.get("volumeNamespace") or ""
    if not name:
        yield required(f"{path}.volumeName")
    else:
        yield from each(f"{path}.volumeName", name, names.dns_label(name))
    if namespace:
        yield from each(f"{path}.volumeNamespace", namespace, names.dns_label(namespace))


def referring(check: Check, *fields: str) -> Check:
    """A source that may refer to a secret, by the fields of its reference that are needed."""

    def with_secret(path: str, source: JSON) -> Faults:
        yield from check(path, source)
        secret = source.get("secretRef")
        if secret is not None:
            yield from needs(*fields)(f"{path}.secretRef", secret)

    return with_secret


def driver_name(field: str, name: str) -> Faults:
    """The name of a CSI driver."""
    if not name:
        yield required(field)
        if gates.since(37):
            return
    if len(name) > names.LABEL_LENGTH:
        yield too_long(field, names.LABEL_LENGTH)
    yield from each(field, name, names.dns_subdomain(name.lower()))


def local(path: str, source: JSON) -> Faults:
    """A path of a node that a PersistentVolume has for itself."""
    if not source.get("path"):
        yield required(f"{path}.path")
    else:
        yield from paths.no_backsteps(f"{path}.path", source["path"])


SHARED: Mapping[str, Source] = {
    "hostPath": Source("hostPath", host_path),
    "gcePersistentDisk": Source("gcePersistentDisk", disk("pdName"), "persistentDisk"),
    "awsElasticBlockStore": Source("awsElasticBlockStore", disk("volumeID")),
    "nfs": Source("nfs", nfs),
    "flocker": Source("flocker", flocker),
    "quobyte": Source("quobyte", quobyte),
    "fc": Source("fc", fibre_channel),
    "flexVolume": Source("flexVolume", flex),
    "vsphereVolume": Source("vsphereVolume", needs("volumePath")),
    "photonPersistentDisk": Source("photonPersistentDisk", needs("pdID")),
    "portworxVolume": Source("portworxVolume", needs("volumeID")),
    "azureDisk": Source("azureDisk", azure_disk),
    "rbd": Source("rbd", needs("monitors", "image")),
    "cephfs": Source("cephfs", needs("monitors"), several="cephFS"),
    "scaleIO": Source("scaleIO", needs("gateway", "system", "volumeName")),
}
