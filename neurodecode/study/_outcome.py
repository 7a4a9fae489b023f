"""What a cell leaves behind: scores item by item, so that cells can be pooled and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from neurodecode.errors import CorruptFileError
from neurodecode.evidence import check_results
from neurodecode.files import read_json, read_npz
from neurodecode.gallery import GalleryItem
from neurodecode.store import write_json

FACTS, ARRAYS, SHOWN = "outcome.json", "items.npz", "shown.npz"
Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of one cell.

    Parameters
    ----------
    columns : mapping of str to array, shape (n,)
        ``stimulus`` and ``subject`` of each item, and what else groups them (``run``).
    values : mapping of metric to array, shape (n,) or (n_drawn,)
    controls : mapping of control to (mapping of metric to array)
    drawn : int array
        Rows of the items that something was generated for.
    scores : mapping of metric to mapping
        As in ``results.json``: with chance, null and verdict of this cell alone.
    facts : mapping
        Details of the protocol, time, memory, data, looks.
    cards : sequence of GalleryItem
    """

    columns: Values
    values: Values
    controls: Mapping[str, Values]
    drawn: NDArray[np.intp]
    scores: Mapping[str, Any]
    facts: Mapping[str, Any]
    nulls: Values = field(default_factory=dict)
    cards: Sequence[GalleryItem] = ()

    def rows(self, metric: str) -> NDArray[np.intp]:
        """The items that a metric has a value for."""
        n_items = len(self.columns["stimulus"])
        return np.arange(n_items) if len(self.values[metric]) == n_items else self.drawn

    def write(self, folder: Path) -> None:
        """Write all of it into a folder."""
        arrays = {f"columns/{key}": one for key, one in self.columns.items()}
        arrays |= {f"values/{key}": one for key, one in self.values.items()}
        arrays |= {f"nulls/{key}": one for key, one in self.nulls.items()}
        for control, metrics in self.controls.items():
            name = quote(control, safe="")  # a slash in it would end it
            arrays |= {f"controls/{name}/{key}": one for key, one in metrics.items()}
        arrays["drawn"] = self.drawn
        _save(folder / ARRAYS, arrays)
        shown: dict[str, NDArray[Any]] = {}
        cards = [_card(place, one, shown) for place, one in enumerate(self.cards)]
        _save(folder / SHOWN, shown)
        write_json(
            folder / FACTS,
            {"scores": dict(self.scores), "facts": dict(self.facts), "cards": cards},
        )

    @classmethod
    def read(cls, folder: Path) -> Outcome:
        """Read what `write` wrote.

        Raises
        ------
        CorruptFileError
            If a file is missing or damaged.
        """
        try:
            told = read_json(folder / FACTS)
            arrays, shown = read_npz(folder / ARRAYS), read_npz(folder / SHOWN)
            controls: dict[str, dict[str, NDArray[Any]]] = {}
            for key, one in _under(arrays, "controls").items():
                control, metric = key.split("/", 1)
                controls.setdefault(unquote(control), {})[metric] = one
            outcome = cls(
                _under(arrays, "columns"),
                _under(arrays, "values"),
                controls,
                arrays["drawn"],
                told["scores"],
                told["facts"],
                _under(arrays, "nulls"),
                [_card_back(one, shown) for one in told["cards"]],
            )
            check_outcome(outcome)
            return outcome
        except Exception as error:  # zip, JSON and NumPy each raise their own
            raise CorruptFileError(
                f"{folder} does not hold the outcome of a cell ({error}). Delete the folder; the "
                f"cell is then computed again."
            ) from error


def _save(file: Path, arrays: Values) -> None:
    save: Any = np.savez_compressed  # its signature takes no mapping of arrays
    save(file, **arrays)


def _under(arrays: Values, name: str) -> dict[str, NDArray[Any]]:
    start = f"{name}/"
    return {key.removeprefix(start): one for key, one in arrays.items() if key.startswith(start)}


def _card(place: int, card: GalleryItem, shown: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """A card as JSON; its pictures go to ``shown``."""

    def keep(name: str, one: Any) -> Any:
        if isinstance(one, str):
            return {"text": one}
        shown[f"{place}/{name}"] = np.asarray(one)
        return {"array": f"{place}/{name}"}

    return {
        "stimulus": card.stimulus,
        "subject": card.subject,
        "truth": keep("truth", card.truth),
        "decoded": [keep(f"decoded/{row}", one) for row, one in enumerate(card.decoded)],
        "controls": {name: keep(f"control/{name}", one) for name, one in card.controls.items()},
        "scores": {name: float(one) for name, one in card.scores.items() if np.isfinite(one)},
        "tags": dict(card.tags),
        "captions": dict(card.captions),
    }


def _card_back(told: Mapping[str, Any], shown: Values) -> GalleryItem:
    def back(one: Mapping[str, str]) -> Any:
        return one["text"] if "text" in one else shown[one["array"]]

    return GalleryItem(
        told["stimulus"],
        told["subject"],
        back(told["truth"]),
        [back(one) for one in told["decoded"]],
        {name: back(one) for name, one in told["controls"].items()},
        told["scores"],
        told["tags"],
        told["captions"],
    )


def check_outcome(outcome: Outcome) -> None:
    """Refuse arrays that do not fit each other, and scores or facts of another shape.

    Raises
    ------
    ValueError
        Naming the part.
    """
    n_items = len(outcome.columns["stimulus"])
    for name, column in outcome.columns.items():
        _expect(f"columns/{name}", column.shape == (n_items,))
    _expect("columns/subject", outcome.columns["subject"].dtype.kind == "U")
    _expect("columns/stimulus", outcome.columns["stimulus"].dtype.kind == "U")
    drawn = outcome.drawn
    _expect("drawn", drawn.ndim == 1 and (drawn.dtype.kind == "i" or not len(drawn)))
    _expect("drawn", bool(((drawn >= 0) & (drawn < n_items)).all()))
    for kind, metrics in (("values", outcome.values), *outcome.controls.items()):
        for metric, one in metrics.items():
            fits = one.ndim == 1 and len(one) in (n_items, len(drawn))
            _expect(f"{kind}/{metric}", fits and one.dtype.kind in "fiub")
    for metric, one in outcome.nulls.items():
        _expect(f"nulls/{metric}", one.ndim == 1 and len(one) > 0 and one.dtype.kind in "fiub")
    _expect("scores", set(outcome.values) <= set(outcome.scores))
    run = outcome.facts["run"]
    for name in ("data", "seconds_by_step", "test_looks_by_protocol"):
        _expect(f"facts.run.{name}", isinstance(run[name], Mapping))
    alone = {"cell": {"scores": outcome.scores, "controls": {}}}
    check_results({"experiment": "cell", **run, "protocols": alone})


def _expect(place: str, good: bool) -> None:
    if not good:
        raise ValueError(f"{place} does not fit the rest")
