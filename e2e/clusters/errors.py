"""Why there is no cluster, or no image on its node."""


class UnavailableError(Exception):
    """A provider cannot give a cluster on this machine; the message says why."""


class ImageImportError(Exception):
    """An image archive could not be brought to the real node; the message says why."""
