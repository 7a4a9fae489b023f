from __future__ import annotations

import warnings
from pathlib import Path

import nibabel
import numpy as np
import pandas
import pytest

from neurodecode.contracts import Preprocessor
from neurodecode.data import Recording
from neurodecode.errors import CorruptFileError
from neurodecode.preprocessing import fmri
from neurodecode.preprocessing.fmri.cleaning import read_confounds

SHAPE, N_VOLUMES, TR_S = (4, 3, 2), 30, 2.0
AFFINE = np.diag([3.0, 3.0, 4.0, 1.0])
AFFINE[:3, 3] = [-6, 2, 1]
EVENTS = {
    "onset": [4.0, 20.0, 40.0],
    "duration": [6.0, 6.0, 6.0],
    "trial_type": ["face", "house", "face"],
    "rating": [1, 2, 3],
}


def _write(folder, n_runs=2, change=lambda run, values: None):
    rng = np.random.default_rng(0)
    files, events = [], []
    for run in range(n_runs):
        values = 100 + rng.normal(size=(*SHAPE, N_VOLUMES)).astype(np.float32)
        change(run, values)
        files.append(folder / f"run{run}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(values, AFFINE), files[-1])
        events.append(folder / f"run{run}_events.tsv")
        pandas.DataFrame(EVENTS).to_csv(events[-1], sep="\t", index=False)
    mask = np.ones(SHAPE, np.uint8)
    mask[0] = 0
    nibabel.save(nibabel.Nifti1Image(mask, AFFINE), folder / "mask.nii.gz")
    runs = tuple(str(run) for run in range(n_runs))
    return Recording(
        "sub-01", "fmri", tuple(files), tuple(events), runs, mask=folder / "mask.nii.gz", tr_s=TR_S
    )


RAW = fmri.Cleaning(detrend=False, scale="none")


def test_block_means_are_the_means_of_the_right_voxels_and_volumes(tmp_path):
    recording = _write(tmp_path)
    cleaning = fmri.Cleaning(detrend=False, scale="percent")
    responses = fmri.single_trials(recording, fmri.BlockMeans(delay_s=4.0), cleaning=cleaning)
    image = nibabel.load(recording.files[1]).get_fdata()[1:].reshape(-1, N_VOLUMES)
    mean = image.mean(axis=1)
    expected = 100 * (image[:, 12:15].mean(axis=1) - mean) / mean
    np.testing.assert_allclose(responses.values[4], expected, atol=1e-4)
    assert responses.stimulus.tolist() == ["face", "house", "face"] * 2
    assert responses.run.tolist() == ["0"] * 3 + ["1"] * 3
    assert responses.metadata["rating"].tolist() == [1, 2, 3] * 2
    assert responses.metadata["block"].tolist()[3] == "1/0"
    assert responses.positions[0].tolist() == [-3.0, 2.0, 1.0]
    back = fmri.brain_map(responses.values[0], responses.positions, recording.mask)
    inside = nibabel.load(recording.mask).get_fdata() > 0
    np.testing.assert_array_equal(back.get_fdata()[inside], responses.values[0])
    assert not back.get_fdata()[~inside].any()


def test_single_volumes_average_to_block_means(tmp_path):
    recording = _write(tmp_path)
    volumes = fmri.single_trials(recording, fmri.SingleVolumes(delay_s=2.0))
    blocks = fmri.single_trials(recording, fmri.BlockMeans(delay_s=2.0))
    assert volumes.n_trials == 3 * blocks.n_trials
    for row, block in enumerate(blocks.metadata["block"]):
        mean = volumes.values[volumes.metadata["block"] == block].mean(axis=0)
        np.testing.assert_allclose(mean, blocks.values[row], atol=1e-5)
    assert volumes.metadata["volume"][:3].tolist() == [3, 4, 5]


def test_arrays_loaded_images_and_files_give_the_same(tmp_path):
    recording = _write(tmp_path)
    expected = fmri.single_trials(recording)
    images = [nibabel.load(file) for file in recording.files]
    inside = nibabel.load(recording.mask).get_fdata() > 0
    arrays = [image.get_fdata()[inside].T.astype(np.float32) for image in images]
    for files in (images, arrays):
        other = Recording("sub-01", "fmri", files, recording.events, recording.runs, None,
                          recording.mask, None, TR_S)  # fmt: skip
        got = fmri.single_trials(other)
        np.testing.assert_allclose(got.values, expected.values, atol=1e-5)
    assert got.positions is None


def test_cleaning_equals_nilearns(tmp_path):
    from nilearn.signal import clean

    recording = _write(tmp_path, n_runs=1)
    rng = np.random.default_rng(1)
    confounds = pandas.DataFrame(rng.normal(size=(N_VOLUMES, 2)), columns=["x", "y"])
    recording = Recording("s", "fmri", recording.files, recording.events, ("1",), None,
                          recording.mask, (confounds,), TR_S)  # fmt: skip
    cleaning = fmri.Cleaning(high_pass_hz=0.02, confounds=("x", "y"))
    responses = fmri.single_trials(recording, fmri.SingleVolumes(), cleaning=cleaning)
    image = nibabel.load(recording.files[0]).get_fdata()
    series = image[nibabel.load(recording.mask).get_fdata() > 0].T
    expected = clean(
        series, detrend=True, standardize="zscore_sample", confounds=confounds.to_numpy(),
        filter="cosine", high_pass=0.02, t_r=TR_S,
    )  # fmt: skip
    rows = responses.metadata["volume"]
    np.testing.assert_allclose(responses.values, expected[rows], atol=2e-4)


def test_constant_voxels_are_counted_and_dropped(tmp_path):
    def silence(run, values):
        if run == 1:
            values[1, 0, 0] = 7.0
            values[2, 2, 1] = 0.0

    recording = _write(tmp_path, change=silence)
    message = r"^2 of 18 voxels of subject 'sub-01' are constant in some run and were dropped\.$"
    with pytest.warns(UserWarning, match=message):
        responses = fmri.single_trials(recording)
    assert responses.n_units == len(responses.positions) == 16
    assert np.isfinite(responses.values).all()
    assert [-3.0, 2.0, 1.0] not in responses.positions.tolist()


def test_voxels_without_numbers_are_an_error_that_counts_them(tmp_path):
    def spoil(run, values):
        if run == 1:
            values[1, 0, 0, 3:5] = np.nan

    recording = _write(tmp_path, change=spoil)
    with pytest.raises(
        ValueError, match=r"^1 of 18 voxels of run '1' \(.*run1\.nii\.gz\) hold values that are not"
    ):
        fmri.single_trials(recording)


@pytest.mark.parametrize(
    ("onset", "duration", "telling"),
    [
        (56.0, 6.0, "1 of 1 events lie outside the scan of run '0'"),
        (-3.0, 6.0, "'face' from -3 to 3 s"),
        (4000.0, 6.0, r"which lasts 60 s \(30 volumes of 2 s\)"),
    ],
)
def test_events_outside_the_scan_are_refused(tmp_path, onset, duration, telling):
    recording = _write(tmp_path, n_runs=1)
    pandas.DataFrame(
        {"onset": [onset], "duration": [duration], "trial_type": ["face"]}
    ).to_csv(recording.events[0], sep="\t", index=False)  # fmt: skip
    with pytest.raises(ValueError, match=telling):
        fmri.single_trials(recording)


def test_a_delay_beyond_the_scan_says_so(tmp_path):
    recording = _write(tmp_path, n_runs=1)
    with pytest.raises(ValueError, match=r"'face' at 40 s in run '0' .* has no volume 30 s later"):
        fmri.single_trials(recording, fmri.BlockMeans(delay_s=30.0))


def test_tables_of_events_are_checked(tmp_path):
    recording = _write(tmp_path, n_runs=1)
    Path(recording.events[0]).write_text("onset\ttrial_type\n1\tface\n")
    with pytest.raises(ValueError, match=r"run0_events\.tsv have no column \['duration'\]; they"):
        fmri.single_trials(recording)
    Path(recording.events[0]).write_text("onset\tduration\ttrial_type\n1\tlong\tface\n")
    with pytest.raises(ValueError, match=r"1 events of .*tsv have no number as duration .*'long'"):
        fmri.single_trials(recording)
    Path(recording.events[0]).write_bytes(b"\x00\xff\xfe")
    with pytest.raises((CorruptFileError, ValueError), match=r"run0_events\.tsv"):
        fmri.single_trials(recording)


def test_masks_must_lie_on_the_grid(tmp_path):
    recording = _write(tmp_path)
    other = nibabel.Nifti1Image(np.ones((2, 2, 2), np.uint8), AFFINE)
    with pytest.raises(
        ValueError, match=r"run0\.nii\.gz has a grid of \(4, 3, 2\) voxels but the mask"
    ):
        fmri.single_trials(recording, mask=other)
    moved = AFFINE.copy()
    moved[0, 3] += 10
    other = nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), moved)
    with pytest.raises(
        ValueError, match=r"affine of .*run0\.nii\.gz does not match the mask's.*up to 10\.0 mm"
    ):
        fmri.single_trials(recording, mask=other)
    empty = nibabel.Nifti1Image(np.zeros(SHAPE, np.uint8), AFFINE)
    with pytest.raises(ValueError, match="is empty: no voxel is above 0"):
        fmri.single_trials(recording, mask=empty)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.97])
