"""Values of Kubernetes' own types in CEL: messages with the name of their type and their text."""

from collections.abc import Callable
from functools import cache

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    message_factory,
    struct_pb2,
    timestamp_pb2,
)
from google.protobuf.message import Message

VALUE = "hourglass.Value"
"""What values of all own types are when they are evaluated."""
_TYPES = {
    "Quantity": "kubernetes.Quantity",
    "IP": "net.IP",
    "CIDR": "net.CIDR",
    "URL": "kubernetes.URL",
    "Semver": "kubernetes.Semver",
    "Format": "kubernetes.NamedFormat",
    "Authorizer": "kubernetes.authorization.Authorizer",
    "PathCheck": "kubernetes.authorization.PathCheck",
    "GroupCheck": "kubernetes.authorization.GroupCheck",
    "ResourceCheck": "kubernetes.authorization.ResourceCheck",
    "Decision": "kubernetes.authorization.Decision",
    "Object": "kubernetes.mutation.Object",
    "Nothing": "kubernetes.Nothing",
}
OWN_TYPES = frozenset(_TYPES.values())
"""The names of all of them, as expressions and errors show them."""


def type_name(name: str) -> str:
    """The name of a type, such as `net.IP` for IP."""
    return _TYPES[name]


def add_messages(pool: descriptor_pool.DescriptorPool) -> None:
    """Let a pool know the messages that the library works with."""
    for module in (duration_pb2, timestamp_pb2, struct_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        pool.Add(file)
    packages = sorted({name.rpartition(".")[0] for name in OWN_TYPES})
    for package in packages:
        own_file = descriptor_pb2.FileDescriptorProto(
            name=f"{package}.proto", package=package, syntax="proto3"
        )
        for name in sorted(OWN_TYPES):
            if name.rpartition(".")[0] == package:
                own_file.message_type.add(name=name.rpartition(".")[2])
        pool.Add(own_file)
    values = descriptor_pb2.FileDescriptorProto(
        name="hourglass.proto", package="hourglass", syntax="proto3"
    )
    value = values.message_type.add(name="Value")
    for number, name in enumerate(("kind", "text"), 1):
        value.field.add(name=name, number=number, type=9, label=1)
    pool.Add(values)


@cache
def shared_pool() -> descriptor_pool.DescriptorPool:
    """A pool with the messages of the library and no others."""
    pool = descriptor_pool.DescriptorPool()
    add_messages(pool)
    return pool


@cache
def mutation_pool() -> descriptor_pool.DescriptorPool:
    """A pool that also has JSONPatch, as mutations make it."""
    pool = descriptor_pool.DescriptorPool()
    add_messages(pool)
    file = descriptor_pb2.FileDescriptorProto(name="patch.proto", syntax="proto3")
    file.dependency.append("google/protobuf/struct.proto")
    patch = file.message_type.add(name="JSONPatch")
    for number, name in enumerate(("op", "path", "from"), 1):
        patch.field.add(name=name, number=number, type=9, label=1)
    patch.field.add(name="value", number=4, type=11, label=1, type_name=".google.protobuf.Value")
    pool.Add(file)
    return pool


@cache
def _class(name: str) -> Callable[..., Message]:
    found: Callable[..., Message] = message_factory.GetMessageClass(
        shared_pool().FindMessageTypeByName(name)
    )
    return found


def duration(nanoseconds: int) -> Message:
    """A google.protobuf.Duration."""
    seconds, nanos = divmod(abs(nanoseconds), 10**9)
    sign = -1 if nanoseconds < 0 else 1
    return _class("google.protobuf.Duration")(seconds=sign * seconds, nanos=sign * nanos)


def timestamp(seconds: int, nanos: int) -> Message:
    """A google.protobuf.Timestamp."""
    return _class("google.protobuf.Timestamp")(seconds=seconds, nanos=nanos)


def own(name: str, text: str) -> Message:
    """A value of one of the types."""
    return _class(VALUE)(kind=type_name(name), text=text)


def text_of(value: Message) -> str:
    """The text of a value of one of the types."""
    text: str = value.text
    return text
