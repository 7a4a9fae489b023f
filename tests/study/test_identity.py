from __future__ import annotations

import numpy as np
import pytest

from neurodecode.encoders import MindBridge, Ridge
from neurodecode.study._identity import code_version, described, differences, hashed
from neurodecode.training import Plan


def test_equal_configurations_are_described_alike_and_others_not():
    assert described(Ridge()) == described(Ridge())
    one, other = (MindBridge(plan=Plan(max_epochs=n)) for n in (3, 4))
    assert differences(described(one), described(other)) == ["plan.max_epochs was 3, is 4"]


def test_arrays_count_by_content():
    assert described(np.arange(3)) == described(np.arange(3)) != described(np.arange(4))


def test_what_has_no_name_is_refused():
    with pytest.raises(TypeError, match=r"A study can't tell .*<lambda> of .* from another"):
        described({"says": lambda text: True})


def test_order_of_keys_does_not_matter():
    assert hashed({"a": 1, "b": 2}) == hashed({"b": 2, "a": 1})


def test_code_version_covers_the_linked_folders(monkeypatch):
    from pathlib import Path

    import neurodecode
    from neurodecode.study._identity import _sources

    files = {one.as_posix() for one in _sources(Path(neurodecode.__file__).parent)}
    assert any(one.endswith("encoders/ridge/estimator.py") for one in files)
    assert any(one.endswith("study/_identity.py") for one in files)
    assert len(code_version()) == 16
