"""Measures of decoded pictures and clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Target
from neurodecode.data import Stimuli
from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.images import ssim
from neurodecode.metrics.networks import Network
from neurodecode.metrics.similarity import correlate_pairs, correlate_rows
from neurodecode.pipeline._answers import Answers, Shown, distinct_rows
from neurodecode.pipeline._measures import Table
from neurodecode.statistics import TWO_WAY_CHANCE

Features: TypeAlias = Target | Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class PixelCorrelation:
    """Pearson correlation of all pixels and colours (PixCorr) at the size of the decoded picture.

    Parameters
    ----------
    output : str, optional
        Default is the first output of pictures or clips.
    """

    output: str | None = None
    name: str = "pixel_correlation"
    variant: str = "Pearson over RGB pixels at the decoded size; constant pictures score 0"
    of: ClassVar[Literal["output"]] = "output"
    higher_is_better: ClassVar[bool] = True

    def chance(self, n_truths: int) -> None:
        """None: pictures are alike by nature, see the mean picture and the null."""
        return

    def applies(self, answers: Answers) -> bool:
        """Where pictures are made."""
        return answers.has(self.output, "frames")

    def pairs(self, shown: Shown, answers: Answers, column: NDArray[np.intp]) -> Table:
        """Correlation of each item with one truth."""

        def score(decoded: NDArray[Any]) -> Table:
            return correlate_rows(decoded, shown.frames(_size(decoded))[column])

        return over_samples(answers.output(self.output, "frames").values, score)

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Correlations."""

        def score(decoded: NDArray[Any]) -> Table:
            return correlate_pairs(decoded, shown.frames(_size(decoded)))

        return over_samples(answers.output(self.output, "frames").values, score)


@dataclass(frozen=True)
class Ssim:
    """Structural similarity of grey pictures at the size of the decoded picture.

    Parameters
    ----------
    kind : {'2d', 'legacy'}
        See `neurodecode.metrics.ssim`.
    output : str, optional
    n_permutations : int
        For the null: each costs as much as the score.
    """

    kind: Literal["2d", "legacy"] = "2d"
    output: str | None = None
    n_permutations: int = 99
    of: ClassVar[Literal["output"]] = "output"
    higher_is_better: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """``'ssim'`` or ``'ssim_legacy'``."""
        return "ssim" if self.kind == "2d" else "ssim_legacy"

    @property
    def variant(self) -> str:
        """What exactly is computed."""
        return f"SSIM ({self.kind}), Gaussian window, grey, at the decoded size"

    def chance(self, n_truths: int) -> None:
        """None."""
        return

    def applies(self, answers: Answers) -> bool:
        """Where pictures are made."""
        return answers.has(self.output, "image")

    def pairs(self, shown: Shown, answers: Answers, column: NDArray[np.intp]) -> Table:
        """Similarity of each item with one truth."""
        made = answers.output(self.output, "image").values
        truth = shown.frames(_size(made[:, 0]))[column]
        samples = [ssim(truth, made[:, sample], self.kind) for sample in range(made.shape[1])]
        return np.asarray(np.mean(samples, axis=0))

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Similarity of every pair: n x m comparisons, not used by `decode`."""
        n_items = len(answers.output(self.output, "image"))
        columns = [
            self.pairs(shown, answers, np.full(n_items, truth)) for truth in range(len(shown))
        ]
        return np.stack(columns, axis=1)


@dataclass(frozen=True)
class FeatureTwoWay:
    """Two-way identification of decoded pictures by features of a network.

    Parameters
    ----------
    features : Target or callable
        Pictures (n, height, width, 3) to features (n, ...); or what embeds stimuli. Use another
        network than the one decoded into, where there is one.
    name : str
        Such as ``'clip_two_way'``.
    variant : str
        Network, weights, layer.
    output : str, optional
    """

    features: Features
    name: str = "clip_two_way"
    variant: str = ""
    output: str | None = None
    of: ClassVar[Literal["output"]] = "output"
    higher_is_better: ClassVar[bool] = True

    def chance(self, n_truths: int) -> float:
        """One half."""
        return TWO_WAY_CHANCE

    def applies(self, answers: Answers) -> bool:
        """Where pictures are made."""
        return answers.has(self.output, "image")

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Share of other true pictures whose features are less like those of the decoded one."""
        return _by_features(self, shown, answers, _two_way)


@dataclass(frozen=True)
class FeatureDistance:
    """One minus the correlation of features of the decoded and the true picture; lower is better.

    Parameters
    ----------
    features, name, variant, output
        As in `FeatureTwoWay`; the published ones are Eff and SwAV.
    """

    features: Features
    name: str
    variant: str = ""
    output: str | None = None
    of: ClassVar[Literal["output"]] = "output"
    higher_is_better: ClassVar[bool] = False

    def chance(self, n_truths: int) -> None:
        """None: see the null."""
        return

    def applies(self, answers: Answers) -> bool:
        """Where pictures are made."""
        return answers.has(self.output, "image")

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Distances of all pairs."""
        return _by_features(
            self, shown, answers, lambda made, truth: 1 - correlate_pairs(made, truth)
        )


def network_measures(networks: Mapping[str, Network]) -> list[FeatureTwoWay | FeatureDistance]:
    """The measures of networks that `neurodecode.metrics.networks.load_networks` found.

    Examples
    --------
    >>> from neurodecode.metrics.networks import Network
    >>> [one.name for one in network_measures({"Eff": Network("Eff", np.asarray, "distance")})]
    ['Eff']
    """
    kinds = {"two_way": FeatureTwoWay, "distance": FeatureDistance}
    return [kinds[one.kind](one.extract, name, one.details) for name, one in networks.items()]


def _by_features(
    measure: FeatureTwoWay | FeatureDistance,
    shown: Shown,
    answers: Answers,
    judge: Callable[[NDArray[Any], NDArray[Any]], Table],
) -> Table:
    def score(decoded: NDArray[Any]) -> Table:
        size = _size(decoded)
        truth = shown.once(
            (measure.name, size), lambda: _embed(measure.features, shown.frames(size))
        )
        return judge(_embed(measure.features, decoded), truth)

    return over_samples(answers.output(measure.output, "image").values, score)


def _two_way(made: NDArray[Any], truth: NDArray[Any]) -> Table:
    """Among distinct truths: a picture that stands under two ids is one candidate."""
    first, code = distinct_rows(truth)
    return two_way_table(correlate_pairs(made, truth[first]))[:, code]


def _embed(features: Features, pictures: NDArray[Any]) -> NDArray[Any]:
    if isinstance(features, Target):
        names = [str(i) for i in range(len(pictures))]
        return features.embed(Stimuli.from_arrays(names, pictures)).array()
    return np.asarray(features(pictures))


def _size(decoded: NDArray[Any]) -> tuple[int, int]:
    height, width = decoded.shape[-3:-1]
    return int(height), int(width)


def over_samples(values: NDArray[Any], score: Callable[[NDArray[Any]], Table]) -> Table:
    """The mean over samples: none is picked."""
    tables = [score(values[:, sample]) for sample in range(values.shape[1])]
    return np.asarray(np.mean(tables, axis=0))
