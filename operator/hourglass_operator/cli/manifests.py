"""`hourglass-operator crd` and `hourglass-operator manifests`: what a cluster needs, as YAML."""

import re

import click

from hourglass_operator.api import crd as definition
from hourglass_operator.api.values import IMAGE_REFERENCE
from hourglass_operator.manifests.base import base
from hourglass_operator.manifests.installation import DEFAULT, Installation
from hourglass_operator.manifests.policy import policy

_KUSTOMIZATION = "kustomization.yaml"


@click.command()
def crd() -> None:
    """Print the definition of the Performer resource.

    \b
    Examples:
      hourglass-operator crd | kubectl apply --server-side -f -
    """
    click.echo(definition.text(), nl=False)


@click.command()
@click.option(
    "--image",
    default=DEFAULT.image,
    show_default=True,
    help="The operator's image, as the cluster can pull it.",
)
@click.option(
    "--policy",
    "with_policy",
    is_flag=True,
    help="With the admission policies on who may create which Performers (docs/security.md).",
)
def manifests(image: str, with_policy: bool) -> None:
    """Print everything that runs the operator in a cluster, the definition of Performers among it.

    \b
    Examples:
      hourglass-operator manifests --image registry.example.com/operator:v1 \\
          | kubectl apply --server-side -f -
    """
    if not re.fullmatch(IMAGE_REFERENCE, image):
        raise click.BadParameter(
            f"expected [registry[:port]/]path[:tag][@sha256:digest], found {image!r}",
            param_hint="--image",
        )
    files = {"crd.yaml": definition.text(), **base(Installation(image=image))}
    if with_policy:
        files |= policy()
    texts = (text for name, text in files.items() if name != _KUSTOMIZATION)
    click.echo("---\n".join(texts), nl=False)
