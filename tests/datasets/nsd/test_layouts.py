"""All four layouts give back what the simulated people did, under the same ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurodecode import store
from neurodecode.datasets import nsd
from neurodecode.twin.layouts.nsd._raw import voxel_grid


def test_raw_gives_every_trial_in_percent_signal_through_the_mask(raw, people, design) -> None:
    layout = nsd.RawNsd(raw)
    assert layout.subjects() == [1, 2]
    for number, truth in enumerate(people, start=1):
        read = layout.responses(number)
        assert read.stimulus.tolist() == truth.stimulus.tolist()
        assert read.session.tolist() == truth.session.tolist()
        order = voxel_grid(truth, 9, margin=number).order
        expected = truth.array()[:, order]
        np.testing.assert_allclose(read.array(), expected, atol=0.5 / 300 + 1e-6)
        away = np.linalg.norm(read.positions - truth.positions[order], axis=1)
        assert np.median(away) < 9
        assert read.metadata["shared1000"].sum() == design.n_shared * 3
    assert people[0].n_units != people[1].n_units


def test_hdf5_and_nifti_betas_are_the_same(raw, raw_hdf5) -> None:
    one, other = (nsd.RawNsd(root).responses(2) for root in (raw, raw_hdf5))
    np.testing.assert_array_equal(one.array(), other.array())
    rows = np.array([17, 3, 3, 30])
    np.testing.assert_array_equal(one.values[rows], other.array()[rows])


def test_released_tars_and_folders_hold_the_single_repeats(tars, unpacked, people) -> None:
    truth = people[0]
    for root in (tars, unpacked):
        read = nsd.WebDataset(root).responses(1)
        assert len(read) == len(truth)
        for one in set(truth.stimulus.tolist()):
            mine = read.array()[read.stimulus == one]
            np.testing.assert_array_equal(mine, truth.array()[truth.stimulus == one])


def test_filled_repeats_are_left_out_where_the_release_says_so(design, people, tmp_path) -> None:
    from neurodecode.twin.layouts import nsd as twin

    short = [one.take(np.arange(30)) for one in people]
    for unpacked in (False, True):
        folder = tmp_path / str(unpacked)
        twin.write_webdataset(folder, design, short, unpacked=unpacked, picture_size=8)
        read = nsd.WebDataset(folder).responses(1)
        n_seen = len(set(short[0].stimulus.tolist()))
        assert len(read) == (3 * n_seen if unpacked else 30)


def test_mindeye_rows_follow_the_behaviour_and_are_scaled_by_training_trials(
    mindeye, people, design
) -> None:
    read = nsd.MindEyeArrays(mindeye).responses(2)
    assert read.stimulus.tolist() == people[1].stimulus.tolist()
    train = read.take(read.metadata["part"] == "train").array()
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(train.std(0), 1, atol=1e-4)
    mask = nsd.MindEyeArrays(mindeye).region(2, "V1")
    assert mask.shape == (people[1].n_units,) and 0 < mask.sum() < len(mask)


def test_brain_diffuser_rows_are_named_by_the_design(arrays, people, design) -> None:
    layout = nsd.BrainDiffuserArrays(arrays, n_shared=design.n_shared)
    read = layout.responses(1)
    mean = people[0].average_repeats().select(read.stimulus)
    for one in read.stimulus[:4]:
        found = read.select([one]).array()
        np.testing.assert_allclose(found, mean.select([one]).array(), atol=1e-5)
    assert set(read.stimulus.tolist()) == set(people[0].stimulus.tolist())


def test_brain_diffuser_without_design_has_ids_of_its_own(arrays, design, tmp_path) -> None:
    (tmp_path / "processed_data").symlink_to(arrays / "processed_data")
    read = nsd.BrainDiffuserArrays(tmp_path).responses(1)
    assert read.stimulus[0] == "subj01-train-00000"


def layouts(request) -> list[nsd.NsdLayout]:
    get = request.getfixturevalue
    n_shared = get("design").n_shared
    return [
        nsd.RawNsd(get("raw")),
        nsd.WebDataset(get("tars")),
        nsd.MindEyeArrays(get("mindeye")),
        nsd.BrainDiffuserArrays(get("arrays"), n_shared=n_shared),
    ]


def test_pictures_are_the_same_in_every_layout(request, design) -> None:
    expected = {f"nsd-{n:05d}": one for n, one in enumerate(design.pictures(32))}
    for layout in layouts(request):
        stimuli = layout.stimuli()
        tolerance = 60 if isinstance(layout, nsd.WebDataset) else 1  # jpeg
        for one in stimuli.ids[::7].tolist():
            difference = np.abs(stimuli[one].astype(int) - expected[one].astype(int))
            assert difference.mean() <= tolerance / 10 and difference.shape == (32, 32, 3)


def test_the_official_split_is_the_shared_pictures_in_every_layout(request, design) -> None:
    shared = sorted(f"nsd-{one - 1:05d}" for one in design.sharedix[0])
    for layout in layouts(request):
        people = [
            layout.responses(
                one,
                repeats="averaged" if isinstance(layout, nsd.BrainDiffuserArrays) else "kept",
            )
            for one in layout.subjects()
        ]
        split = nsd.official_split(people)
        assert split.test.tolist() == shared
        assert len(split.train) + len(split.validation) == design.n_pictures - len(shared)


def test_averaging_lazily_is_averaging(raw) -> None:
    layout = nsd.RawNsd(raw)
    lazy = layout.responses(1, repeats="averaged")
    eager = layout.responses(1).average_repeats()
    assert lazy.stimulus.tolist() == eager.stimulus.tolist()
    np.testing.assert_allclose(lazy.array(), eager.array(), rtol=1e-5, atol=1e-6)
    assert set(lazy.metadata["n_repeats"].tolist()) == {3}


def test_the_old_test_set_has_37_sessions(tmp_path) -> None:
    from neurodecode.twin.layouts import nsd as twin

    design = twin.NsdDesign(n_subjects=1, n_shared=10, n_own=10, n_repeats=2, n_sessions=40)
    twin.write_raw(tmp_path, design, design.people(12), form="hdf5", picture_size=4, voxel_mm=20)
    old, new = (nsd.RawNsd(tmp_path, test_set=one).responses(1) for one in ("old", "new"))
    assert len(set(new.session.tolist())) == 40 and len(set(old.session.tolist())) == 37
    seen = set(old.stimulus.tolist()) & {f"nsd-{one - 1:05d}" for one in design.sharedix[0]}
    assert nsd.official_split(old).test.tolist() == sorted(seen)


def test_one_session_is_the_first_in_time(raw, mindeye, design) -> None:
    per_session = design.n_trials // design.n_sessions
    read = nsd.RawNsd(raw, n_sessions=1).responses(1)
    assert len(read) == per_session and set(read.session.tolist()) == {"1"}
    from_tars = nsd.MindEyeArrays(mindeye, n_sessions=1).responses(1)
    train = from_tars.take(from_tars.metadata["part"] == "train")
    assert set(train.session.tolist()) == {"1"}


def test_every_layout_streams_into_the_store(request, tmp_path: Path) -> None:
    for number, layout in enumerate(layouts(request)):
        repeats = "averaged" if isinstance(layout, nsd.BrainDiffuserArrays) else "kept"
        read = layout.responses(1, repeats=repeats)
        stored = store.load(store.save(tmp_path / f"{number}.h5", read))
        np.testing.assert_array_equal(stored.array(), read.array())


def test_captions_come_from_coco(raw, design) -> None:
    from neurodecode import scenes

    stimuli = nsd.RawNsd(raw).stimuli()
    assert list(stimuli.captions["nsd-00003"]) == scenes.captions(design.scene(3))
    assert len(nsd.captioned(stimuli)) == design.n_pictures


def test_stimuli_without_captions_are_named_or_dropped(raw) -> None:
    from dataclasses import replace

    stimuli = nsd.RawNsd(raw).stimuli()
    said = {key: value for key, value in stimuli.captions.items() if key != "nsd-00002"}
    short = replace(stimuli, captions=said)
    with pytest.raises(ValueError, match=r"1 of 23 stimuli have no caption \('nsd-00002'\)\. Drop"):
        nsd.captioned(short)
    assert "nsd-00002" not in nsd.captioned(short, missing="drop").ids


def test_a_wrong_word_for_repeats_is_refused(raw) -> None:
    with pytest.raises(ValueError, match="repeats must be 'kept' or 'averaged'; got 'mean'"):
        nsd.RawNsd(raw).responses(1, repeats="mean")