def test_truncated_images_are_named(tmp_path, part, compressed):
    recording = _write(tmp_path, n_runs=1)
    file = tmp_path / ("cut.nii.gz" if compressed else "cut.nii")
    nibabel.save(nibabel.load(recording.files[0]), file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole))])
    cut = Recording("s", "fmri", (file,), recording.events, ("1",), None, recording.mask)
    with pytest.raises(CorruptFileError, match=r"cut\.nii(\.gz)? (can't be read as an|is cut).*"):
        fmri.single_trials(cut)


def test_three_axes_and_missing_files_are_refused(tmp_path):
    recording = _write(tmp_path, n_runs=1)
    flat = nibabel.Nifti1Image(np.zeros(SHAPE, np.float32), AFFINE)
    bad = Recording("s", "fmri", (flat,), recording.events, ("1",), None, recording.mask, None, 2.0)
    with pytest.raises(ValueError, match="a recording has four axes"):
        fmri.single_trials(bad)
    with pytest.raises(FileNotFoundError, match=r"There is no image at .*gone\.nii"):
        fmri.single_trials(recording, mask=tmp_path / "gone.nii")


def test_arrays_must_agree_and_need_a_repetition_time():
    rng = np.random.default_rng(0)
    table = pandas.DataFrame(EVENTS)
    one, other = rng.normal(size=(30, 3)), rng.normal(size=(30, 4))
    with pytest.raises(ValueError, match=r"have the shapes \[\(30, 3\), \(30, 4\)\]"):
        fmri.single_trials(Recording("s", "fmri", (one, other), (table, table), ("1", "2")))
    with pytest.raises(ValueError, match="need tr_s in the Recording"):
        fmri.single_trials(Recording("s", "fmri", (one,), (table,), ("1",)))
    with pytest.raises(ValueError, match="was recorded by eeg; this reads fmri"):
        fmri.single_trials(Recording("s", "eeg", (one,), (table,), ("1",)))


