"""The detector for images that already are one face."""

from mien.images import Image
from mien.records import Face


class WholeFace:
    """Take every image as one face that fills it."""

    def detect(self, image: Image) -> list[Face]:
        """Give the one face; its box is the image."""
        height, width = image.shape[:2]
        return [Face((-0.5, -0.5, width - 0.5, height - 0.5), 1.0)]

    def candidates(self, image: Image) -> list[Face]:
        """Give the same: there is no doubt."""
        return self.detect(image)
