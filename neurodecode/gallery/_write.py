"""Write a gallery, and build it again from what it stores."""

from __future__ import annotations

import re
import webbrowser
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.evidence import check_results, read_results
from neurodecode.gallery._assets import Assets
from neurodecode.gallery._items import Figure, GalleryItem
from neurodecode.gallery._page import render
from neurodecode.gallery._scores import finite
from neurodecode.gallery._stored import CONTENT_FILE, FORMAT, VERSION, render_stored
from neurodecode.store import atomic_path, one_writer, write_json

ORDER_SEED = 0
RESULTS = "results.json"


def write_gallery(
    folder: str | Path,
    items: Iterable[GalleryItem],
    results: Mapping[str, Any],
    *,
    title: str,
    figures: Sequence[Figure] = (),
    fps: float = 8.0,
) -> Path:
    """Write one folder of HTML that shows what was seen, what was decoded, and the evidence.

    Items are taken one by one, so a generator of thousands needs little memory. They are shown by
    stimulus id, never by score, unless the reader asks for it. Of several processes that write one
    folder at once each waits for its turn, and the last gallery stays.

    Parameters
    ----------
    folder : path
        Made if absent. Of an earlier gallery there, only its own files are replaced.
    items : iterable of GalleryItem
    results : mapping
        The content of ``results.json``, as `neurodecode.evidence.write_results` returns it: no
        picture without its evidence. ``'simulated'`` marks the page.
    title : str
    figures : sequence of Figure
        Brain maps, topographies, time courses, attention maps.
    fps : float, default 8
        Frames a second at which clips are played.

    Returns
    -------
    Path
        ``folder/index.html``.

    Raises
    ------
    ValueError
        If the results are not of the shape of ``results.json``.

    Examples
    --------
    >>> import tempfile
    >>> item = GalleryItem("s1", "p1", "a red cup", ["a cup"], {"noise": "a cat"}, {"words": 0.5})
    >>> from neurodecode.evidence import Run, write_results
    >>> with Run() as run:
    ...     pass
    >>> results = write_results(tempfile.mkdtemp(), "toy", [], run)
    >>> page = write_gallery(tempfile.mkdtemp(), [item], results, title="Toy")
    >>> page.name, sorted(path.name for path in page.parent.glob("[!.]*"))
    ('index.html', ['gallery.json', 'index.html'])
    """
    check_results(results)
    target = Path(folder)
    with one_writer(target, "gallery"):
        return _write_all(target, items, results, title, figures, fps)


def _write_all(
    target: Path,
    items: Iterable[GalleryItem],
    results: Mapping[str, Any],
    title: str,
    figures: Sequence[Figure],
    fps: float,
) -> Path:
    """Pictures first, then what names them; those that nobody names any more go last."""
    assets = Assets(target, fps)
    entries = sorted((_entry(item, assets) for item in items), key=_natural_order)
    rank = np.random.default_rng(ORDER_SEED).permutation(len(entries)).tolist()
    content = {
        "format": FORMAT,
        "version": VERSION,
        "title": str(title),
        "order_seed": ORDER_SEED,
        "results": dict(results),
        "items": [entry | {"mixed": mixed} for entry, mixed in zip(entries, rank, strict=True)],
        "figures": [assets.add_figure(figure) for figure in figures],
    }
    page = render(content)
    write_json(target / CONTENT_FILE, content)
    path = _write_page(target, page)
    assets.drop_others()
    return path


def build_gallery(folder: str | Path) -> list[Path]:
    """Build the pages of a results folder again, from what their galleries store.

    A folder with ``results.json`` and no gallery gets one with the scores alone.

    Parameters
    ----------
    folder : path
        A gallery's folder, or a results folder with galleries in it.

    Returns
    -------
    list of Path
        The pages written.

    Raises
    ------
    FileNotFoundError
        If there is neither a gallery nor a ``results.json``.
    CorruptFileError
        If a stored file is damaged, or a picture is missing.
    """
    source = Path(folder)
    galleries = find_gallery(source)
    if galleries:
        return [_build(one) for one in galleries]
    if not (source / RESULTS).is_file():
        raise FileNotFoundError(
            f"{source} holds neither a gallery ({CONTENT_FILE}) nor {RESULTS}. Give the "
            f"folder that an experiment wrote (its --out)."
        )
    results = read_results(source)
    return [write_gallery(source / "gallery", [], results, title=results["experiment"])]


def find_gallery(folder: str | Path) -> list[Path]:
    """Folders of galleries: the folder itself, or those one or two levels below it."""
    source = Path(folder)
    for pattern in (CONTENT_FILE, f"gallery/{CONTENT_FILE}", f"*/{CONTENT_FILE}"):
        found = sorted(path.parent for path in source.glob(pattern))
        if found:
            return found
    return sorted(path.parent for path in source.glob(f"*/gallery/{CONTENT_FILE}"))


def open_gallery(page: str | Path) -> bool:
    """Open a page in the reader's browser; says whether one could be started."""
    return webbrowser.open(Path(page).resolve().as_uri())


def _entry(item: GalleryItem, assets: Assets) -> dict[str, Any]:
    return {
        "stimulus": str(item.stimulus),
        "subject": str(item.subject),
        "truth": assets.add(item.truth),
        "decoded": [assets.add(sample) for sample in item.decoded],
        "controls": {str(name): assets.add(shown) for name, shown in item.controls.items()},
        "scores": {str(name): finite(float(value)) for name, value in item.scores.items()},
        "tags": {str(name): str(value) for name, value in item.tags.items()},
        "captions": {str(name): str(value) for name, value in item.captions.items()},
    }


def _natural_order(entry: Mapping[str, Any]) -> list[Any]:
    """Numbers inside ids count as numbers: scene-9 stands before scene-10."""
    parts = re.split(r"([0-9]+)", entry["stimulus"])
    # as long as they are, digits without leading zeros stand in the order of their numbers
    numbers = [
        (len(part.lstrip("0")), part.lstrip("0")) if odd % 2 else part
        for odd, part in enumerate(parts)
    ]
    return [numbers, entry["subject"]]


def _build(folder: Path) -> Path:
    with one_writer(folder, "gallery"):
        return _write_page(folder, render_stored(folder / CONTENT_FILE))


def _write_page(folder: Path, page: str) -> Path:
    with atomic_path(folder / "index.html") as part:
        part.write_text(page, encoding="utf-8", errors="replace", newline="\n")
    return folder / "index.html"
