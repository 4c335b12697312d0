from pathlib import Path

import pytest

from e2e_clusters.executables import Executables


@pytest.fixture
def executables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Executables:
    """The only programs on the PATH."""
    made = Executables(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.folder))
    return made