def test_runs_without_events_are_passed_over(tmp_path):
    recording = _write(tmp_path)
    none = pandas.DataFrame(columns=["onset", "duration", "trial_type"])
    half = Recording("s", "fmri", recording.files, (recording.events[0], none), ("0", "1"), None,
                     recording.mask, None, TR_S)  # fmt: skip
    assert set(fmri.single_trials(half).run) == {"0"}
    bare = Recording("s", "fmri", recording.files, (none, none), ("0", "1"), None, recording.mask)
    with pytest.raises(ValueError, match="No run of subject 's' has an event"):
        fmri.single_trials(bare)


def test_confounds_are_checked(tmp_path):
    recording = _write(tmp_path, n_runs=1)
    cleaning = fmri.Cleaning(confounds=("x",))
    with pytest.raises(ValueError, match=r"\['x'\] are asked for, but run '0' .* has no table"):
        fmri.single_trials(recording, cleaning=cleaning)
    short = Recording("s", "fmri", recording.files, recording.events, ("0",), None,
                      recording.mask, (pandas.DataFrame({"x": [1.0]}),), TR_S)  # fmt: skip
    with pytest.raises(ValueError, match=r"have 1 rows and the columns \['x'\]; 30 rows"):
        fmri.single_trials(short, cleaning=cleaning)
    with pytest.raises(ValueError, match="scale must be 'zscore', 'percent' or 'none'; got 'x'"):
        fmri.Cleaning(scale="x")


def test_confound_cells_without_a_number_become_the_mean():
    table = pandas.DataFrame({"x": ["n/a", "1", "3"]})
    values = read_confounds(table, ("all",), 3, "run")
    np.testing.assert_allclose(values[:, 0], np.array([0, -1, 1]) / np.sqrt(2 / 3))


@pytest.mark.parametrize("cells", [["n/a", "what", "3"], [None, None, None]])
def test_confound_cells_with_text_are_refused(tmp_path, cells):
    file = tmp_path / "confounds.tsv"
    pandas.DataFrame({"x": cells, "y": [1, 2, 3]}).to_csv(file, sep="\t", index=False, na_rep="n/a")
    assert read_confounds(file, ("y",), 3, "run 1").shape == (3, 1)
    with pytest.raises(CorruptFileError) as error:
        read_confounds(file, ("x",), 3, "run 1")
    assert str(error.value) == (
        f"The confounds {file} (run 1) have 1 columns with text in place of numbers, or with no "
        f"number at all ('x'). Leave these columns out, or obtain the table again."
    )


def _changed_events(tmp_path, **columns):
    file = tmp_path / "changed_events.tsv"
    pandas.DataFrame(EVENTS | columns).to_csv(file, sep="\t", index=False, na_rep="n/a")
    recording = _write(tmp_path, n_runs=1)
    return file, Recording("s", "fmri", recording.files, (file,), ("1",), None, recording.mask)


