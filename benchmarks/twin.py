"""What docs/twin.md states about the twin: planted ceilings, speed, and a plain EEG decoder.

python -m benchmarks.twin             (about 2 minutes on one core)
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from neurodecode import scenes, twin
from neurodecode.data import Responses

ALPHA = 1000.0
FIRST, LAST = 14, 54


def ceilings() -> None:
    for seed in (0, 1, 2):
        people = [twin.FmriPerson(number, seed=seed) for number in range(4)]
        for n_repeats in (3, 1):
            mean = np.mean([person.noise_ceiling(n_repeats).mean() for person in people])
            print(f"fmri seed {seed}: mean ceiling for {n_repeats} repeats {mean:.3f}")
    for machine in (twin.MEG, twin.EEG):
        head = twin.MeegPerson(0, machine)
        best = np.sort(head.snr().max(axis=1))
        found = {n: np.sort(head.noise_ceiling(n).max(axis=1))[-10:].mean() for n in (1, 12, 80)}
        print(
            f"{machine.modality}: snr {best[-10:].mean():.3f} in the ten best sensors, "
            f"{np.median(best):.3f} in the median one; ceilings "
            + ", ".join(f"{value:.2f} for {n}" for n, value in found.items())
            + f"; noise {np.median(head.noise_level()):.3g}"
        )


def topographies() -> None:
    """How alike what all scenes evoke is in different people."""
    for machine in (twin.MEG, twin.EEG):
        alike = []
        for seed in (1, 2):
            people = [twin.MeegPerson(number, machine, seed=seed) for number in range(4)]
            for since in (0.09, 0.11, 0.15, 0.18, 0.22):
                now = np.argmin(np.abs(machine.times - since))
                maps = [one.evoked[:, now] for one in people]
                alike += np.corrcoef(maps)[np.triu_indices(4, 1)].tolist()
        print(f"{machine.modality}: topographies of two people correlate with {np.mean(alike):.2f}")


def speed() -> None:
    for name, simulate in (("fmri", twin.fmri), ("meg", twin.meg), ("eeg", twin.eeg)):
        start = time.perf_counter()
        [person] = simulate(1, 300)
        seconds = time.perf_counter() - start
        print(f"{name}: {len(person)} trials of one person in {seconds:.1f} s")


def eeg_decoding() -> None:
    [person] = twin.eeg(1, 1500, design=twin.Design(test_repeats=10))
    good = person.take(~person.metadata["bad"])
    train = good.take((good.groups("part") == "train") & ~np.isin(good.stimulus, _validation(good)))
    test = good.take(good.groups("part") == "test")
    signal = _cut(train)
    centred = signal - signal.mean(axis=0)
    covariance = np.einsum("nct,ndt->cd", centred, centred) / centred[:, 0].size
    covariance += 0.01 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    size, axes = np.linalg.eigh(covariance)
    for name, whitening in (("whitened", (axes / np.sqrt(size)) @ axes.T), ("plain", None)):
        values, shown = (_features(one, whitening) for one in (train, test.average_repeats()))
        mean, scale = values.mean(axis=0), 1.0 if whitening is not None else values.std()
        known = _facts([*train.stimulus.tolist(), *dict.fromkeys(test.stimulus.tolist())])
        model = Ridge(ALPHA).fit((values - mean) / scale, known[: len(train)])
        predicted, truth = model.predict((shown - mean) / scale), known[len(train) :]
        alike = np.corrcoef(predicted, truth)[: len(truth), len(truth) :]
        rank = (alike > np.diag(alike)[:, None]).sum(axis=1)
        print(f"eeg, ridge, {name}: first of {len(truth)} {np.mean(rank == 0):.3f}")


def _validation(person: Responses) -> NDArray[np.str_]:
    return twin.split(person).validation


def _cut(person: Responses) -> NDArray[np.float64]:
    values = person.array(np.float64)
    return np.asarray((values - values[:, :, :10].mean(axis=2, keepdims=True))[:, :, FIRST:LAST])


def _features(person: Responses, whitening: NDArray[np.float64] | None) -> NDArray[np.float64]:
    values = _cut(person)
    if whitening is not None:
        values = np.einsum("dc,nct->ndt", whitening, values)
    pairs = values.reshape(*values.shape[:2], -1, 2).mean(axis=3)
    return np.asarray(pairs.reshape(len(pairs), -1))


def _facts(ids: list[str]) -> NDArray[np.float64]:
    """Kind, colour, texture and place of the main object and the background, in equal parts."""
    seen = twin.look(ids)
    place = seen.places[:, 0].reshape(-1, 4, 4, 4, 4).mean(axis=(2, 4)).reshape(len(ids), -1)
    blocks = [np.eye(12)[seen.facts["kind"][:, 0]], np.eye(12)[seen.facts["colour"][:, 0]]]
    blocks += [np.eye(4)[seen.facts["texture"][:, 0]], place]
    blocks += [np.eye(len(scenes.BACKGROUNDS))[seen.facts["background"]]]
    scaled = [(one - one.mean(axis=0)) / (one.std() * np.sqrt(one.shape[1])) for one in blocks]
    return np.concatenate(scaled, axis=1)


if __name__ == "__main__":
    ceilings()
    topographies()
    speed()
    eeg_decoding()
