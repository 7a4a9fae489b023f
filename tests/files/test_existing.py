from __future__ import annotations

import pytest

from neurodecode.files import mat_names, read_mat, read_npy, read_pickle


@pytest.mark.parametrize("read", [read_mat, mat_names, read_npy, read_pickle])
def test_absent_file_is_named(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"There is no .* at .*gone\.x\. Check the path\."):
        read(tmp_path / "gone.x")
