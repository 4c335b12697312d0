"""StorageVersionMigrations.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/storagemigration/validation/validation.go
"""

import re

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names, object_meta
from hourglass_simulator.apiserver.rules.fault import Faults, immutable, invalid, required
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.schema_error import Verbatim

_RESOURCE = "spec.resource"
_VERSION = re.compile(r"[1-9][0-9]*")


def created(found: JSON) -> Faults:
    """What is wrong with a new StorageVersionMigration."""
    yield from object_meta.created("storageversionmigrations", found["metadata"])
    of = (found.get("spec") or {}).get("resource") or {}
    if not (resource := of.get("resource")):
        yield required(f"{_RESOURCE}.resource", "resource is required to be set")
    elif why := names.dns_1035_label(resource):
        yield invalid(f"{_RESOURCE}.resource", resource, ",".join(why))
    if (group := of.get("group")) and (why := names.dns_subdomain(group)):
        yield invalid(f"{_RESOURCE}.group", group, ",".join(why))


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed StorageVersionMigration."""
    yield from created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from immutable("spec", new.get("spec"), old.get("spec"), _printed)


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status: what is decided stays so."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    now, before = (found.get("status") or {} for found in (new, old))
    version, since = (found.get("resourceVersion") or "" for found in (now, before))
    if version and not _VERSION.fullmatch(version):
        why = f"resource version is not well formed: {version}"
        yield invalid("status.resourceVersion", version, why)
    conditions = now.get("conditions") or []
    yield from labels.conditions("status.conditions", conditions)
    if since and version != since:
        yield from immutable("status.resourceVersion", version, since)
    shown = printed("[]meta.Condition", conditions)
    if _is(now, "Succeeded") and _is(now, "Failed"):
        why = "Both success and failed conditions cannot be true at the same time"
        yield invalid("status.conditions", shown, why)
    for kind, named in (("Succeeded", "Success"), ("Failed", "Failed")):
        if _is(before, kind) and not _is(now, kind):
            why = f"{named} condition cannot be set to false once it is true"
            yield invalid("status.conditions", shown, why)


def _printed(spec: JSON) -> Verbatim:
    return printed("storagemigration.StorageVersionMigrationSpec", spec)


def _is(status_of: JSON, kind: str) -> bool:
    found: JSON = next((c for c in status_of.get("conditions") or () if c.get("type") == kind), {})
    return found.get("status") == "True"
