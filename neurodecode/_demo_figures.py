"""What a person wants to see of the recordings themselves: where, and when, there is signal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from neurodecode import twin
from neurodecode.data import Responses
from neurodecode.gallery import Figure
from neurodecode.pipeline import Evaluation


def figures(people: Sequence[Responses], evaluation: Evaluation) -> Iterator[Figure]:
    """Figures of one modality: the noise ceiling by place, or the evoked response over time."""
    person = people[0]
    if person.modality == "fmri":
        yield brain_figure(person)
    else:
        yield time_figure(person)
    yield people_figure(people, evaluation)


def brain_figure(person: Responses) -> Figure:
    """How much of each voxel's variance the picture explains, measured from repeats."""
    from nilearn.plotting import plot_markers

    ceiling = 100 * np.clip(twin.measured_noise_ceiling(person, n_repeats=3), 0, 1)
    best = np.argsort(ceiling)[-400:]
    figure = plt.figure(figsize=(9, 3.2))
    plot_markers(
        ceiling[best], np.asarray(person.positions)[best], node_size=12, node_cmap="viridis",
        node_vmin=0, node_vmax=80, figure=figure, display_mode="lyrz", colorbar=True,
    )  # fmt: skip
    plt.close(figure)
    caption = (
        f"Noise ceiling (percent of variance, means of three repeats) of the 400 most reliable of "
        f"{person.n_units} voxels of {person.subject}, simulated."
    )
    return Figure("Where the picture is in the brain", caption, figure)


def time_figure(person: Responses) -> Figure:
    """Strength of the mean response over sensors, and its topography at its peak."""
    import mne

    times = np.asarray(person.times)
    evoked = person.array(np.float64).mean(axis=0)
    power = evoked.std(axis=0)
    peak = int(np.argmax(np.where(times > 0, power, 0)))
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.2), width_ratios=[2, 1], layout="constrained"
    )
    left.plot(1e3 * times, power / power[times <= 0].mean(), color="#0f6b6b")
    left.axvline(0, color="0.6", lw=0.8)
    left.set(xlabel="time from onset (ms)", ylabel="spread over sensors\n(baseline = 1)")
    flat = _seen_from_above(np.asarray(person.positions))
    mne.viz.plot_topomap(evoked[:, peak], flat, axes=right, show=False, contours=4, sphere=1.0)
    right.set_title(f"{1e3 * times[peak]:.0f} ms")
    plt.close(figure)
    caption = f"Mean over all trials of {person.subject}, simulated {person.modality.upper()}."
    return Figure("When the picture is in the brain", caption, figure)


def people_figure(people: Sequence[Responses], evaluation: Evaluation) -> Figure:
    """Retrieval for each person."""
    found = evaluation.per_item["retrieval_top1"]
    names = [one.subject for one in people]
    share = [float(found[evaluation.items.subject == name].mean()) for name in names]
    figure, axes = plt.subplots(figsize=(5, 2.8), layout="constrained")
    axes.barh(names, share, color="#0f6b6b")
    axes.axvline(1 / 200, color="0.4", ls="--", lw=0.8)
    axes.set(xlabel="the right one of 200 scenes, share of scenes", xlim=(0, 1))
    plt.close(figure)
    caption = f"Simulated {people[0].modality.upper()}; the dashed line is chance, 1 in 200."
    return Figure("Each person by themselves", caption, figure)


def _seen_from_above(positions_mm: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sensors (n, 3) around a head on a disc of radius one, by their angle from the top."""
    centred = positions_mm - np.array([0.0, 0.0, np.median(positions_mm[:, 2]) - 40.0])
    angle = np.arctan2(np.linalg.norm(centred[:, :2], axis=1), centred[:, 2])
    around = np.arctan2(centred[:, 1], centred[:, 0])
    radius = angle / angle.max()
    return np.stack([radius * np.cos(around), radius * np.sin(around)], axis=1)
