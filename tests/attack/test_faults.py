"""The short form of `tests.attack.faults`: nothing half or unclear, no crash, nothing left over."""

from __future__ import annotations

import os

import pytest

from tests.attack import faults


@pytest.mark.attack
@pytest.mark.skipif(not hasattr(os, "fork"), reason="writers run in forked processes")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_faults_are_one_clear_error_or_success(tmp_path):
    report = faults.run(40, tmp_path)
    assert not any(report["bad"].values()), report["examples_of_bad"]
    said = {word for counts in report["counts"].values() for word in counts}
    assert {"killed", "success", "one clear error", "interrupted"} <= said
