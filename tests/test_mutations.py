"""The list of `tests.mutations` is in step with the code; trying it is done by hand."""

from __future__ import annotations

import pytest

from tests.mutations import CHANGES, ROOT


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_words_stand_once_and_the_tests_are_there(change):
    changed = change.text(ROOT)
    assert change.before != change.after
    compile(changed, change.file, "exec")
    missing = [one for one in change.tests.split() if not (ROOT / one).exists()]
    assert not missing
