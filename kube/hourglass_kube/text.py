"""Texts of others: cut to what fits, and made harmless for a terminal or a line of a log."""

import unicodedata

_ELLIPSIS = "…"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters: beginning and end, with "…" for what is left out between.

    Characters are code points, as the API server counts them for maxLength:
    https://github.com/kubernetes/kube-openapi/blob/master/pkg/validation/validate/validator.go
    """
    if len(text) <= limit:
        return text
    kept = max(limit - len(_ELLIPSIS), 0)
    end = kept // 2
    return text[: kept - end] + _ELLIPSIS + text[len(text) - end :]


def cut_bytes(text: str, limit: int) -> str:
    """The same, at most `limit` bytes in UTF-8."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return text
    kept = max(limit - len(_ELLIPSIS.encode()), 0)
    end = kept // 2
    # What is left of a character that was cut through is dropped.
    head = encoded[: kept - end].decode(errors="ignore")
    return head + _ELLIPSIS + encoded[len(encoded) - end :].decode(errors="ignore")


def harmless(text: str) -> str:
    r"""On one line, and nothing in it that a terminal acts upon: `\x1b`, `\n`, `\u202e` instead.

    Controls, marks of direction and of width (https://trojansource.codes), separators of lines,
    surrogates: whatever Python's repr() does not print either, but for the blanks of all scripts.
    """
    if text.isprintable():
        return text
    return "".join(character if _is_shown(character) else _escaped(character) for character in text)


def _is_shown(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
