"""Answers for programs, as JSON or as YAML."""

import json
from typing import Any

import click

from hourglass_kube.dumper import as_yaml


def print_data(value: Any, form: str) -> None:
    """Print what consists of lists, keys and plain values; `form` is json or yaml."""
    if form == "yaml":
        click.echo(as_yaml(value), nl=False)
    else:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
