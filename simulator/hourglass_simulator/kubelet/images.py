"""Images: which exist, how long a pull takes, how it fails, and how their containers behave.

The texts are those of containerd 1.6 and Kubernetes 1.34 (tests/goldens/kubelet).
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TypeVar

from hourglass_simulator.kubelet.workload import Workload

PULL_SECONDS = 1.2
"""A pull's duration unless it is declared otherwise."""

T = TypeVar("T")
D = TypeVar("D")

_TAG = re.compile(r"^[\w][\w.-]{0,127}$", re.ASCII)
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_COMPONENT = re.compile(r"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$")
_HUB = "docker.io"


class Pull(Enum):
    """How pulling an image goes."""

    SUCCEEDS = "succeeds"
    MISSING = "missing"
    UNAUTHORIZED = "unauthorized"
    REGISTRY_DOWN = "registry down"
    REGISTRY_FAILS = "registry fails"


@dataclass(frozen=True, slots=True)
class Image:
    """What a reference stands for at the moment."""

    reference: str
    """Fully qualified, as the runtime reports it."""
    pull: Pull = Pull.SUCCEEDS
    pull_seconds: float = PULL_SECONDS
    workload: Workload | None = None
    """None: nothing is declared of it."""
    build: int = 0
    """Which build: a tag may be moved to a newer one."""

    @property
    def identifier(self) -> str:
        """The imageID in a container's status."""
        repository, _, digest = self.reference.partition("@")
        if not digest:
            repository = _without_tag(repository)
            built = f"{self.reference}#{self.build}" if self.build else self.reference
            digest = f"sha256:{hashlib.sha256(built.encode()).hexdigest()}"
        return f"{repository}@{digest}"

    @property
    def size(self) -> int:
        """Bytes."""
        return 10_000_000 + int(hashlib.sha256(self.reference.encode()).hexdigest()[:6], 16)

    def failure(self) -> str:
        """The runtime's message about a pull that does not succeed."""
        name = self.reference
        start = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": '
        host, _, rest = name.partition("/")
        registry = "registry-1.docker.io" if host == _HUB else host
        match self.pull:
            case Pull.MISSING:
                return f"rpc error: code = NotFound desc = {start}{name}: not found"
            case Pull.UNAUTHORIZED:
                return f"{start}{_status(registry, _tag(name), '401 Unauthorized')}"
            case Pull.REGISTRY_FAILS:
                return f"{start}{_status(registry, _tag(name), '500 Internal Server Error')}"
            case _:
                scheme, address = _address(registry)
                path = rest.partition("@")[0]
                url = f"{scheme}://{registry}/v2/{_without_tag(path)}/manifests/{_tag(name)}"
                refused = f"dial tcp {address}: connect: connection refused"
                return f'{start}failed to do request: Head "{url}": {refused}'


