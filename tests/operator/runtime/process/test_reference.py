"""The pages that are made from the code are up to date."""

from pathlib import Path

import pytest

from hourglass_operator.runtime.process.reference import PAGES

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("page", list(PAGES))
def test_the_page_is_what_make_generate_writes(page: str) -> None:
    assert (DOCS / f"{page}.md").read_text(encoding="utf-8") == PAGES[page]()
