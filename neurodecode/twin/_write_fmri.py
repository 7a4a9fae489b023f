"""fMRI as files: small volumes over time, with the haemodynamic response, drift and noise."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import gamma
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.store import atomic_path, write_json
from neurodecode.twin import _bids
from neurodecode.twin._design import Design, Trials
from neurodecode.twin._fmri import BAD_GAIN, COMMON, NEARBY, SMOOTHNESS_MM, WHITE, FmriPerson
from neurodecode.twin._noise import smooth_maps
from neurodecode.twin._vision import look

TR_S = 1.6
SHOWN_S = 3.0
EVERY_S = 9.6
LEAD_S = 9.6
TAIL_S = 16.0
VOXEL_MM = 2.5
MEMORY_TR = 0.35
"""Correlation of the noise from one volume to the next."""
BASELINE = 8000.0
UNIT = 80.0
"""One trial's noise in the scanner's units: 1 % of the baseline."""
ONSET_LEVEL = 1.5
DRIFT_PERCENT = (1.5, 1.0, 0.3)
"""Spread over voxels of a run's offset, slope and half wave."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where a person's voxels lie in the volume.

    Parameters
    ----------
    affine : float array, shape (4, 4)
    shape : tuple of 3 ints
    cells : int array, shape (n_voxels, 3)
        The cell of each voxel.
    mask : bool array, of that shape
        The brain: these cells and those round them, which hold noise only.
    """

    affine: NDArray[np.float64]
    shape: tuple[int, int, int]
    cells: NDArray[np.intp]
    mask: NDArray[np.bool_]

    @cached_property
    def brain(self) -> NDArray[np.intp]:
        """Cells of the mask, shape (n_cells, 3)."""
        return np.argwhere(self.mask)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """For each voxel, its row in `brain`."""
        place = np.full(self.shape, -1)
        place[self.mask] = np.arange(len(self.brain))
        return np.asarray(place[tuple(self.cells.T)])


def make_grid(positions_mm: NDArray[np.float64], voxel_mm: float = VOXEL_MM) -> Grid:
    """Put each voxel into the free cell that is nearest to it.

    Examples
    --------
    >>> make_grid(np.zeros((2, 3))).cells.shape
    (2, 3)
    """
    from scipy.ndimage import binary_dilation
    from scipy.spatial import cKDTree

    low = np.floor(positions_mm.min(axis=0) / voxel_mm) * voxel_mm - 4 * voxel_mm
    shape = tuple(int(one) for one in np.ceil((positions_mm.max(axis=0) - low) / voxel_mm) + 5)
    affine = np.diag([voxel_mm] * 3 + [1.0])
    affine[:3, 3] = low
    inner = np.indices([one - 4 for one in shape]).reshape(3, -1).T + 2
    tree = cKDTree(inner * voxel_mm + low)
    _, near = tree.query(positions_mm, k=min(400, len(inner)))
    taken: set[int] = set()
    chosen = []
    for row in near:
        free = next(int(one) for one in row if int(one) not in taken)
        taken.add(free)
        chosen.append(free)
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(inner[chosen].T)] = True
    return Grid(affine, (shape[0], shape[1], shape[2]), inner[chosen], binary_dilation(mask))


def response_to_event(times: NDArray[np.float64], delay_s: float = 0.0) -> NDArray[np.float64]:
    """Haemodynamic response to a stimulus shown for 3 s from time 0, with a peak of 1.

    A difference of two gamma densities, shifted by ``delay_s``, summed over the stimulus.

    Sources
    -------
    Glover (1999), Deconvolution of impulse response in event-related BOLD fMRI: gamma densities of
    shapes 6 and 12, scale 0.9 s and ratio 0.35.

    Examples
    --------
    >>> float(response_to_event(np.array([-1.0]))[0])
    0.0
    """
    steps = np.arange(0, SHOWN_S, 0.1)
    since = np.asarray(times)[..., None] - steps - delay_s
    summed = _impulse(since).sum(axis=-1)
    fine = np.arange(0, 20, 0.1)[:, None] - steps
    return np.asarray(summed / _impulse(fine).sum(axis=-1).max())


def _impulse(times: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = np.maximum(times, 0) / 0.9
    rise, fall = (scaled ** (k - 1) * np.exp(-scaled) / (0.9 * gamma(k)) for k in (6, 12))
    return np.asarray(rise - 0.35 * fall)


def write_person(folder: Path, person: FmriPerson, plan: Design) -> Iterator[Path]:
    """Write all runs of one person; give each image's path when it is there."""
    trials = plan.trials(person.seed, person.number)
    ids, row = np.unique(trials.stimulus, return_inverse=True)
    signal = person.signal(look(ids.tolist()))[row]
    grid = make_grid(person.cortex.positions_mm)
    _write_mask(folder, person, grid)
    scanner = Scanner(person, grid)
    for run in np.unique(trials.run).tolist():
        rows = np.flatnonzero(trials.run == run)
        session = int(trials.session[rows[0]])
        where = folder / person.subject / f"ses-{session + 1:02d}" / "func"
        name = _bids.stem(person.subject, session, run % plan.runs_per_session)
        series = scanner.run(signal[rows], trials.bad[rows], run)
        path = where / f"{name}_bold.nii.gz"
        _save_image(path, series, grid)
        facts = {"TaskName": _bids.TASK, "RepetitionTime": TR_S, "Manufacturer": "simulated"}
        write_json(where / f"{name}_bold.json", facts)
        _bids.write_table(where / f"{name}_events.tsv", _events(trials, rows))
        yield path


