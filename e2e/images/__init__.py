"""Container images for the end-to-end tests, made without any engine."""

from images.operator_image import operator_image
from images.performer_image import performer_image

__all__ = ["operator_image", "performer_image"]