class ImageRegistry:
    """Every image exists and behaves well until something else is declared.

    Patterns are shell patterns for references as pods write them; the latest declaration wins.
    """

    def __init__(self) -> None:
        self.kept = True
        """Nodes keep what they have pulled; otherwise every start of a container pulls anew."""
        self._pulls: list[tuple[str, Pull]] = []
        self._seconds: list[tuple[str, float]] = []
        self._workloads: list[tuple[str, tuple[Workload | None, ...]]] = []
        """What the builds of an image do, the oldest first."""
        self._builds: list[tuple[str, int]] = []
        """The newest build, where it is not the first."""
        self._known: dict[tuple[str, int | None], Image] = {}

    def push(self, pattern: str) -> None:
        """Images exist from now on, and their registry answers."""
        self._declare(self._pulls, pattern, Pull.SUCCEEDS)

    def remove(self, pattern: str) -> None:
        """Images are missing from now on; nodes that have pulled them keep them."""
        self._declare(self._pulls, pattern, Pull.MISSING)

    def fail(self, pattern: str, how: Pull) -> None:
        """Pulls fail in the given way from now on."""
        self._declare(self._pulls, pattern, how)

    def take(self, pattern: str, seconds: float) -> None:
        """Pulls take so long from now on."""
        self._declare(self._seconds, pattern, seconds)

    def behave(self, pattern: str, workload: Workload) -> None:
        """Containers started from now on behave like this."""
        self._declare(self._workloads, pattern, (workload,))

    def rebuild(self, pattern: str, workload: Workload) -> None:
        """The tag means a new build from now on; nodes that have pulled it keep the one before."""
        for index, (known, builds) in enumerate(self._workloads):
            if known == pattern:
                self._workloads[index] = (pattern, (*builds, workload))
                break
        else:
            self._workloads.append((pattern, (None, workload)))
        self._declare(self._builds, pattern, _last(self._builds, pattern, 0) + 1)

    def override(
        self,
        pattern: str,
        *,
        pull: Pull | None = None,
        seconds: float | None = None,
        workload: Workload | None = None,
    ) -> Callable[[], None]:
        """What is given goes before everything declared so far, until the result is called."""
        undo = [
            self._push_rule(self._pulls, pattern, pull),
            self._push_rule(self._seconds, pattern, seconds),
            self._push_rule(self._workloads, pattern, None if workload is None else (workload,)),
        ]

        def restore() -> None:
            for remove in undo:
                remove()

        return restore

    def _push_rule(
        self, rules: list[tuple[str, T]], pattern: str, value: T | None
    ) -> Callable[[], None]:
        if value is None:
            return lambda: None
        rule = (pattern, value)
        rules.append(rule)
        self._known.clear()

        def remove() -> None:
            rules[:] = [other for other in rules if other is not rule]
            self._known.clear()

        return remove

    def image(self, reference: str, build: int | None = None) -> Image:
        """What a valid reference stands for at the moment: its newest build, or one before."""
        found = self._known.get((reference, build))
        if found is None:
            number = _last(self._builds, reference, 0) if build is None else build
            builds = _last(self._workloads, reference, (None,))
            found = self._known[reference, build] = Image(
                qualified(reference),
                _last(self._pulls, reference, Pull.SUCCEEDS),
                _last(self._seconds, reference, PULL_SECONDS),
                builds[min(number, len(builds) - 1)],
                number,
            )
        return found

    def _declare(self, rules: list[tuple[str, T]], pattern: str, value: T) -> None:
        rules[:] = [*(rule for rule in rules if rule[0] != pattern), (pattern, value)]
        self._known.clear()


def _last(rules: list[tuple[str, T]], reference: str, otherwise: D) -> T | D:
    for pattern, value in reversed(rules):
        if pattern == reference or fnmatchcase(reference, pattern):
            return value
    return otherwise


def invalid(reference: str) -> str | None:
    """Why a reference is none, as the kubelet reports it; None if it is valid."""
    why = _fault(reference)
    if why is None:
        return None
    parse = f'couldn\'t parse image name "{reference}": invalid reference format'
    return f'Failed to apply default image tag "{reference}": {parse}{why}'


def _fault(reference: str) -> str | None:
    name, at, digest = reference.partition("@")
    if at and not _DIGEST.match(digest):
        return ""
    path = _without_tag(name)
    if path != name and not _TAG.match(name[len(path) + 1 :]):
        return ""
    host, slash, rest = path.partition("/")
    remote = rest if slash and _is_host(host) else path
    if remote != remote.lower() and all(
        _COMPONENT.match(part) for part in remote.lower().split("/")
    ):
        return f": repository name ({remote}) must be lowercase"
    return None if all(_COMPONENT.match(part) for part in remote.split("/")) else ""


def qualified(reference: str) -> str:
    """A reference with its registry and tag: `performer` is docker.io/library/performer:latest."""
    name, at, digest = reference.partition("@")
    host, slash, _ = name.partition("/")
    if not slash:
        name = f"{_HUB}/library/{name}"
    elif not _is_host(host):
        name = f"{_HUB}/{name}"
    if not at and _without_tag(name) == name:
        name += ":latest"
    return f"{_without_tag(name)}@{digest}" if at else name


def _is_host(word: str) -> bool:
    return "." in word or ":" in word or word == "localhost"


def _without_tag(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _tag(name: str) -> str:
    return name.partition("@")[2] or name.rpartition(":")[2]


def _status(registry: str, tag: str, answer: str) -> str:
    return f"pulling from host {registry} failed with status code [manifests {tag}]: {answer}"


def _address(registry: str) -> tuple[str, str]:
    """Scheme and address; hosts elsewhere get addresses of the documentation range."""
    host, _, port = registry.partition(":")
    if host in ("localhost", "127.0.0.1"):
        return "http", f"127.0.0.1:{port or 80}"
    number = hashlib.sha256(host.encode()).digest()[0] % 254 + 1
    return "https", f"198.51.100.{number}:{port or 443}"
