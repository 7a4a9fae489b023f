"""What is taken out of a run's time series before trials are read from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import listing
from neurodecode.datasets._tables import read_table
from neurodecode.errors import CorruptFileError

Scale = Literal["zscore", "percent", "none"]


@dataclass(frozen=True)
class Cleaning:
    """How each run's time series are cleaned and scaled.

    Everything is done within a run and without its labels: nothing is carried from run to run.

    Parameters
    ----------
    detrend : bool
        Take out a straight line.
    high_pass_hz : float, optional
        Take out cosines slower than this (SPM's drift set, by nilearn).
    confounds : sequence of str
        Columns of the run's table of confounds to take out; ``('all',)`` for every column. Cells
        without a number (fMRIPrep writes ``n/a`` in first rows of derivatives) become their
        column's mean.
    scale : {'zscore', 'percent', 'none'}
        Per voxel and run: mean 0 and standard deviation 1 after cleaning, or percent of the mean
        before cleaning, or as they are.
    smoothing_mm : float, optional
        Full width at half maximum of a Gaussian, before the mask is applied.

    Examples
    --------
    >>> Cleaning(high_pass_hz=1 / 128, confounds=("trans_x",)).scale
    'zscore'
    """

    detrend: bool = True
    high_pass_hz: float | None = None
    confounds: tuple[str, ...] = ()
    scale: Scale = "zscore"
    smoothing_mm: float | None = None

    def __post_init__(self) -> None:
        if self.scale not in ("zscore", "percent", "none"):
            raise ValueError(f"scale must be 'zscore', 'percent' or 'none'; got '{self.scale}'.")
        if isinstance(self.confounds, str):
            raise TypeError(f"confounds is a sequence of names; got the text '{self.confounds}'.")

    def nuisance(self, n_volumes: int, tr_s: float, confounds: Any, where: str) -> NDArray[Any]:
        """What is taken out, shape (n_volumes, n_regressors); the last column is the constant."""
        columns = [read_confounds(confounds, self.confounds, n_volumes, where)]
        if self.high_pass_hz is not None:
            columns.append(_cosines(n_volumes, tr_s, self.high_pass_hz))
        if self.detrend:
            columns.append(np.linspace(-1.0, 1.0, n_volumes)[:, None])
        columns.append(np.ones((n_volumes, 1)))
        return np.concatenate(columns, axis=1)

    def scaled(self, series: NDArray[Any], before: NDArray[Any]) -> NDArray[np.float32]:
        """Cleaned series in the unit asked for; ``before`` are the same series uncleaned."""
        if self.scale == "zscore":
            spread = series.std(axis=0, ddof=1)
            series = (series - series.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        elif self.scale == "percent":
            mean = before.mean(axis=0, dtype=np.float64)
            series = 100.0 * series / np.where(mean != 0, np.abs(mean), 1.0)
        return series.astype(np.float32)


def residual(series: NDArray[Any], nuisance: NDArray[Any]) -> NDArray[np.float64]:
    """What is left of the series beside the nuisance: ``y - N (N^+ y)``.

    Examples
    --------
    >>> residual(np.array([[1.0], [3.0]]), np.ones((2, 1))).round(9).tolist()
    [[-1.0], [1.0]]
    """
    basis, size, _ = np.linalg.svd(nuisance, full_matrices=False)
    basis = basis[:, size > size.max(initial=0.0) * 1e-10]
    values = np.asarray(series, dtype=np.float64)
    return np.asarray(values - basis @ (basis.T @ values))


def read_confounds(
    table: Any, names: tuple[str, ...], n_volumes: int, where: str
) -> NDArray[np.float64]:
    """The named columns of a table of confounds, z-scored, shape (n_volumes, n_names).

    Raises
    ------
    ValueError
        If there is no table, no such column, or another number of rows than volumes.
    CorruptFileError
        If the file is no table, or a column holds text.
    """
    import pandas

    if not names:
        return np.zeros((n_volumes, 0))
    if table is None:
        raise ValueError(
            f"Confounds {list(names)} are asked for, but {where} has no table of confounds."
        )
    stored = isinstance(table, str | Path)
    frame = read_table(table, "a table of confounds") if stored else pandas.DataFrame(table)
    name = f"{table} ({where})" if stored else f"of {where}"
    wanted = list(frame.columns) if names == ("all",) else list(names)
    missing = [name for name in wanted if name not in frame.columns]
    if missing or len(frame) != n_volumes:
        raise ValueError(
            f"The confounds {name} have {len(frame)} rows and the columns "
            f"{[str(name) for name in frame.columns][:12]}; {n_volumes} rows and the columns "
            f"{wanted} were expected."
        )
    values = _numbers(frame[wanted], name)
    mean = np.nanmean(values, axis=0)
    values = np.where(np.isfinite(values), values, mean) - mean
    spread = values.std(axis=0)
    return np.asarray(values / np.where(spread > 0, spread, 1.0))


def _numbers(frame: Any, name: str) -> NDArray[np.float64]:
    """The columns as numbers; a cell without one (a derivative has none at first) is NaN."""
    import pandas

    numbers = frame.apply(pandas.to_numeric, errors="coerce")
    text = numbers.isna() & frame.notna() & ~frame.isin(["n/a"])
    damaged = text.any(axis=0) | numbers.isna().all(axis=0)
    if damaged.any():
        raise CorruptFileError(
            f"The confounds {name} have {int(damaged.sum())} columns with text in place of "
            f"numbers, or with no number at all ({listing(frame.columns[damaged])}). Leave these "
            f"columns out, or obtain the table again."
        )
    return np.asarray(numbers.to_numpy(dtype=np.float64))


def _cosines(n_volumes: int, tr_s: float, high_pass_hz: float) -> NDArray[np.float64]:
    from nilearn.glm.first_level import make_first_level_design_matrix

    times = np.arange(n_volumes) * tr_s
    design = make_first_level_design_matrix(times, drift_model="cosine", high_pass=high_pass_hz)
    return np.asarray(design.drop(columns="constant").to_numpy(dtype=np.float64))
