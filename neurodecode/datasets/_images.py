"""Images that are whole: a compressed one is read to its end once, where its checksum lies.

Libraries stop reading a ``.nii.gz`` at the last value and never come to the checksum behind it, so
that a flipped bit gives other values without a word. Here each file is unpacked to its end once in
a process before any value of it is used. Cost: one pass of unpacking, about 200 MB (unpacked) a
second on one core (``benchmarks/whole_images.py``), so 5 s for a session of NSD (1 GB); a plain
``.nii`` costs nothing, and has no checksum either.
"""

from __future__ import annotations

import math
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing
from neurodecode.errors import CorruptFileError
from neurodecode.files import BELIEVED_BYTES, MAX_RATIO, check_expansion

WHAT = "an image"
GZIP = b"\x1f\x8b"
BLOCK = 2**20


def open_image(path: str | Path, *, keep_open: bool = False, whole: bool = True) -> Any:
    """A NIfTI file (or another that nibabel reads), after a look at all its bytes.

    Parameters
    ----------
    path : path
    keep_open : bool
        Slabs that are read one after the other are then not unzipped from the start each time.
    whole : bool
        False leaves the look at its bytes to `check_whole`, which must be called before any value
        is used.

    Returns
    -------
    nibabel image, its values not in memory

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If it is no image, is shorter or longer than its header says, or its checksum is wrong.

    Examples
    --------
    >>> import nibabel, numpy, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mask.nii.gz"
    >>> nibabel.save(nibabel.Nifti1Image(numpy.ones((2, 2, 2), "u1"), numpy.eye(4)), file)
    >>> open_image(file).shape
    (2, 2, 2)
    """
    import nibabel

    file = existing(path, "image")
    with reading(file, WHAT):
        image: Any = nibabel.load(file, keep_file_open=keep_open)
    if whole:
        check_whole(image)
    return image


def check_whole(image: Any) -> None:
    """Refuse an image whose file is damaged or has another size than its header declares.

    Its bytes are looked at once as long as size and time of change stay the same.

    Raises
    ------
    CorruptFileError
        Naming the file.
    """
    values, holder = image.dataobj, image.file_map.get("image")
    if holder is None or holder.filename is None or not hasattr(values, "offset"):
        return
    file = Path(holder.filename)
    with reading(file, WHAT):
        volume = math.prod(map(int, values.shape[:3])) * values.dtype.itemsize
        n_volumes = math.prod(map(int, values.shape[3:]))
        declared = int(values.offset) + volume * n_volumes
        facts = file.stat()
        _check_bytes(file, (facts.st_size, facts.st_mtime_ns), declared, volume)


def check_gzip(file: Path) -> None:
    """Unpack a gzip file to its end, so that its checksums are compared.

    Raises
    ------
    EOFError, zlib.error
        If it is cut off or damaged; call it inside a door.
    CorruptFileError
        If it unpacks to far more than its size.
    """
    packed = file.stat().st_size
    most = max(BELIEVED_BYTES, MAX_RATIO * packed) + 1
    check_expansion(file, packed, _unpacked_size(file, most))


@lru_cache(maxsize=4096)
def _check_bytes(file: Path, facts: tuple[int, int], declared: int, volume: int) -> None:
    with file.open("rb") as stream:
        packed = stream.read(2) == GZIP
    if packed:
        check_expansion(file, facts[0], declared)
    found = _unpacked_size(file, declared + volume) if packed else facts[0]
    if found < declared:
        raise CorruptFileError(
            f"{file} is cut off: it holds {found} of the {declared} bytes that its header "
            f"declares. Obtain it again."
        )
    if found >= declared + volume:
        raise CorruptFileError(
            f"{file} holds more than the {declared} bytes that its header declares, at least one "
            f"volume more. Its header is damaged or of another file; obtain it again."
        )


def _unpacked_size(file: Path, enough: int) -> int:
    """Bytes that a gzip file unpacks to, its checksums compared; reading stops at ``enough``.

    zlib itself compares the checksum and the length behind each member of the file.
    """
    found = 0
    unpack = zlib.decompressobj(wbits=31)
    with file.open("rb") as stream:
        while packed := stream.read(BLOCK):
            while packed:
                found += len(unpack.decompress(packed, BLOCK))
                if found >= enough:
                    return found
                packed = unpack.unconsumed_tail
                if unpack.eof:  # the next member, or what some writers pad a file with
                    packed = unpack.unused_data.lstrip(b"\0")
                    if packed:
                        unpack = zlib.decompressobj(wbits=31)
    if not unpack.eof:
        raise EOFError("the compressed stream ends before its checksum")
    return found
