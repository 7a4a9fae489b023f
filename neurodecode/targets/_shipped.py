"""The small models that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from neurodecode.errors import MissingWeightsError

FOLDER = Path(__file__).parent / "small_models"


def shipped(name: Literal["clip", "generator", "captioner"]) -> Path:
    """The folder of a model that ships with this package, trained by us on scenes.

    Parameters
    ----------
    name : {'clip', 'generator', 'captioner'}
        An open_clip model; a diffusers pipeline led by its embedding; a T5 that writes captions
        from its embedding. Each folder has a model card, ``README.md``.

    Returns
    -------
    Path

    Raises
    ------
    MissingWeightsError
        If the package was installed without its weights.

    Examples
    --------
    >>> shipped("clip").name
    'clip'
    """
    folder = FOLDER / name
    if not folder.is_dir():
        raise MissingWeightsError(
            f"The small model '{name}' is not in this installation ({folder} is absent). Known: "
            f"'clip', 'generator', 'captioner'. Install the package again from its wheel."
        )
    return folder
