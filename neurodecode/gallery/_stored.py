"""A gallery read back from its ``gallery.json``, which may be damaged or come from a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from neurodecode.errors import CorruptFileError
from neurodecode.evidence import check_results
from neurodecode.files import read_json
from neurodecode.gallery._assets import NAME
from neurodecode.gallery._page import render

FORMAT = "neurodecode-gallery"
VERSION = 1
CONTENT_FILE = "gallery.json"
# What Python raises where something is of another type or lacks a part.
_ALTERED = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, UndefinedError)


def render_stored(path: Path) -> str:
    """The page of a stored gallery.

    Parameters
    ----------
    path : Path
        Of ``gallery.json``.

    Returns
    -------
    str

    Raises
    ------
    CorruptFileError
        If it is no gallery of this version, was altered, or names a picture that is missing or
        lies elsewhere.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "gallery.json"
    >>> _ = file.write_text("{}")
    >>> render_stored(file)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    neurodecode.errors.CorruptFileError: ...gallery.json is no gallery of this version \
(neurodecode-gallery 1; it says None None). Run the experiment again.
    """
    content = read_json(path, "gallery")
    if not isinstance(content, dict):
        raise CorruptFileError(f"{path} holds {type(content).__name__}, not a JSON object.")
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        raise CorruptFileError(
            f"{path} is no gallery of this version ({FORMAT} {VERSION}; it says "
            f"{content.get('format')} {content.get('version')}). Run the experiment again."
        )
    try:
        check_results(content["results"])
        names = list(_files(content))
        page = render(content)
    except _ALTERED as error:
        raise CorruptFileError(
            f"{path} was altered: {error!r:.200}. Run the experiment again."
        ) from error
    for name in names:
        _check_file(path, name)
    return page


def _files(content: dict[str, Any]) -> Iterator[Any]:
    """Each name of a file that the page shows, wherever the content may hold one."""
    for figure in _of(list, content["figures"]):
        yield _of(dict, figure)["file"]
    for item in _of(list, content["items"]):
        controls = _of(dict, item["controls"]).values()
        for shown in (item["truth"], *_of(list, item["decoded"]), *controls):
            yield from (shown[key] for key in ("file", "still") if key in _of(dict, shown))


def _of(kind: type, value: Any) -> Any:
    """The value, if it is of this kind: another kind would hide names of files."""
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} in place of {kind.__name__}")
    return value


def _check_file(path: Path, name: Any) -> None:
    if not NAME.fullmatch(str(name)):
        raise CorruptFileError(f"{path} names a file outside its folder of pictures: '{name}'.")
    if not (path.parent / name).is_file():
        raise CorruptFileError(f"{path.parent / name} is missing, and {path.name} names it.")