class Scanner:
    """Turns trial responses of one person into volumes over time."""

    def __init__(self, person: FmriPerson, grid: Grid) -> None:
        self.person, self.grid = person, grid
        rng = np.random.default_rng((person.seed, person.number, 23))
        self.delay_s = float(rng.uniform(-0.3, 0.5))
        self.activation = rng.uniform(0.3, 1.0, person.cortex.n_units) * ONSET_LEVEL
        places = grid.brain @ grid.affine[:3, :3].T + grid.affine[:3, 3]
        self.places_mm = places
        tissue = smooth_maps(places, 1, 15.0, rng)[0]
        self.baseline = BASELINE * (1 + 0.08 * np.clip(tissue, -2, 2))

    def run(
        self, signal: NDArray[np.float32], bad: NDArray[np.bool_], run: int
    ) -> NDArray[np.float32]:
        """One run: shape (n_volumes, n_cells of the brain), in the scanner's units.

        Parameters
        ----------
        signal : float array, shape (n_trials, n_voxels)
            Noise-free responses, in units of one trial's noise.
        bad : bool array, shape (n_trials,)
            Trials in which the head moves.
        run : int
            Numbers the noise.
        """
        rng = np.random.default_rng((self.person.seed, self.person.number, 29, run))
        n_trials = len(signal)
        onset = LEAD_S + EVERY_S * np.arange(n_trials)
        n_volumes = int(np.ceil((onset[-1] + EVERY_S + TAIL_S) / TR_S))
        times = TR_S * np.arange(n_volumes)
        design = response_to_event(times[:, None] - onset[None, :], self.delay_s)
        values = self._noise(n_volumes, rng) * np.float32(trial_noise_factor(design))
        for at in onset[bad]:
            near = (times >= at) & (times < at + EVERY_S)
            values[near] *= BAD_GAIN
        values[:, self.grid.rows] += design @ (self.activation + signal)
        return np.asarray(self.baseline + UNIT * values + self._drift(n_volumes, rng), np.float32)

    def _noise(self, n_volumes: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Noise of variance 1: the stationary parts of the responses' noise, AR(1) in time."""
        n_cells = len(self.places_mm)
        total = WHITE + NEARBY + COMMON
        white = rng.standard_normal((n_volumes, n_cells), dtype=np.float32)
        noise = np.sqrt(WHITE / total) * white
        noise += np.sqrt(NEARBY / total) * smooth_maps(
            self.places_mm, n_volumes, SMOOTHNESS_MM, rng
        )
        noise += np.sqrt(COMMON / total) * rng.standard_normal((n_volumes, 1), dtype=np.float32)
        for row in range(1, n_volumes):
            noise[row] = MEMORY_TR * noise[row - 1] + np.sqrt(1 - MEMORY_TR**2) * noise[row]
        return np.asarray(noise, dtype=np.float32)

    def _drift(self, n_volumes: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Slow change of each voxel: an offset, a slope and half a wave a run."""
        along = np.linspace(-1, 1, n_volumes)
        shapes = np.stack([np.ones(n_volumes), along, np.cos(np.pi * along)], axis=1)
        maps = smooth_maps(self.places_mm, 3, 3 * SMOOTHNESS_MM, rng)
        maps = maps * np.array(DRIFT_PERCENT)[:, None]
        return np.asarray(BASELINE / 100 * (shapes @ maps), dtype=np.float32)


def trial_noise_factor(design: NDArray[np.float64]) -> float:
    """How large the series' noise is for a trial's least-squares estimate to have noise 1.

    Of ``b = argmin |y - X b|^2`` with AR(1) noise of covariance C the noise is
    ``(X'X)^-1 X' C X (X'X)^-1``; its mean over trials is set to 1.

    Examples
    --------
    >>> round(trial_noise_factor(np.eye(3)), 3)
    1.0
    """
    lag = np.abs(np.subtract.outer(np.arange(len(design)), np.arange(len(design))))
    inverse = np.linalg.pinv(design)
    variance = ((inverse @ MEMORY_TR**lag) * inverse).sum(axis=1).mean()
    return float(1 / np.sqrt(variance))


def _events(trials: Trials, rows: NDArray[np.intp]) -> list[list[str]]:
    table = [["onset", "duration", "trial_type", "stimulus", "stim_file"]]
    for place, row in enumerate(rows):
        one = str(trials.stimulus[row])
        onset = f"{LEAD_S + EVERY_S * place:.3f}"
        table.append([onset, f"{SHOWN_S:.1f}", str(trials.part[row]), one, f"{one}.png"])
    return table


def _write_mask(folder: Path, person: FmriPerson, grid: Grid) -> None:
    where = folder / "derivatives" / "twin"
    if not (where / "dataset_description.json").exists():
        name = "Brain masks of simulated people"
        facts: dict[str, Any] = {"Name": name, "BIDSVersion": "1.9.0", "DatasetType": "derivative"}
        write_json(
            where / "dataset_description.json", {**facts, "GeneratedBy": [{"Name": "neurodecode"}]}
        )
    path = where / person.subject / "anat" / f"{person.subject}_desc-brain_mask.nii.gz"
    _save(path, grid.mask.astype(np.uint8), grid.affine)


def _save_image(path: Path, series: NDArray[np.float32], grid: Grid) -> None:
    volume = np.zeros((*grid.shape, len(series)), dtype=np.int16)
    volume[grid.mask] = np.round(series.T).astype(np.int16)
    _save(path, volume, grid.affine, tr_s=TR_S)


def _save(
    path: Path, volume: NDArray[Any], affine: NDArray[np.float64], tr_s: float | None = None
) -> None:
    import gzip

    import nibabel

    make: Any = nibabel.Nifti1Image
    image = make(volume, affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header["qform_code"] = image.header["sform_code"] = 4
    if tr_s is not None:
        image.header.set_zooms((*image.header.get_zooms()[:3], tr_s))
    buffer = io.BytesIO()
    # no time and no name in the file: the same twin gives the same bytes
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=3, mtime=0) as packed:
        packed.write(image.to_bytes())
    with atomic_path(path) as part:
        part.write_bytes(buffer.getvalue())
