"""Studies whose folders were damaged, altered or made by a stranger."""

from __future__ import annotations

import copy
import json
import shutil

import numpy as np
import pytest

from neurodecode.encoders import Ridge
from neurodecode.errors import CorruptFileError
from neurodecode.study import Pooled, Source, Study, collect, conduct, load_script, status
from neurodecode.study._folder import CellFolder
from neurodecode.study._looks import TOKEN, study_looks
from neurodecode.study._outcome import Outcome
from tests.study import toy

VALUES = (None, 5, "x", [], {}, [1], {"a": 1}, 10**400, "../../x")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("small")
    study = Study("s", "?", toy.source(), {"ridge": Ridge()}, [Pooled()], n_drawn=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEURODECODE_STATE", str(tmp_path_factory.mktemp("state")))
        conduct(study, out)
    return out


@pytest.fixture
def small(done, tmp_path):
    return shutil.copytree(done, tmp_path / "out")


def places(content, here=()):
    pairs = content.items() if isinstance(content, dict) else list(enumerate(content))[:1]
    for key, value in pairs:
        yield (*here, key)
        if isinstance(value, dict | list):
            yield from places(value, (*here, key))


def altered(content, depth):
    for place in [one for one in places(content) if len(one) <= depth]:
        for value in VALUES:
            changed = inner = copy.deepcopy(content)
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
            yield changed


def test_an_altered_record_is_one_clear_error_or_a_record(small):
    file = small / "study.json"
    content, refused = json.loads(file.read_text()), 0
    texts = ["", "[" * 100_000, "null", "[]", '"x"', *map(json.dumps, altered(content, 3))]
    for text in texts:
        file.write_text(text)
        try:
            status(small)
        except CorruptFileError as error:
            refused += 1
            assert str(file) in str(error)
    assert refused > 0.7 * len(texts)


@pytest.mark.parametrize("name", ["../../../out", "/tmp/x", "", ".hidden", "a/b", "a" * 300, "a\0"])
def test_a_cell_of_the_record_leads_nowhere_else(small, name):
    file = small / "study.json"
    content = json.loads(file.read_text())
    content["cells"][0]["name"] = name
    file.write_text(json.dumps(content))
    before = sorted(small.parent.rglob("*"))
    with pytest.raises(CorruptFileError, match=r"study\.json is no record of a study \(a cell"):
        status(small)
    assert sorted(small.parent.rglob("*")) == before


def test_an_altered_outcome_is_one_clear_error(small):
    [cell] = [one for one in (small / "cells").iterdir() if one.name[0] != "."]
    file = cell / "outcome.json"
    content, refused = json.loads(file.read_text()), 0
    texts = ["", "[" * 100_000, "null", *map(json.dumps, altered(content, 2))]
    for text in texts:
        file.write_text(text)
        try:
            Outcome.read(cell)
        except CorruptFileError as error:
            refused += 1
            assert str(cell) in str(error)
    assert refused > 0.5 * len(texts)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("drawn", np.array([999])), ("drawn", np.array(["a"])), ("drawn", np.zeros((2, 2), int)),
        ("columns/stimulus", np.array(["a"])), ("columns/subject", np.zeros(3)),
        ("nulls/top1", np.zeros(0)), ("values/top1", np.array(["a", "b"])),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_told(small, key, value):
    [cell] = [one for one in (small / "cells").iterdir() if one.name[0] != "."]
    with np.load(cell / "items.npz") as file:
        arrays = dict(file)
    np.savez(cell / "items.npz", **(arrays | {key: value}))
    with pytest.raises(CorruptFileError, match="does not hold the outcome of a cell"):
        collect(small)


def test_the_outcome_of_another_cell_is_not_taken_for_this_one(small):
    [cell] = [one for one in (small / "cells").iterdir() if one.name[0] != "."]
    (cell / "cell.json").write_text('{"key": "0123456789abcdef"}')
    with pytest.raises(CorruptFileError) as told:
        collect(small)
    assert str(told.value) == (
        f"{cell} holds the outcome of another cell. Delete the folder; the cell is then computed "
        f"again."
    )


NAMES = ["../../x", "a/b", "a-b", "a__b", "CON", "n" * 300, "é" * 200, "", ".", "..", "a\nb", "a b"]


def test_every_contender_has_a_folder_of_its_own_whatever_it_is_called(tmp_path):
    contenders = {name: Ridge() for name in NAMES}
    study = Study("s", "?", toy.source(), contenders, [Pooled()])
    names = [cell.name for cell in study.cells()]
    assert len({name.casefold() for name in names}) == len(NAMES)
    folder = CellFolder(tmp_path / "out")
    for cell in study.cells():
        with folder.claimed(cell) as mine:
            assert mine
        (folder.root / cell.name).mkdir()
    assert {one.name for one in folder.root.iterdir()} == {".locks", *names}


def test_parts_that_run_into_each_other_stay_apart():
    source = Source("toy", toy.read, ["b__c", "c"], "fmri")
    from neurodecode.study import Within

    cells = Study("s", "?", source, {"a": Ridge(), "a__b": Ridge()}, [Within()]).cells()
    assert len({cell.name for cell in cells}) == 4


def test_a_control_with_a_slash_comes_back(tmp_path):
    told = Outcome({}, {}, {"deep/256": {"top1": np.zeros(2)}}, np.zeros(0, int), {}, {})
    told.write(tmp_path)
    with np.load(tmp_path / "items.npz") as file:
        assert "controls/deep%2F256/top1" in file.files


def test_status_writes_nothing(small):
    before = sorted(small.rglob("*"))
    shutil.rmtree(small / "cells" / ".locks")
    assert status(small).done == 1
    assert sorted(small.rglob("*")) == [one for one in before if ".locks" not in one.parts]


def test_a_mark_that_was_never_written_is_made_again(tmp_path):
    (tmp_path / TOKEN).touch()
    first = study_looks(tmp_path, "s").once
    assert len(first.split()[-1]) == 32
    assert study_looks(tmp_path, "s").once == first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("study: x\nn: !!python/object/apply:os.mkdir ['TRACE']\n", "is no YAML file of plain"),
        ("study: SELF\n", "names another YAML file"),
        ("study: [\n", "is no YAML file of plain values"),
        ("study: " + "[" * 5000 + "]" * 5000, "is no YAML file of plain values"),
        ("study: [a]\n", "needs the key 'study' with the path or the name of a script"),
        ("study:\n", "needs the key 'study' with the path or the name of a script"),
        ("- 1\n", "needs the key 'study' with the path or the name of a script"),
        ("study: ../../os\n", "There is no experiment '../../os'"),
        ("study: .os\n", "There is no experiment '.os'"),
        ("\x00", "is no YAML file of plain values"),
    ],
)
def test_hostile_yaml_is_one_clear_error(tmp_path, text, said):
    file, trace = tmp_path / "s.yaml", tmp_path / "trace"
    file.write_text(text.replace("SELF", str(file)).replace("TRACE", str(trace)))
    with pytest.raises(ValueError, match=said):
        load_script(str(file))
    assert not trace.exists()


def test_yaml_in_other_bytes_or_absent(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is no YAML file of plain values"):
        load_script(str(tmp_path / "s.yaml"))
    with pytest.raises(ValueError, match=r"There is no file at .*other\.yaml"):
        load_script(str(tmp_path / "other.yaml"))
