"""Container images for the end-to-end tests, made without any engine."""

from images.container_image import container_image
from images.performer_image import performer_image
from images.python_images import executor_image, operator_image, project_wheel

__all__ = [
    "container_image",
    "executor_image",
    "operator_image",
    "performer_image",
    "project_wheel",
]
