"""What differs from one bundle to the next."""

from dataclasses import dataclass
from importlib.metadata import version

from hourglass_operator.manifests.roles import NAME

PACKAGE = NAME
REGISTRY = "ghcr.io/layr-labs"
"""Where releases are published: the registry of the repository."""
CHANNEL = "candidate-v0"
"""Neither supported nor finished, as the API's version says.

https://olm.operatorframework.io/docs/best-practices/channel-naming/
"""


@dataclass(frozen=True, slots=True)
class Release:
    """A version of the operator as OLM installs it.

    `image` and `bundle_image` are pulled by clusters: with a registry and, when the release is
    published, with a digest. `replaces` is the name of the ClusterServiceVersion before this one,
    `skip_range` the versions from which one gets here at once, such as `>=0.1.0 <0.3.0`
    (https://olm.operatorframework.io/docs/concepts/olm-architecture/operator-catalog/creating-an-update-graph/).
    """

    version: str
    image: str
    bundle_image: str
    channels: tuple[str, ...] = (CHANNEL,)
    replaces: str | None = None
    skip_range: str | None = None

    @property
    def csv_name(self) -> str:
        """The name of the ClusterServiceVersion and of the bundle in catalogs."""
        return csv_name(self.version)


def csv_name(of_version: str) -> str:
    """The name of the ClusterServiceVersion of a version."""
    return f"{PACKAGE}.v{of_version}"


def release(
    of_version: str | None = None,
    *,
    image: str | None = None,
    bundle_image: str | None = None,
    channels: tuple[str, ...] = (CHANNEL,),
    replaces: str | None = None,
    skip_range: str | None = None,
) -> Release:
    """A release; without a version that of this package, without images the tags of the version.

    A digest is known only when the image is built, so what the repository holds has tags.
    """
    number = of_version or version(NAME)
    return Release(
        version=number,
        image=image or f"{REGISTRY}/{NAME}:{number}",
        bundle_image=bundle_image or f"{REGISTRY}/{NAME}-bundle:v{number}",
        channels=channels,
        replaces=replaces,
        skip_range=skip_range,
    )
