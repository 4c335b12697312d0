"""What a ResourceClaim asks for: devices of a DeviceClass, by what their driver says of them.

https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hourglass_kube import quantity
from hourglass_kube.resourceslice import DeviceView
from hourglass_kube.types import JSON

REQUEST = "gpu"
"""The name of the only request of a claim."""

RESOURCE_DOMAIN = "resource.k8s.io/"
"""Begins the name under which devices of a class are counted, as if nodes offered a resource."""
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class DeviceClaim:
    """So many devices of a class.

    `equal`: attributes of the driver with exactly this value; `product`: the attribute that names
    the model, and `products`: the names that will do (none: any), of which case does not count and
    '-', '_' and ' ' are the same; `memory`: the least capacity of that name, empty: any.
    """

    device_class: str
    driver: str
    count: int
    equal: tuple[tuple[str, str], ...] = ()
    product: str = ""
    products: tuple[str, ...] = ()
    memory: str = ""

    @property
    def resource(self) -> str:
        """The name under which such devices are counted on nodes."""
        return RESOURCE_DOMAIN + self.device_class

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes and capacities that are looked at."""
        product = (self.product,) if self.products else ()
        return (*product, *(name for name, _ in self.equal), *(("memory",) if self.memory else ()))

    def matches(self, driver: str, device: DeviceView) -> bool:
        """Whether a device will do, as the scheduler judges by `selectors`; taints do not count."""
        attributes = dict(device.kind.attributes)
        if driver != self.driver:
            return False
        if any(attributes.get(name) != value for name, value in self.equal):
            return False
        if self.products and _alike(attributes.get(self.product, "")) not in map(
            _alike, self.products
        ):
            return False
        if not self.memory:
            return True
        capacity = dict(device.kind.capacity).get("memory")
        return capacity is not None and quantity.parse(capacity) >= quantity.parse(self.memory)

    def selectors(self) -> list[JSON]:
        """CEL on the driver's attributes, all of which must hold.

        What a device does not say is asked for with `has`: a selector that fails keeps the pod off
        every node.
        """
        return [{"cel": {"expression": expression}} for expression in self._expressions()]

    def spec(self) -> JSON:
        """The spec of a ResourceClaim."""
        exactly: JSON = {"deviceClassName": self.device_class, "count": self.count}
        if selectors := self.selectors():
            exactly["selectors"] = selectors
        return {"devices": {"requests": [{"name": REQUEST, "exactly": exactly}]}}

    def _expressions(self) -> Iterator[str]:
        attributes = f"device.attributes[{json.dumps(self.driver)}]"
        capacity = f"device.capacity[{json.dumps(self.driver)}]"
        for name, value in self.equal:
            yield f"has({attributes}.{name}) && {attributes}.{name} == {json.dumps(value)}"
        if self.products:
            names = "|".join(dict.fromkeys(map(_pattern, self.products)))
            pattern = json.dumps(f"(?i)^({names})$")
            product = f"{attributes}.{self.product}"
            yield f"has({product}) && {product}.matches({pattern})"
        if self.memory:
            enough = f"{capacity}.memory.compareTo(quantity({json.dumps(self.memory)})) >= 0"
            yield f"has({capacity}.memory) && {enough}"


def counted(claim: DeviceClaim) -> str:
    """How a pod says what it claims; see `claimed`."""
    return f"{claim.device_class}={claim.count}"


def claimed(text: str) -> Mapping[str, int]:
    """What a pod says it claims, as counts by the name of the resource; nothing if unreadable."""
    device_class, _, count = text.partition("=")
    if not device_class or not count.isdecimal() or len(count) > _MOST_DIGITS:
        return {}
    return {RESOURCE_DOMAIN + device_class: int(count)}


def _alike(product: str) -> str:
    return re.sub(r"[-_ ]", "-", product.lower())


def _pattern(product: str) -> str:
    return re.sub(r"[-_ ]", "[-_ ]", re.sub(r"([.+*?()\[\]{}|^$\\])", r"\\\1", product))
