"""Alex(2), Alex(5), Incep, CLIP, Eff and SwAV: likeness by the features of a network.

A network is any callable from pictures to features. The six published ones are read from local
weight files by `load_networks`; a file that is absent is named with the way to get it, and the
others are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.metrics._weights import Recipe, load_extractor, recipes
from neurodecode.metrics.identification import two_way
from neurodecode.metrics.similarity import as_rows, correlate_rows

Extractor: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""From pictures (n, height, width, 3), uint8 or float in 0 to 1, to features (n, ...)."""
Kind = Literal["two_way", "distance"]


@dataclass(frozen=True)
class Network:
    """A feature extractor and what is done with its features.

    Parameters
    ----------
    name : str
        Name in the tables, such as ``'Alex(5)'`` or the name of your own network.
    extract : callable
        Pictures (n, height, width, 3) to features (n, ...).
    kind : {'two_way', 'distance'}
        Two-way identification (higher is better), or one minus the correlation of the pair's
        features (lower is better).
    details : str
        Weights, layer and pre-processing, as they should stand beside the score.

    Examples
    --------
    >>> mean_colour = Network("colour", lambda pictures: pictures.mean(axis=(1, 2)))
    >>> mean_colour.chance
    0.5
    """

    name: str
    extract: Extractor
    kind: Kind = "two_way"
    details: str = ""

    @property
    def higher_is_better(self) -> bool:
        """True for two-way identification, False for distances."""
        return self.kind == "two_way"

    @property
    def chance(self) -> float | None:
        """.5 for two-way identification; a distance has no analytic chance level."""
        return 0.5 if self.kind == "two_way" else None


def network_score(truth: Any, recon: Any, network: Network) -> NDArray[np.float64]:
    """The score of each pair of pictures by one network.

    Parameters
    ----------
    truth, recon : array, shape (n, height, width, 3)
    network : Network

    Returns
    -------
    array, shape (n,)

    Notes
    -----
    Sources: evaluation code of Brain-Diffuser, MindEye 1 and 2, MindBridge: `two_way` in direction
    ``'recon'`` and `scipy.spatial.distance.correlation`.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).random((3, 8, 8, 3))
    >>> network_score(pictures, pictures, Network("pixels", lambda one: one)).tolist()
    [1.0, 1.0, 1.0]
    """
    return feature_score(network.extract(truth), network.extract(recon), network.kind)


def feature_score(truth: Any, recon: Any, kind: Kind = "two_way") -> NDArray[np.float64]:
    """As `network_score`, on features that are there already, shape (n, ...).

    Examples
    --------
    >>> feature_score([[1.0, 2, 3]], [[2.0, 4, 6]], "distance").round(6).tolist()
    [0.0]
    """
    if kind not in ("two_way", "distance"):
        raise ValueError(f"kind must be 'two_way' or 'distance'; got '{kind}'.")
    x, y = as_rows(truth), as_rows(recon)
    return two_way(x, y) if kind == "two_way" else 1.0 - correlate_rows(x, y)


def load_networks(
    folder: Any = None,
    *,
    preprocessing: Literal["mindeye", "brain_diffuser"] = "mindeye",
    names: tuple[str, ...] | None = None,
    device: str = "cpu",
) -> tuple[dict[str, Network], dict[str, str]]:
    """The published networks whose weights are here, and for each of the others how to get it.

    Parameters
    ----------
    folder : path, optional
        Where the weight files are. Default: the environment variable ``NEURODECODE_WEIGHTS``, then
        torch hub's checkpoint folder.
    preprocessing : {'mindeye', 'brain_diffuser'}
        ``'mindeye'`` (also MindEye 2, MindBridge, WAVE): each network at its own size, tensors
        resized bilinearly. ``'brain_diffuser'``: all at 224 px, resized by Pillow. Published tables
        mix the two.
    names : tuple of str, optional
        Some of ``Alex(2)``, ``Alex(5)``, ``Incep``, ``CLIP``, ``Eff``, ``SwAV``; default all.
    device : str

    Returns
    -------
    networks : dict of str to Network
    missing : dict of str to str
        For each network without weights, the sentence that names the file and its source.

    Raises
    ------
    ValueError
        If a name is unknown.

    Examples
    --------
    >>> found, missing = load_networks("no-such-folder", names=("Alex(2)",))
    >>> list(found), list(missing)
    ([], ['Alex(2)'])
    """
    found: dict[str, Network] = {}
    missing: dict[str, str] = {}
    for name, recipe in _chosen(recipes(preprocessing), names).items():
        try:
            extract = load_extractor(recipe, folder, device)
        except FileNotFoundError as error:
            missing[name] = str(error)
            continue
        kind: Kind = "distance" if name in ("Eff", "SwAV") else "two_way"
        found[name] = Network(name, extract, kind, recipe.details)
    return found, missing


def _chosen(all_: Mapping[str, Recipe], names: tuple[str, ...] | None) -> dict[str, Recipe]:
    unknown = sorted(set(names or ()) - set(all_))
    if unknown:
        raise ValueError(
            f"There is no published network '{unknown[0]}'. Choose of {', '.join(all_)}, or make "
            f"your own Network(name, extract)."
        )
    return {name: recipe for name, recipe in all_.items() if names is None or name in names}
