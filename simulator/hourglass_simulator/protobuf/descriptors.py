"""The recorded protocol buffer types of a version, and the Go types that they belong to.

tests/goldens/record_protobuf.py writes the file that they are read from.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from hourglass_simulator.kubernetes.version import Version


class Descriptors:
    """Of one version."""

    def __init__(self, version: Version) -> None:
        self._kinds = version.kinds
        self._pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(version.descriptors).file:
            self._pool.Add(file)
        self._go_fields = {
            _message_name(name): found
            for name, found in version.types.items()
            if isinstance(found, dict)
        }

    def message(self, name: str) -> Message:
        """An empty message of a type, `k8s.io.api.core.v1.Pod`."""
        return GetMessageClass(self._pool.FindMessageTypeByName(name))()

    def of_kind(self, api_version: str, kind: str) -> Message | None:
        """An empty message of a kind; None if it has none."""
        base = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        group, _, version = api_version.rpartition("/")
        own = f"k8s.io/api/{group.partition('.')[0] or 'core'}/{version}.{kind}"
        for go_type in (self._kinds.get(f"{base}/{kind}"), own, f"{_META}.{kind}"):
            try:
                if go_type is not None:
                    return self.message(_message_name(go_type))
            except (KeyError, TypeError):
                # A name that no type has, or that no type can have.
                pass
        return None

    def go_fields(self, descriptor: Descriptor) -> Mapping[str, Any] | None:
        """The fields of the Go type of a message; None if they are not recorded."""
        return self._go_fields.get(descriptor.full_name)


@cache
def descriptors(version: Version) -> Descriptors:
    """Those of a version, read once."""
    return Descriptors(version)


_META = "k8s.io/apimachinery/pkg/apis/meta/v1"
"""The package of kinds that all groups have: DeleteOptions, Status."""


def _message_name(go_type: str) -> str:
    """A package's path as go-to-protobuf writes it."""
    return go_type.replace("/", ".").replace("-", "_")
