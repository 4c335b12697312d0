"""Texts of others: cut to what fits, and harmless for a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube.text import cut, cut_bytes, harmless

TEXTS = st.text(max_size=60)


@pytest.mark.parametrize(
    ("text", "limit", "cut_text"),
    [
        pytest.param("abcdef", 6, "abcdef", id="what fits stays"),
        pytest.param("abcdefgh", 5, "ab…gh", id="beginning and end are kept"),
        pytest.param("abcdefgh", 6, "abc…gh", id="the beginning has one more"),
        pytest.param("ääääää", 5, "ää…ää", id="code points count, not bytes"),
        pytest.param("😀😀😀😀", 3, "😀…😀", id="and not UTF-16"),
        pytest.param("abc", 1, "…", id="hardly any room"),
    ],
)
def test_cut(text: str, limit: int, cut_text: str) -> None:
    assert cut(text, limit) == cut_text


@pytest.mark.parametrize(
    ("text", "limit", "cut_text"),
    [
        pytest.param("ää", 4, "ää", id="what fits stays"),
        pytest.param("abcdefgh", 7, "ab…gh", id="the mark has three bytes"),
        pytest.param("äääääääää", 9, "ä…ä", id="no half characters"),
    ],
)
def test_cut_by_bytes(text: str, limit: int, cut_text: str) -> None:
    assert cut_bytes(text, limit) == cut_text


@given(TEXTS, st.integers(1, 40))
def test_what_is_cut_fits_and_is_cut_once(text: str, limit: int) -> None:
    done = cut(text, limit)
    assert len(done) <= limit
    assert cut(done, limit) == done
    assert done == text or (text.startswith(done.split("…")[0]) and "…" in done)


@given(TEXTS, st.integers(3, 40))
def test_what_is_cut_by_bytes_fits(text: str, limit: int) -> None:
    done = cut_bytes(text, limit)
    assert len(done.encode(errors="replace")) <= limit
    assert cut_bytes(done, limit) == done


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(
            "0/3 nodes… 2 × a100, „ä“ 名 😀", "0/3 nodes… 2 × a100, „ä“ 名 😀", id="plain"
        ),
        pytest.param("a\u00a0b\u3000c", "a\u00a0b\u3000c", id="blanks of all scripts"),
        pytest.param("\x1b]0;owned\x07\x1b[2J", r"\x1b]0;owned\x07\x1b[2J", id="sequences"),
        pytest.param("\x9b2J\x9d0;x\x9c", r"\x9b2J\x9d0;x\x9c", id="the same in one byte"),
        pytest.param("a\nb\rc\td\u2028e\x85f", r"a\nb\rc\td\u2028e\x85f", id="new lines"),
        pytest.param("a\u202eb\u2066c\u200fd\u061c", r"a\u202eb\u2066c\u200fd\u061c", id="bidi"),
        pytest.param("a\u200bb\ufeff\U000e0041", r"a\u200bb\ufeff\U000e0041", id="invisible"),
        pytest.param("\ud800", r"\ud800", id="half a character, which no terminal can be sent"),
        pytest.param("\0\x7f", r"\x00\x7f", id="the ends of ASCII"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(TEXTS)
def test_what_is_harmless_is_one_line_and_stays(text: str) -> None:
    shown = harmless(text)
    assert len(shown.splitlines()) <= 1
    assert harmless(shown) == shown
    shown.encode()
