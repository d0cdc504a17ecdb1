"""Describe one image file, and say why it cannot be used, if so."""

import hashlib
import re
from pathlib import Path

from PIL import UnidentifiedImageError

from versus.images import conversion
from versus.images.opening import ImageError, open_image, unreadable

SMALLEST_SIDE = 8  # pixels
NOT_OPENED = {"width": 0, "height": 0, "mode": "", "format": "", "conversion": "", "note": "", "problem": ""}


def describe(path: Path) -> dict:
    """Compute checksum, size, mode, format, conversion and problem of one image file."""
    description = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | NOT_OPENED
    if not path.stat().st_size:
        return description | {"problem": "empty file"}
    try:
        with open_image(path) as image:
            description |= {"width": image.width, "height": image.height, "mode": image.mode, "format": image.format}
            reasons, note = conversion.needed(image)
    except ImageError as error:
        return description | {"problem": str(error)}
    except UnidentifiedImageError:
        return description | {"problem": unreadable(path)}
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and others
        words = re.sub(r" \(\d+ bytes not processed\)", "", " ".join(str(error).split()))  # one text for all of them
        return description | {"problem": f"cannot be decoded: {words or type(error).__name__}"}
    if min(image.size) < SMALLEST_SIDE:
        return description | {"problem": f"too small: {image.width}x{image.height}, less than {SMALLEST_SIDE} pixels a "
                                         "side"}
    return description | {"conversion": reasons, "note": note}
