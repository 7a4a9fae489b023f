"""Files on disk: BIDS names, readable by nilearn and MNE, and the same people as the fast twin."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from neurodecode import scenes, twin
from neurodecode.data import Recording
from neurodecode.preprocessing import fmri as preprocessing
from neurodecode.twin import EEG, MEG, Design, FmriPerson, MeegPerson, _write_fmri, _write_meeg
from neurodecode.twin._machines import sensor_positions_mm

TINY = Design(n_trials=4, n_test=2, test_repeats=2, n_sessions=2, runs_per_session=1, bad=0.0)
PLAN = Design(n_trials=140, n_test=40, test_repeats=2, n_sessions=2, runs_per_session=2, bad=0.0)


@pytest.mark.parametrize("modality", ["fmri", "meg", "eeg"])
def test_names_and_texts_are_bids_and_say_that_they_are_simulated(tmp_path, modality):
    validator = pytest.importorskip("bids_validator").BIDSValidator()
    folder = twin.write(tmp_path / "set", modality, n_subjects=1, design=TINY)
    names = [
        f"/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file()
    ]
    wrong = [
        name
        for name in names
        if not validator.is_bids(name) and not name.startswith(("/derivatives/", "/stimuli/"))
    ]
    assert wrong == []
    said = json.loads((folder / "dataset_description.json").read_text())
    assert said["Name"].startswith("Simulated")
    assert said["BIDSVersion"]
    assert "nobody was measured" in (folder / "README").read_text()
    people = pd.read_csv(folder / "participants.tsv", sep="\t")
    assert people["participant_id"].tolist() == ["sub-01"]
    assert people["species"].tolist() == ["simulated"]
    shown = {*TINY.train_ids(0, 0), *TINY.test_ids(0)}
    assert {path.stem for path in (folder / "stimuli").iterdir()} == shown


def test_runs_without_a_trial_are_left_out(tmp_path):
    sparse = Design(n_trials=1, n_test=1, test_repeats=1, n_sessions=1, runs_per_session=4, bad=0)
    shown = set(sparse.trials(0, 0).run.tolist())
    for modality in ("fmri", "eeg"):
        written = list(twin.write_runs(tmp_path / modality, modality, n_subjects=1, design=sparse))
        assert len(written) == len(shown) < 4


def test_the_same_seed_writes_the_same_images(tmp_path):
    one, two = (
        twin.write(tmp_path / name, "fmri", n_subjects=1, design=TINY) for name in ("a", "b")
    )
    for path in sorted(one.rglob("*_bold.nii.gz")):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    expected = f"{re.escape(str(tmp_path))} exists and is not an empty folder. Nothing was written"
    with pytest.raises(FileExistsError, match=expected):
        twin.write(tmp_path, "fmri", n_subjects=1, design=TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ValueError, match="modality must be 'fmri', 'meg' or 'eeg'; got 'ecog'"):
        twin.write(tmp_path / "new", "ecog", design=TINY)


def test_stimulus_pictures_are_the_scenes(tmp_path):
    from neurodecode.data import read_picture

    folder = twin.write(tmp_path / "set", "fmri", n_subjects=1, design=TINY)
    one = TINY.test_ids(0)[0]
    assert np.array_equal(read_picture(folder / "stimuli" / f"{one}.png"), scenes.render(one))


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """One person's files, and the responses that the package's own preprocessing finds in them."""
    folder = tmp_path_factory.mktemp("fmri")
    person = FmriPerson(0, n_voxels=400, seed=3)
    list(_write_fmri.write_person(folder, person, PLAN))
    recording = preprocessing.read_bids(folder, "01")
    mask = next(folder.glob("derivatives/**/*_desc-brain_mask.nii.gz"))
    found = preprocessing.single_trials(recording, preprocessing.LeastSquaresAll(), mask=mask)
    return folder, person, found


def _voxels(person, found):
    """The columns of the person's own voxels: the mask also holds cells without signal."""
    grid = _write_fmri.make_grid(person.cortex.positions_mm)
    places = grid.cells @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    away = np.linalg.norm(found.positions[None] - places[:, None], axis=-1)
    assert away.min(axis=1).max() < 1e-3
    return away.argmin(axis=1)


