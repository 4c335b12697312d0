"""`python -m hourglass_operator.olm.generate ROOT` writes the bundle of the project in ROOT."""

import sys
from pathlib import Path

import click
import yaml

from hourglass_kube.loader import SafeLoader
from hourglass_kube.types import JSON
from hourglass_operator.console.line import print_line
from hourglass_operator.manifests.files import write
from hourglass_operator.olm.bundle import bundle
from hourglass_operator.olm.catalog import CatalogError
from hourglass_operator.olm.release import CHANNEL, release
from hourglass_operator.olm.shape import CATALOG, type_errors

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_HELP = """Write the OLM bundle and a catalog with it.

Without options it is the one that the repository holds: of this version, with images by tag. A
release that is published names its images by digest, and what it replaces:

\b
  python -m hourglass_operator.olm.generate . \\
    --image ghcr.io/layr-labs/hourglass-performer-operator@sha256:... \\
    --replaces hourglass-performer-operator.v0.1.0 --skip-range '>=0.1.0 <0.2.0' \\
    --catalog published/catalog.yaml

\b
Exit codes:
  0  written
  2  the release cannot be added to the catalog, or the catalog cannot be read
"""


@click.command(help=_HELP)
@click.argument("root", type=_FOLDER)
@click.option("--output", type=_FOLDER, help="Where to; bundle below ROOT when absent.")
@click.option("--version", help="The release; this package's when absent.")
@click.option("--image", help="The operator's image.")
@click.option("--bundle-image", help="The bundle's image, for the catalog.")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    default=(CHANNEL,),
    show_default=True,
    help="Any number; the first is the default one.",
)
@click.option("--replaces", help="Name of the ClusterServiceVersion before this one.")
@click.option("--skip-range", help="Versions from which one gets to this one at once.")
@click.option("--catalog", "before", type=_FILE, help="Catalog of the releases before this one.")
def main(
    root: Path,
    output: Path | None,
    version: str | None,
    image: str | None,
    bundle_image: str | None,
    channels: tuple[str, ...],
    replaces: str | None,
    skip_range: str | None,
    before: Path | None,
) -> None:
    """Write the files."""
    made = release(
        version,
        image=image,
        bundle_image=bundle_image,
        channels=channels,
        replaces=replaces,
        skip_range=skip_range,
    )
    try:
        earlier = _read(before) if before else []
        write(bundle(root, made, earlier), output or root / "bundle")
    except CatalogError as error:
        print_line(f"{before}: {error}" if before else str(error))
        sys.exit(2)


def _read(file: Path) -> list[JSON]:
    """The blobs of a catalog; raises CatalogError."""
    try:
        text = file.read_text(encoding="utf-8")
        blobs = [blob for blob in yaml.load_all(text, Loader=SafeLoader) if blob is not None]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise CatalogError(" ".join(str(error).split())) from None
    for index, blob in enumerate(blobs):
        for mistake in type_errors(blob, CATALOG, f"[{index}]"):
            raise CatalogError(mistake)
        for field in ("schema", "name"):
            if field not in blob:
                raise CatalogError(f"[{index}].{field}: a text is expected, found none")
    return blobs


if __name__ == "__main__":
    main()
