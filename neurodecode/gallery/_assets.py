"""Pictures, clips and figures as files whose names come from their content, never from an id."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurodecode.gallery._items import Figure, Shown
from neurodecode.store import atomic_path

FOLDER = "assets"
NAME = re.compile(r"assets/[0-9a-f]{24}\.(?:png|webp)")
LARGEST_LOSSLESS = 256
LARGEST = 768
WEBP_QUALITY = 90
FIGURE_DPI = 144


class Assets:
    """Writes what is shown into ``folder/assets``; the same picture twice is one file.

    Parameters
    ----------
    folder : Path
        The gallery's folder.
    fps : float
        Frames a second of clips.

    Examples
    --------
    >>> import tempfile
    >>> assets = Assets(Path(tempfile.mkdtemp()))
    >>> shown = assets.add(np.zeros((4, 6, 3), np.uint8))
    >>> shown["kind"], shown["width"], shown["height"], bool(NAME.fullmatch(shown["file"]))
    ('image', 6, 4, True)
    >>> assets.add("a red house")
    {'kind': 'text', 'text': 'a red house'}
    """

    def __init__(self, folder: Path, fps: float = 8.0) -> None:
        self.folder = folder
        self.fps = fps
        self.names: set[str] = set()

    def add(self, shown: Shown) -> dict[str, Any]:
        """Write one picture or clip; give back what the page needs to show it."""
        if isinstance(shown, str):
            return {"kind": "text", "text": shown}
        first = shown if shown.ndim == 3 else shown[len(shown) // 2]
        height, width = first.shape[:2]
        entry: dict[str, Any] = {"kind": "image", "width": int(width), "height": int(height)}
        entry["file"] = self._keep(*encode_picture(first))
        if shown.ndim == 4:
            entry |= {"kind": "clip", "still": entry["file"], "frames": len(shown)}
            entry["file"] = self._keep(encode_clip(shown, self.fps), "webp")
        return entry

    def add_figure(self, figure: Figure) -> dict[str, Any]:
        """Write one figure as PNG."""
        content = figure.image
        if not isinstance(content, bytes):
            buffer = io.BytesIO()
            content.savefig(buffer, format="png", dpi=FIGURE_DPI, bbox_inches="tight")
            content = buffer.getvalue()
        try:
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                width, height = image.size
                image.verify()
        except (OSError, SyntaxError, ValueError) as error:
            raise ValueError(
                f"Figure '{figure.title}' is no PNG file that can be read: {error}."
            ) from error
        return {
            "title": figure.title,
            "caption": figure.caption,
            "file": self._keep(content, "png"),
            "width": width,
            "height": height,
        }

    def drop_others(self) -> None:
        """Remove pictures of an earlier gallery in this folder; files of other names stay."""
        for path in (self.folder / FOLDER).glob("*"):
            name = f"{FOLDER}/{path.name}"
            if NAME.fullmatch(name) and name not in self.names:
                path.unlink()

    def _keep(self, content: bytes, suffix: str) -> str:
        digest = hashlib.blake2b(content, digest_size=12).hexdigest()
        name = f"{FOLDER}/{digest}.{suffix}"
        target = self.folder / name
        if name not in self.names and not _same(target, content):
            with atomic_path(target) as part:
                part.write_bytes(content)
        self.names.add(name)
        return name


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def encode_picture(picture: NDArray[np.uint8]) -> tuple[bytes, str]:
    """A picture as the bytes of a file, and its suffix.

    Up to 256 pixels it is stored exactly, as PNG; a larger one as WebP of quality 90, no side
    longer than 768 pixels.

    Examples
    --------
    >>> encode_picture(np.zeros((4, 4, 3), np.uint8))[1]
    'png'
    >>> encode_picture(np.zeros((4, 300, 3), np.uint8))[1]
    'webp'
    """
    image, buffer = Image.fromarray(np.ascontiguousarray(picture)), io.BytesIO()
    if max(image.size) <= LARGEST_LOSSLESS:
        image.save(buffer, "PNG")
        return buffer.getvalue(), "png"
    image.thumbnail((LARGEST, LARGEST))
    image.save(buffer, "WEBP", quality=WEBP_QUALITY)
    return buffer.getvalue(), "webp"


def encode_clip(clip: NDArray[np.uint8], fps: float) -> bytes:
    """A clip as an animated WebP that plays for ever; lossless up to 256 pixels.

    Examples
    --------
    >>> content = encode_clip(np.zeros((2, 4, 4, 3), np.uint8), fps=8)
    >>> content[:4], content[8:12]
    (b'RIFF', b'WEBP')
    """
    frames = [Image.fromarray(np.ascontiguousarray(frame)) for frame in clip]
    lossless = max(frames[0].size) <= LARGEST_LOSSLESS
    for frame in frames:
        frame.thumbnail((LARGEST, LARGEST))
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 / fps),
        loop=0,
        lossless=lossless,
        quality=WEBP_QUALITY,
        method=2,
    )
    return buffer.getvalue()
