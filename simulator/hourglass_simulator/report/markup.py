"""Texts of others in HTML."""

from html import escape as escape_markup

from hourglass_kube.text import harmless


def escape(text: str) -> str:
    r"""Text as HTML: nothing in it is markup, and controls and marks of direction are shown.

    Browsers obey marks such as `\u202e` beyond the text that they stand in. Lines stay lines.
    """
    return escape_markup("\n".join(map(harmless, text.split("\n"))))
