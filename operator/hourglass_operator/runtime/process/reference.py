"""The pages docs/settings.md and docs/metrics.md, from the code."""

import sys
from collections.abc import Callable, Iterator, Mapping

from hourglass_operator.runtime.process.metrics import Metrics
from hourglass_operator.runtime.process.settings import ENVIRONMENT_PREFIX, RuntimeSettings

_SETTINGS = """\
# Settings of `hourglass-operator run`

Made from the code by `make generate`. Each setting is a flag, an environment variable, or a line
of the YAML file that `--config` names (the flag without its dashes: `lease-duration: 15`). The
first that is given counts, in this order. In the environment several namespaces are separated by
commas. Times are seconds.

| flag | environment | default | what it does |
|---|---|---|---|
"""

_METRICS = """\
# Metrics of `hourglass-operator run`

Made from the code by `make generate`. Served at `/metrics` on port 8080 (`--metrics-address`) in
Prometheus' text format.

| metric | type | labels | what it counts or measures |
|---|---|---|---|
"""


def settings() -> str:
    """docs/settings.md."""
    return _SETTINGS + "".join(_setting_rows())


def metrics() -> str:
    """docs/metrics.md."""
    made = Metrics()
    made.performers(list)
    made.watch_events({})
    return _METRICS + "".join(
        f"| `{metric.name}` | {metric.kind} | {', '.join(metric.labels)} | {metric.help} |\n"
        for metric in made.described
    )


def _setting_rows() -> Iterator[str]:
    for name, field in RuntimeSettings.model_fields.items():
        flag = name.replace("_", "-")
        flags = f"--{flag}`, `--no-{flag}" if field.annotation is bool else f"--{flag}"
        variable = ENVIRONMENT_PREFIX + name.upper()
        yield f"| `{flags}` | `{variable}` | {_default(field.default)} | {field.description} |\n"


def _default(value: object) -> str:
    if value in (None, ()):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


PAGES: Mapping[str, Callable[[], str]] = {"settings": settings, "metrics": metrics}


if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
