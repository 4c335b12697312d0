"""Record the protocol buffer types of a version of Kubernetes, as data of the simulator.

    pip install grpcio-tools
    python tests/goldens/record_protobuf.py 1.34 v0.34.4 MODULES

MODULES is the folder that has `k8s.io/api@v0.34.4` and the like, `$(go env GOMODCACHE)`. What comes
out is `1.34.protobuf.xz` in simulator/hourglass_simulator/kubernetes: the FileDescriptorSet of all
packages whose Go types are recorded, with what they import, of aggregated discovery and of the
OpenAPI document.
"""

import lzma
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from go_types import PACKAGES

HERE = Path(__file__).parents[2] / "simulator/hourglass_simulator/kubernetes"
_DISCOVERY = ("k8s.io/api/apidiscovery/v2", "k8s.io/api/apidiscovery/v2beta1")
_OPENAPI = "openapiv2/OpenAPIv2.proto"


def main() -> None:
    """Write the file."""
    version, modules_version, modules = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "k8s.io").mkdir()
        for module in (modules / "k8s.io").glob(f"*@{modules_version}"):
            (root / "k8s.io" / module.name.partition("@")[0]).symlink_to(module)
        gnostic = sorted((modules / "github.com/google").glob("gnostic-models@*"))[-1]
        (root / "openapiv2").symlink_to(gnostic / "openapiv2")
        found = [
            f"{package}/generated.proto" for package in sorted({*PACKAGES.values(), *_DISCOVERY})
        ]
        found = [path for path in found if (root / path).exists()]
        out = root / "set"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", "--include_imports"]
        subprocess.run([*command, f"--descriptor_set_out={out}", *found, _OPENAPI], check=True)
        preset = 9 | lzma.PRESET_EXTREME
        compressed = lzma.compress(out.read_bytes(), preset=preset)
        (HERE / f"{version}.protobuf.xz").write_bytes(compressed)


if __name__ == "__main__":
    main()
