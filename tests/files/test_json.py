from __future__ import annotations

import pytest

from neurodecode.errors import CorruptFileError
from neurodecode.files import read_json


def test_json_is_read_with_and_without_a_mark(tmp_path):
    file = tmp_path / "x.json"
    for start in ("", "\ufeff"):
        file.write_text(start + '{"a": [1, 2.5, "é"]}', encoding="utf-8")
        assert read_json(file) == {"a": [1, 2.5, "é"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" * 10_000 + b"]" * 10_000, "it is nested too deep"),
        (b"{'a': 1}", "Expecting property name"),
        (b"", "Expecting value"),
        (b'"\xff"', "'utf-8' codec can't decode"),
        (b"9" * 5000, "Exceeds the limit"),
    ],
)
def test_what_is_no_json_names_the_file(tmp_path, content, reason):
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(
        CorruptFileError, match=rf"x\.json can't be read as a JSON file: .*{reason}"
    ):
        read_json(file)


def test_the_whole_sentence(tmp_path):
    file = tmp_path / "x.json"
    file.write_bytes(b"[" * 10_000)
    with pytest.raises(CorruptFileError) as caught:
        read_json(file, "results file")
    assert str(caught.value) == (
        f"{file} can't be read as a results file: it is nested too deep. It is truncated or not of "
        f"this kind (10000 bytes); obtain it again."
    )


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"a": {"TR": 1, "TR": 2}}')
    with pytest.raises(CorruptFileError, match="it names 'TR' twice"):
        read_json(file)
