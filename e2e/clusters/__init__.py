"""Real clusters for the end-to-end tests: four providers, one `Cluster`."""

from clusters.cluster import Cluster, KubectlError, Manifest
from clusters.components import Components
from clusters.fake_nodes import TOLERATION, fake_node
from clusters.image import write_image
from clusters.provider import ImageImportError, Say, Unavailable
from clusters.waiting import wait_until

__all__ = [
    "TOLERATION",
    "Cluster",
    "Components",
    "ImageImportError",
    "KubectlError",
    "Manifest",
    "Say",
    "Unavailable",
    "fake_node",
    "wait_until",
    "write_image",
]
