"""Paths of files.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from hourglass_simulator.apiserver.rules.fault import Faults, invalid, required

_LARGEST_MODE = 0o777


def no_backsteps(field: str, path: str) -> Faults:
    """A path with `..` in it."""
    if ".." in path.split("/"):
        yield invalid(field, path, "must not contain '..'")


def descending(field: str, path: str) -> Faults:
    """A path that is not below where it starts."""
    if path.startswith("/"):
        yield invalid(field, path, "must be a relative path")
    yield from no_backsteps(field, path)


def not_reserved(field: str, path: str) -> Faults:
    """A path in a volume that the kubelet fills: it keeps what starts with `..` for itself."""
    yield from descending(field, path)
    if path.startswith("..") and not path.startswith("../"):
        yield invalid(field, path, "must not start with '..'")


def mode(field: str, value: int | None) -> Faults:
    """Bits of permissions."""
    if value is not None and not 0 <= value <= _LARGEST_MODE:
        yield invalid(field, value, "must be a number between 0 and 0777 (octal), both inclusive")


def key_to_path(path: str, item: dict[str, object]) -> Faults:
    """A key of a ConfigMap or a Secret, and where it goes."""
    if not item.get("key"):
        yield required(f"{path}.key")
    if not item.get("path"):
        yield required(f"{path}.path")
    yield from not_reserved(f"{path}.path", str(item.get("path") or ""))
    bits = item.get("mode")
    yield from mode(f"{path}.mode", bits if isinstance(bits, int) else None)
