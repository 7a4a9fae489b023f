"""From the files of a simulated person to responses: what was planted is found."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode import twin
from neurodecode.preprocessing import fmri
from neurodecode.twin import Design

DESIGN = Design(n_trials=6, n_test=10, test_repeats=3, n_sessions=1, runs_per_session=2)


def alike(folder, how):
    """Mean correlation of trials of one scene, less that of trials of two; no voxel is chosen."""
    recording = fmri.read_bids(folder, "01")
    assert recording.mask is not None
    responses = fmri.single_trials(recording, how, cleaning=fmri.Cleaning(high_pass_hz=0.01))
    assert responses.n_trials == 6 + 10 * 3
    values = fmri.Standardize().fit(responses).transform(responses).array()
    table = np.corrcoef(values)
    same = responses.stimulus[:, None] == responses.stimulus
    other = ~same
    np.fill_diagonal(same, False)
    return table[same].mean() - table[other].mean(), np.percentile(fmri.repeat_ncsnr(responses), 99)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Simulated: one person with a signal, and the same one without."""
    return [
        twin.write(
            tmp_path_factory.mktemp("bids") / "twin", n_subjects=1, signal=signal, design=DESIGN
        )
        for signal in (3.0, 0.0)
    ]


@pytest.mark.parametrize("how", [fmri.LeastSquaresAll(), fmri.LeastSquaresSeparate()])
def test_scenes_are_told_apart_where_a_signal_was_planted(folders, how):
    (near, reliable), (by_chance, unreliable) = (alike(folder, how) for folder in folders)
    assert near > 0.1
    assert abs(by_chance) < 0.05
    assert reliable > 1.5 * unreliable
