"""Every scenario file plays the same in every process."""

import hashlib
from pathlib import Path

from test_scenarios import end, start


def test_the_same_seed_gives_the_same_trace_in_every_process(tmp_path: Path) -> None:
    folders = [tmp_path / hash_seed for hash_seed in ("1", "2")]
    processes = [start(folder, folder.name) for folder in folders]
    assert [end(*each)[0] for each in zip(processes, folders, strict=True)] == [0, 0]
    digests = {hashlib.sha256((folder / "trace").read_bytes()).hexdigest() for folder in folders}
    assert len(digests) == 1