def test_nilearn_reads_the_images_and_events(scanned):
    from nilearn import image, masking

    folder, person, _ = scanned
    path = sorted(folder.rglob("*_bold.nii.gz"))[0]
    volumes = image.load_img(path)
    events = pd.read_csv(str(path).replace("_bold.nii.gz", "_events.tsv"), sep="\t")
    assert volumes.header.get_zooms() == pytest.approx((2.5, 2.5, 2.5, 1.6))
    last = events["onset"].iloc[-1]
    assert volumes.shape[-1] * 1.6 > last + 15
    mask = next(folder.glob("derivatives/**/*_desc-brain_mask.nii.gz"))
    series = masking.apply_mask(path, mask)
    assert series.shape[1] > person.cortex.n_units
    assert (series.mean(axis=0) > 5000).all()
    spread = series.std(axis=0) / series.mean(axis=0)
    assert 0.002 < np.median(spread) < 0.05


def test_preprocessing_finds_the_planted_signal_as_the_fast_twin_has_it(scanned):
    _, person, found = scanned
    trials = PLAN.trials(3, 0)
    fast = person.record(trials)
    assert np.array_equal(found.stimulus, fast.stimulus)
    ids, row = np.unique(trials.stimulus, return_inverse=True)
    signal = person.signal(twin.look(ids.tolist()))[row]

    def follows(values):
        return np.array([np.corrcoef(*pair)[0, 1] for pair in zip(values.T, signal.T, strict=True)])

    full = follows(found.array()[:, _voxels(person, found)])
    assert abs(follows(fast.array()).mean() - np.sqrt(person.noise_ceiling(1)).mean()) < 0.03
    # the analysis assumes another haemodynamic response than the person's
    assert abs(full.mean() - follows(fast.array()).mean()) < 0.06


def test_decoding_from_files_is_decoding_from_responses(scanned, two_way):
    _, person, found = scanned
    fast = person.record(PLAN.trials(3, 0))
    chosen = found.array()[:, _voxels(person, found)]
    full = fast.with_values(chosen)
    one, other = two_way(fast), two_way(full)
    error = np.hypot(one.std(), other.std()) / np.sqrt(len(one))
    assert one.mean() > 0.75
    assert abs(one.mean() - other.mean()) < 2 * error


def _preprocessed(folder, machine, written):
    """What the package's own preprocessing makes of raw files."""
    if machine.modality == "eeg":
        from neurodecode.preprocessing import eeg as sensors
    else:
        from neurodecode.preprocessing import meg as sensors
    tables = [str(path).rsplit("_", 1)[0] + "_events.tsv" for path in written]
    runs = [f"run-{number + 1:02d}" for number in range(len(written))]
    recording = Recording("sub-01", machine.modality, written, tables, runs)
    kind = sensors.CLEANING.picks
    cleaning = sensors.Cleaning(picks=kind, line_hz=50.0, band_hz=(0.1, 40.0), resample_hz=100.0)
    window = sensors.Window(*machine.window_s, baseline_s=None)
    return sensors.single_trials(recording, cleaning=cleaning, window=window)


