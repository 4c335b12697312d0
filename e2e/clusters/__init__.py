"""Real clusters for the end-to-end tests: five providers, one `Cluster`."""

from clusters.cluster import Cluster, KubectlError, Manifest
from clusters.components import Components
from clusters.errors import ImageImportError, UnavailableError
from clusters.fake_nodes import TOLERATION, fake_node
from clusters.image import write_image
from clusters.log import Log
from clusters.waiting import wait_until

__all__ = [
    "TOLERATION",
    "Cluster",
    "Components",
    "ImageImportError",
    "KubectlError",
    "Log",
    "Manifest",
    "UnavailableError",
    "fake_node",
    "wait_until",
    "write_image",
]