def test_an_event_without_a_name_is_no_stimulus_called_nan(tmp_path):
    file, changed = _changed_events(tmp_path, trial_type=["face", None, "face"])
    with pytest.raises(CorruptFileError) as error:
        fmri.single_trials(changed)
    assert str(error.value) == (
        f"{file}: 1 of 3 events have no 'trial_type' (first: row 2), so what was shown is not "
        f"known. Name it, or leave these rows out."
    )


def test_a_doubled_event_is_refused(tmp_path):
    file, changed = _changed_events(tmp_path, onset=[4.0, 40.0, 4.0])
    with pytest.raises(CorruptFileError) as error:
        fmri.single_trials(changed)
    assert str(error.value) == (
        f"{file} has the event 'face' at 4 s twice (rows 1 and 3). A row was doubled; take one out."
    )


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html>", b"\xff\xfe\0", b"onset\tdur", b"a\n1\t2"]
)
def test_events_that_are_no_table_are_one_sentence_with_their_name(tmp_path, content):
    file, changed = _changed_events(tmp_path)
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"changed_events\.tsv"):
        fmri.single_trials(changed)


def test_a_damaged_image_is_not_read_as_good(tmp_path):
    recording = _write(tmp_path, n_runs=1)
    content = bytearray(recording.files[0].read_bytes())
    content[-7] ^= 1  # the checksum
    recording.files[0].write_bytes(bytes(content))
    with pytest.raises(CorruptFileError, match=r"run0\.nii\.gz .*incorrect data check"):
        fmri.single_trials(recording)
    given = nibabel.load(recording.files[0])
    loaded = Recording("s", "fmri", (given,), recording.events, ("1",), None, recording.mask)
    with pytest.raises(CorruptFileError, match=r"run0\.nii\.gz .*incorrect data check"):
        fmri.single_trials(loaded)


def test_smoothing_spreads_a_peak(tmp_path):
    def peak(run, values):
        values[...] = 0.01 * values
        values[2, 1, 1] *= 100

    recording = _write(tmp_path, n_runs=1, change=peak)
    plain = fmri.single_trials(recording, cleaning=RAW)
    smooth = fmri.Cleaning(detrend=False, scale="none", smoothing_mm=6.0)
    spread = fmri.single_trials(recording, cleaning=smooth)
    assert np.ptp(spread.values) < np.ptp(plain.values)


def test_time_courses_are_all_volumes_cleaned(tmp_path):
    recording = _write(tmp_path)
    courses = fmri.time_courses(recording)
    assert courses.values.shape == (2 * N_VOLUMES, 18)
    assert courses.sfreq == 0.5
    assert courses.run.tolist() == ["0"] * N_VOLUMES + ["1"] * N_VOLUMES
    volumes = fmri.single_trials(recording, fmri.SingleVolumes())
    rows = volumes.metadata["volume"] + N_VOLUMES * (volumes.run == "1")
    np.testing.assert_allclose(courses.values[rows], volumes.values, atol=1e-6)


def test_from_table(tmp_path):
    table = pandas.DataFrame({"picture": ["a", "b"], "run": [1, 2], "session": [1, 1]})
    table.to_csv(tmp_path / "trials.csv", index=False)
    for given in (table, tmp_path / "trials.csv"):
        responses = fmri.from_table(np.zeros((2, 3)), given, subject="s", stimulus="picture")
        assert responses.run.tolist() == ["1", "2"]
        assert responses.session.tolist() == ["1", "1"]
    with pytest.raises(ValueError, match="has no column 'stimulus'; it has 'picture', 'run'"):
        fmri.from_table(np.zeros((2, 3)), table, subject="s")


@pytest.mark.parametrize("step", [fmri.VoxelSelection(n_voxels=1), fmri.Standardize()])
def test_preprocessors_keep_the_contract(step):
    assert isinstance(step, Preprocessor)


def test_no_warning_in_the_plain_case(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        responses = fmri.single_trials(_write(tmp_path))
    assert len(responses) and np.isfinite(responses.array()).all()


def test_a_repetition_time_that_the_header_contradicts_is_told(tmp_path, caplog):
    recording = _write(tmp_path, n_runs=1)
    image = nibabel.load(recording.files[0])
    image.header.set_zooms((3, 3, 4, 2.0))
    file = tmp_path / "timed.nii.gz"
    nibabel.save(image, file)
    for tr_s, said in ((2.0, False), (2.5, True)):
        caplog.clear()
        one = Recording(
            "s", "fmri", (file,), recording.events, ("1",), None, recording.mask, None, tr_s
        )
        fmri.single_trials(one)
        told = f"{file} states a repetition time of 2 s, but its sidecar or the Recording 2.5 s"
        assert (told in caplog.text) == said
