"""What the API server warns of beside its answers: deprecated endpoints, fields, pod security.

https://kubernetes.io/blog/2020/09/03/warnings/
"""

import logging
import re
from collections.abc import Iterable, Iterator

from hourglass_kube.text import cut

logger = logging.getLogger(__name__)

_KEPT = 1000
"""Different texts that are remembered; some name an object."""
_LIMIT = 500
"""Characters of a text: a webhook warns of what it likes."""
_HEADER = re.compile(r'(\d{3}) \S+ "((?:[^"\\]|\\.)*)"(?: "[^"]*")?')
_ESCAPED = re.compile(r"\\(.)")
_MISCELLANEOUS = "299"
"""The only code of Kubernetes."""


class ServerWarnings:
    """Logs each text once."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def log(self, asked: str, headers: Iterable[str]) -> None:
        """`asked`: the request, such as `POST /api/v1/namespaces/avs/pods`.

        `headers`: those of its answer that are called `Warning`.
        """
        for text in warning_texts(headers):
            if text in self._logged:
                continue
            if len(self._logged) == _KEPT:
                self._logged.clear()
            self._logged.add(text)
            logger.warning("the API server warns, asked to %s: %s", asked, text)


def warning_texts(headers: Iterable[str]) -> Iterator[str]:
    """The texts in headers `Warning`, each of which may hold several.

    https://www.rfc-editor.org/rfc/rfc7234#section-5.5
    """
    for header in headers:
        for code, text in _HEADER.findall(header):
            if code == _MISCELLANEOUS and text:
                yield cut(_ESCAPED.sub(r"\1", text), _LIMIT)
