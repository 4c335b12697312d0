"""Log lines for people or for programs; both name the Performer and the pass."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from hourglass_kube.text import cut, harmless

_FIELDS = ("performer", "pass_id")
"""Attributes of records (given as `extra`) that become fields of the line."""
_MESSAGE_LIMIT = 3000
"""Characters of a message: container runtimes break lines of 16 KiB, and JSON with them."""


class TextFormatter(logging.Formatter):
    """`2026-01-02T03:04:05.678Z INFO performer=ns/name pass=7 message`; see `harmless`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an exception's traceback follows it."""
        fields = "".join(f"{key}={value} " for key, value in _fields(record).items())
        line = harmless(f"{_time(record)} {record.levelname} {fields}{_message(record)}")
        if record.exc_info:
            # Indented: an exception's words may look like a line of this log.
            traceback = cut(self.formatException(record.exc_info), 2 * _MESSAGE_LIMIT)
            line += "".join(f"\n  {harmless(part)}" for part in traceback.split("\n"))
        return line


class JSONFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, performer, pass, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = cut(self.formatException(record.exc_info), 2 * _MESSAGE_LIMIT)
        return json.dumps(line, ensure_ascii=False)


def configure(form: Literal["text", "json"], level: str) -> None:
    """Log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    if level != "debug":
        # kopf logs much about itself. What ends its watches is in the operator's own lines; of its
        # calls only those are logged that it gives up.
        logging.getLogger("kopf").setLevel(logging.CRITICAL)
        calls = logging.getLogger("kopf._cogs.clients.api")
        calls.setLevel(logging.ERROR)
        calls.addFilter(lambda record: "escalating" in record.getMessage())
    for library in ("aiohttp.access", "asyncio", "transitions"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _message(record: logging.LogRecord) -> str:
    return cut(record.getMessage(), _MESSAGE_LIMIT)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _fields(record: logging.LogRecord) -> dict[str, object]:
    found = {field: getattr(record, field, None) for field in _FIELDS}
    return {k.removesuffix("_id"): value for k, value in found.items() if value is not None}
