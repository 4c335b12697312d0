"""The operator on a real API server, beside the same writes made without an operator.

    python benchmarks/real_cluster.py                                      # everything, 20 minutes
    python benchmarks/real_cluster.py --performers 300 --rounds 1 --only creation    # 3 minutes
    python benchmarks/real_cluster.py --up-to 10000                        # and the memory

Starts the cluster of the end-to-end tests' provider `native` (e2e/README.md says what that needs),
with KWOK nodes. In every round the client without an operator (load/baseline.py) goes first, then
the operator. Both have the same ServiceAccount, by which the audit log counts their calls. Figures:
benchmarks/README.md. Exit code 1 if a bound is missed.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "e2e"))

from clusters.native import native  # noqa: E402 - found below e2e
from hourglass_operator.api import GROUP, PLURAL  # noqa: E402
from load.run import NAMESPACE, PARTS, Run, log  # noqa: E402


def main() -> int:
    """Exit code 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description="The operator under load on a real API server.")
    parser.add_argument("--performers", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds")
    parser.add_argument(
        "--up-to", type=int, nargs="*", default=[], help="more Performers, for the memory"
    )
    options = parser.parse_args()
    # Whoever ends the run by SIGTERM gets the same clean end as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with native(log) as cluster, tempfile.TemporaryDirectory() as folder:
        cluster.apply(ROOT / "crds" / f"{PLURAL}.{GROUP}.yaml")
        cluster.kubectl("create", "namespace", NAMESPACE)
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}")
        cluster.add_fake_nodes(options.nodes)
        run = Run(cluster, Path(folder), options)
        log(f"Kubernetes {cluster.version}, {options.nodes} KWOK nodes")
        try:
            asyncio.run(run.measure())
        finally:
            print(run.figures.table())
    return 1 if run.figures.missed else 0


if __name__ == "__main__":
    sys.exit(main())
