"""OpenCV, which reads and writes videos and reads cameras."""

import os
from typing import Any

from mien.errors import MissingExtraError


def opencv(what: str = "reading videos") -> Any:
    """Import OpenCV, quiet: what is wrong or damaged is counted and told by us.

    Without it MissingExtraError says what it was wanted for.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError(what, "OpenCV", "video") from error
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
