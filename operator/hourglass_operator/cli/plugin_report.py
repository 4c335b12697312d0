"""`kubectl performer report`."""

import io
import tarfile
from importlib.metadata import version
from pathlib import Path

import click

from hourglass_operator.cli.plugin_options import DATA, output_option
from hourglass_operator.cli.plugin_target import Target, bad, target_options
from hourglass_operator.console.data import print_data
from hourglass_operator.console.line import print_line
from hourglass_operator.plugin.report import Report, report


@click.command("report")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("performer-report.tar.gz"),
    show_default=True,
    help="Where to write it.",
)
@output_option("json", "yaml")
@target_options
def report_command(target: Target, file: Path, output: str) -> None:
    """Write what helps others to help: objects, Events, the operator's log and versions.

    Of the whole cluster. Secrets and ConfigMaps are not read, and values of environment variables
    are masked; names, images, commands and messages are in it as they are. `hourglass-sim check
    --cluster` reads its cluster.json.

    \b
    Examples:
      kubectl performer report
      kubectl performer report --file /tmp/report.tar.gz -o json
    """
    found = target.ask(lambda api: report(api, version("hourglass-performer-operator")))
    try:
        _write(file, found)
    except OSError as error:
        bad(f"{file}: {error.strerror}")
    if output in DATA:
        said = {"file": str(file), "contents": list(found.files), "missing": found.missing}
        return print_data(said, output)
    print_line(f"{file}: {', '.join(found.files)}", err=False)
    for text in found.missing:
        print_line(f"not in it: {text}")
    return None


def _write(file: Path, found: Report) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name, text in found.files.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"performer-report/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
