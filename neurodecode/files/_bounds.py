"""How much more a file may hold than its own size: what is packed, and what is only declared.

Measured on what people share: betas and anatomy pack 2 to 10 times, label images and masks up to
100 times, all of one value up to 1000 times but never much of it. So whatever is below 256 MB is
believed, and above it 100 times the bytes that are stored.
"""

from __future__ import annotations

from pathlib import Path

from neurodecode.errors import CorruptFileError

MAX_RATIO = 100
BELIEVED_BYTES = 2**28


def check_expansion(file: Path, n_stored: int, n_declared: int, what: str = "the file") -> None:
    """Refuse content that is declared far larger than what is stored of it.

    Parameters
    ----------
    file : Path
    n_stored : int
        Bytes that are in the file.
    n_declared : int
        Bytes that they are said to become.
    what : str
        What is so large, for the message.

    Raises
    ------
    CorruptFileError
        If it is more than 256 MB and more than 100 times as much as is stored.

    Examples
    --------
    >>> check_expansion(Path("a.npz"), 10**6, 10**8)
    >>> check_expansion(Path("a.npz"), 10**6, 10**10, "'betas'")
    Traceback (most recent call last):
    ...
    neurodecode.errors.CorruptFileError: a.npz: 'betas' is declared as 10000000000 bytes, but \
1000000 bytes are stored; at most 100 times as much is believed. The file is damaged or made to \
fill the memory; obtain it again.
    """
    if n_declared > max(BELIEVED_BYTES, MAX_RATIO * n_stored):
        raise CorruptFileError(
            f"{file}: {what} is declared as {n_declared} bytes, but {n_stored} bytes are stored; "
            f"at most {MAX_RATIO} times as much is believed. The file is damaged or made to fill "
            f"the memory; obtain it again."
        )
