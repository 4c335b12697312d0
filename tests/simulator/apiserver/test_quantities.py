"""Quantities are printed as Kubernetes prints them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube import quantity
from hourglass_simulator.apiserver.quantities import canonical


@pytest.mark.parametrize(
    ("given_text", "printed"),
    [
        (1, "1"),
        ("0", "0"),
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.25", "1250m"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("1023", "1023"),
        ("0.5Ki", "512"),
        ("100u", "100u"),
        ("1G", "1G"),
    ],
)
def test_prints_canonically(given_text: str | int, printed: str) -> None:
    assert canonical(given_text) == printed


@given(st.integers(0, 10**12), st.sampled_from(["", "m", "k", "M", "Ki", "Mi"]))
def test_printing_keeps_the_value_and_settles(number: int, suffix: str) -> None:
    text = canonical(f"{number}{suffix}")
    assert quantity.parse(text) == quantity.parse(f"{number}{suffix}")
    assert canonical(text) == text
