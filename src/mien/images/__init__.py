"""Read, write, colour, resize and warp images: uint8 arrays, RGB (H, W, 3) or grey (H, W).

What draws on them is in `mien.images.drawing`.
"""

from mien.images.files import SUFFIXES as SUFFIXES
from mien.images.files import Source as Source
from mien.images.files import TooManyPixelsError as TooManyPixelsError
from mien.images.files import encoded as encoded
from mien.images.files import read as read
from mien.images.files import read_scaled as read_scaled
from mien.images.files import size_hw as size_hw
from mien.images.files import write as write
from mien.images.pixels import INTERPOLATIONS as INTERPOLATIONS
from mien.images.pixels import Image as Image
from mien.images.pixels import resize as resize
from mien.images.pixels import to_grey as to_grey
from mien.images.pixels import to_rgb as to_rgb
from mien.images.pixels import warp as warp
from mien.images.pixels import within as within