@pytest.mark.parametrize("machine", [EEG, pytest.param(MEG, marks=pytest.mark.slow)])
def test_raw_files_hold_the_signal_of_the_fast_twin(tmp_path, two_way, machine):
    """At a strong signal, so that 140 trials are enough to decode."""
    plan = Design(140, n_test=30, test_repeats=2, n_sessions=1, runs_per_session=2, bad=0.0)
    person = MeegPerson(0, machine, seed=2, signal=14.0)
    written = list(_write_meeg.write_person(tmp_path, person, plan))
    found = _preprocessed(tmp_path, machine, written)
    fast = person.record(plan.trials(2, 0))
    assert found.stimulus.tolist() == fast.stimulus.tolist()
    assert found.units.tolist() == fast.units.tolist()
    assert np.allclose(found.times, fast.times)
    seen = twin.look(sorted(set(fast.stimulus.tolist())))
    amplitude = person.amplitudes(seen)[seen.rows(fast.stimulus)]
    clean = person.fields[0] @ (amplitude[:, :, None] * person.course)
    best = np.argsort(person.snr().max(axis=1))[-20:]
    window = slice(16, 40)

    def follows(one):
        return np.corrcoef(one[:, best, window].ravel(), clean[:, best, window].ravel())[0, 1]

    values = [one.array(np.float64) for one in (fast, found)]
    assert follows(values[0]) > 0.6
    assert abs(follows(values[1]) - follows(values[0])) < 0.15
    short = {"times": None, "sfreq": None}
    scores = [two_way(fast.with_values(one[:, :, window], **short)) for one in values]
    error = np.hypot(scores[0].std(), scores[1].std()) / np.sqrt(len(scores[0]))
    assert scores[0].mean() > 0.65
    assert abs(scores[0].mean() - scores[1].mean()) < 2 * error


def test_meg_has_triggers_and_line_noise(tmp_path):
    import mne

    person = MeegPerson(0, MEG, seed=2)
    plan = Design(n_trials=30, n_test=2, test_repeats=1, n_sessions=1, runs_per_session=1)
    [path] = _write_meeg.write_person(tmp_path, person, plan)
    raw = mne.io.read_raw_fif(path, preload=True, verbose="error")
    events = mne.find_events(raw, shortest_event=1, verbose="error")
    table = pd.read_csv(str(path).replace("_meg.fif", "_events.tsv"), sep="\t")
    assert len(events) == len(table) == 32
    assert np.allclose((events[:, 0] - raw.first_samp) / 250, table["onset"], atol=0.002)
    power = raw.compute_psd(picks="mag", fmax=60, verbose="error")
    mean = power.get_data().mean(axis=0)
    at = {hertz: mean[np.argmin(np.abs(power.freqs - hertz))] for hertz in (45, 50, 55)}
    assert at[50] > 5 * max(at[45], at[55])


def test_electrodes_are_where_the_cap_was_put(tmp_path):
    import mne_bids

    person = MeegPerson(0, EEG, seed=2, n_sessions=2)
    written = list(_write_meeg.write_person(tmp_path, person, TINY))
    places = []
    for path, info in zip(written, person.infos, strict=True):
        where = mne_bids.get_bids_path_from_fname(path, verbose="error")
        raw = mne_bids.read_raw_bids(where, verbose="error")
        places.append(sensor_positions_mm(raw.info))
        assert np.allclose(places[-1], sensor_positions_mm(info), atol=0.5)
    assert np.abs(places[0] - places[1]).max() > 1


def test_eeg_has_blinks_at_the_front(tmp_path):
    import mne

    person = MeegPerson(0, EEG, seed=2)
    plan = Design(n_trials=30, n_test=2, test_repeats=1, n_sessions=1, runs_per_session=1, bad=0)
    [path] = _write_meeg.write_person(tmp_path, person, plan)
    raw = mne.io.read_raw_brainvision(path, preload=True, verbose="error")
    largest = np.ptp(raw.filter(None, 20, verbose="error").get_data(), axis=1) * 1e6
    front = [raw.ch_names.index(one) for one in ("Fp1", "Fpz", "Fp2")]
    back = [raw.ch_names.index(one) for one in ("O1", "Oz", "O2", "Cz")]
    assert largest[front].min() > 1.5 * largest[back].max()
    assert 80 < largest[front].mean() < 500
