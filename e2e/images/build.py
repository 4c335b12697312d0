"""Make an image of the tests by hand: `python e2e/images/build.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click

from clusters import UnavailableError
from images import executor_image, operator_image, performer_image

IMAGES = {"executor": executor_image, "operator": operator_image, "performer": performer_image}


@click.command()
@click.argument("image", type=click.Choice(list(IMAGES)))
@click.option("--tag", required=True, help="Such as localhost/performer:v2.")
@click.argument("archive", type=click.Path(dir_okay=False, path_type=Path))
def main(image: str, tag: str, archive: Path) -> None:
    """Write an image to ARCHIVE, in the form of `docker save`.

    \b
    Examples:
      build.py performer --tag localhost/performer:v1 v1.tar
      build.py operator --tag localhost/hourglass-performer-operator:e2e operator.tar
      docker load --input operator.tar
      ctr --namespace k8s.io images import operator.tar
    """
    try:
        IMAGES[image](archive, tag, lambda line: click.echo(line, err=True))
    except UnavailableError as reason:
        raise click.ClickException(str(reason)) from None
    click.echo(f"{archive}: {tag}, {archive.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
