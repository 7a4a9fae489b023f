"""What is said of everybody in a prepared folder, whoever was prepared when: one split, a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neurodecode import store
from neurodecode.data import Responses
from neurodecode.datasets.nsd._trials import NsdLayout, official_split
from neurodecode.errors import CorruptFileError

ALIKE = ("layout", "options", "repeats", "dtype")


def layout_settings(layout: NsdLayout, repeats: str, dtype: str | None) -> dict[str, Any]:
    """What is the same for everybody who is prepared together."""
    options = {
        key: str(value) for key, value in sorted(vars(layout).items()) if not key.startswith("_")
    }
    name = type(layout).__name__
    return {"layout": name, "options": options, "repeats": repeats, "dtype": dtype}


def note_of(file: Path) -> Path:
    """Where the settings stand with which a person's file was written."""
    return file.with_suffix(".json")


def check_alike(folder: Path, settings: dict[str, Any], again: Sequence[str] = ()) -> None:
    """Refuse a folder with people of other options: one split can't be of both.

    Raises
    ------
    ValueError
        Naming one of them and what differs, unless all are prepared again.
    """
    for name, note in _notes(folder).items():
        differs = [key for key in ALIKE if _told(note, key) != _told(settings, key)]
        if differs and name not in again:
            key = differs[0]
            raise ValueError(
                f"{folder} holds {name} with other options ({key}: {_told(note, key)} there, "
                f"{_told(settings, key)} now), and one split is of one kind of trials. Prepare "
                f"into another folder, or prepare {name} again in the same run."
            )


def finish(folder: Path, settings: dict[str, Any]) -> None:
    """Write ``split.json`` and ``prepared.json`` of everybody who is whole in the folder."""
    with store.one_writer(folder, "prepared"):
        check_alike(folder, settings)
        people = {name: store.load(folder / f"{name}.h5", verify=False) for name in _notes(folder)}
        _write_lists(folder, people)


def _write_lists(folder: Path, people: dict[str, Responses]) -> None:
    split = official_split(list(people.values()))
    content = {name: getattr(split, name).tolist() for name in ("train", "validation", "test")}
    store.write_json(folder / "split.json", {"by": split.by, "rule": split.rule, **content})
    files = {
        name: {
            "file": f"{name}.h5",
            "fingerprint": store.fingerprint_of(folder / f"{name}.h5"),
            "trials": len(one),
            "voxels": one.n_units,
        }
        for name, one in people.items()
    }
    store.write_json(folder / "prepared.json", {"people": files, "split": split.fingerprint})


def _notes(folder: Path) -> dict[str, dict[str, Any]]:
    """The settings of everybody whose file is whole, by name."""
    notes = {}
    for file in sorted(folder.glob("subj*.h5")):
        if note_of(file).is_file():
            notes[file.stem] = _read(note_of(file))
    return notes


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise CorruptFileError(
            f"{path} should hold how {path.stem} was prepared, and can't be read ({error}). Delete "
            f"it and prepare {path.stem} again."
        ) from error


def _told(settings: dict[str, Any], key: str) -> Any:
    """A setting; where the source lies is none, as a folder may have other names elsewhere."""
    value = settings.get(key)
    return {k: v for k, v in value.items() if k != "root"} if key == "options" and value else value
