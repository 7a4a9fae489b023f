"""Responses, embeddings, stimuli, splits: what is not what it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import torch

from neurodecode.data import (
    Embeddings,
    Generated,
    KFold,
    LeaveOneOut,
    RandomSplit,
    Responses,
    Split,
    Stimuli,
    pad_trials,
)
from tests.inputs.told import Case, check, table

IDS = ["a", "b", "c"]
VALUES = np.arange(12.0).reshape(3, 4)
CUBE = np.arange(24.0).reshape(3, 2, 4)
PICTURES = np.zeros((3, 4, 4, 3), np.uint8)


def responses(values=VALUES, stimulus=IDS, **more):
    return Responses(values, stimulus, "s1", "fmri", **more)


def meg(**more):
    return Responses(CUBE, IDS, "s1", "meg", dims=("trial", "channel", "time"), **more)


def embeddings(values=VALUES, stimulus=IDS, space="toy"):
    return Embeddings(values, stimulus, space)


def stimuli(values=PICTURES, ids=IDS, **more):
    return Stimuli.from_arrays(ids, values, **more)


MASKED = np.ma.masked_greater(VALUES, 9.0)
RAGGED = np.array([np.zeros(2), np.zeros(3), None], dtype=object)
WRONG_VALUES = {
    "object": (RAGGED, "have the dtype object, and must be real numbers."),
    "text": (VALUES.astype(str), "and must be real numbers. Convert them with .astype("),
    "bytes": (VALUES.astype("S4"), "have the dtype |S4, and must be real numbers."),
    "complex": (VALUES * 1j, "complex128, and must be real numbers. Give the real part"),
    "dates": (VALUES.astype("M8[s]"), "have the dtype datetime64[s], and must be real numbers."),
    "records": (np.zeros((3, 4), "f4,i4"), "and must be real numbers."),
    "masked": (MASKED, "are a masked array with 2 of 12 values masked, and a mask would be lost."),
    "sparse": (scipy.sparse.csr_matrix(VALUES), "are a sparse matrix (csr_matrix). Give values."),
    "sparse array": (scipy.sparse.coo_array(VALUES), "are a sparse matrix (coo_array). Give"),
    "sparse tensor": (torch.from_numpy(VALUES).to_sparse(), "are a sparse tensor. Give values."),
    "tensor elsewhere": (torch.zeros(3, 4, device="meta"), "are a tensor on meta. Give values.cpu"),
    "complex tensor": (torch.zeros(3, 4, dtype=torch.complex64), "have the dtype complex64, and"),
    "ragged": ([[1.0, 2.0], [1.0], [2.0]], "have rows of different lengths ("),
    "none": (None, "have the dtype object, and must be real numbers."),
    "texts": (["x", "y", "z"], "and must be real numbers."),
    "a number": (3.0, "axes"),
    "one axis": (np.zeros(3), "axes"),
    "no units": (np.zeros((3, 0)), "(3, 0)"),
    "too few ids": (np.zeros((4, 4)), "stimulus names 3 rows but the values have 4. Give one"),
    "too many ids": (np.zeros((2, 4)), "stimulus names 3 rows but the values have 2. Give one"),
}
WRONG_IDS = {
    "one text": ("abc", "stimulus must be a sequence of ids, one a row; got str 'abc'. Put it in"),
    "a number": (3, "stimulus must be a sequence of ids, one a row; got int 3. Put it into a"),
    "nothing": (None, "stimulus must be a sequence of ids, one a row; got NoneType None. Put"),
    "lists": ([["a"], ["b"], ["c"]], "ids must be texts or numbers; row 0 is a list. Give one"),
    "arrays": (np.array([["a"], ["b"], ["c"]]), "row 0 is a ndarray. Give one id for each row."),
    "a missing one": (["a", None, "c"], "1 of 3 stimulus ids are missing (first: row 1, 'None')."),
    "not-a-number": (["a", float("nan"), "c"], "1 of 3 stimulus ids are missing (first: row 1"),
    "an empty one": (["a", "", "c"], "1 of 3 stimulus ids are missing (first: row 1, '')."),
    "a blank one": (["a", "  ", "c"], "1 of 3 stimulus ids are missing (first: row 1, '  ')."),
    "none": ([], "stimulus names 0 rows but the values have 3. Give one"),
}
NAN = float("nan")
PLACES = np.array([[0.0, 0, 0], [1, 0, 0]])

MADE = [
    Case(f"{what.__name__} of {name}", lambda what=what, values=values: what(values), says)
    for what in (responses, embeddings)
    for name, (values, says) in WRONG_VALUES.items()
] + [
    Case(f"{what.__name__} by {name}", lambda what=what, ids=ids: what(stimulus=ids), says)
    for what in (responses, embeddings)
    for name, (ids, says) in WRONG_IDS.items()
]
AXES = [
    *(
        Case(
            f"sfreq {rate!r}",
            lambda rate=rate: meg(sfreq=rate),
            f"sfreq of subject 's1' must be a number of samples a second above 0; got {rate!r}.",
        )
        for rate in (NAN, -100.0, 0.0, float("inf"), "100", True, [100.0], 1j)
    ),
    Case(
        "times back",
        lambda: meg(times=[0.0, 0.2, 0.1, 0.3]),
        "times of subject 's1' must increase; 0.2 s is followed by 0.1 s (place 2).",
    ),
    Case("times twice", lambda: meg(times=[0.0, 0.1, 0.1, 0.2]), "must increase; 0.1 s is fol"),
    Case(
        "times nan",
        lambda: meg(times=[0.0, NAN, 0.2, 0.3]),
        "times of subject 's1' have 1 of 4 rows that are not finite.",
    ),
    Case("times text", lambda: meg(times=["0", "1", "2", "3"]), "must be real numbers; got <U1."),
    Case("times complex", lambda: meg(times=np.arange(4) * 1j), "real numbers; got complex128."),
    Case("times short", lambda: meg(times=[0.0, 0.1]), "has shape (2,), expected (4,) to fit"),
    Case(
        "positions nan",
        lambda: meg(positions=PLACES * NAN),
        "positions of subject 's1' have 2 of 2 rows that are not finite. Leave those rows out",
    ),
    Case(
        "positions inf",
        lambda: meg(positions=np.array([[np.inf, 0, 0], [1, 0, 0]])),
        "have 1 of 2 rows that",
    ),
    Case("positions text", lambda: meg(positions=PLACES.astype(str)), "must be real numbers; got"),
    Case("positions flat", lambda: meg(positions=PLACES[:, :2]), "shape (2, 2), expected (2, 3)"),
    Case(
        "valid numbers",
        lambda: meg(valid=np.ones((3, 4))),
        "valid of subject 's1' must be a mask of True and False; got float64.",
    ),
    Case("valid short", lambda: meg(valid=np.ones((3, 2), bool)), "has shape (3, 2), expected"),
    Case("units too few", lambda: meg(units=["x"]), "units names 1 rows but the values have 2"),
    Case("units one text", lambda: meg(units="xy"), "units must be a sequence of ids"),
    Case("run too few", lambda: responses(run=[1]), "run names 1 rows but the values have 3"),
    Case("run missing", lambda: responses(run=[1, None, 2]), "1 of 3 run ids are missing"),
    Case("session text", lambda: responses(session="aab"), "session must be a sequence of ids"),
    Case("dims unknown", lambda: responses(dims=("trial", "sensor")), "use the names trial, vox"),
    Case("dims reversed", lambda: responses(dims=("voxel", "trial")), "must start with 'trial'"),
    Case("dims too many", lambda: responses(dims=("trial", "channel", "time")), "dims names 3"),
    Case("dims none", lambda: responses(dims=()), "dims must start with 'trial'"),
    Case("modality", lambda: Responses(VALUES, IDS, "s", "ecog"), "modality must be one of"),
    Case("column short", lambda: responses(metadata={"x": [1]}), "column 'x' has 1 rows but"),
    Case("column single", lambda: responses(metadata={"x": 1}), "column 'x' has 0 rows but"),
]
CHOSEN = [
    Case(
        "mask short",
        lambda: responses().take([True, False]),
        "A mask of 2 trials does not go with 3. Make it of the same trials",
    ),
    Case("mask long", lambda: responses().take(np.ones(4, bool)), "A mask of 4 trials does not"),
    Case("row above", lambda: responses().take([0, 3]), "There is no row 3: there are 3 trials"),
    Case("row below", lambda: responses().take([-4]), "There is no row -4: there are 3 trials"),
    Case("row half", lambda: responses().take([0.5]), "by whole numbers or by a mask, in one dim"),
    Case("row by id", lambda: responses().take(["a"]), "Ids are chosen by select()."),
    Case("rows square", lambda: responses().take([[0, 1]]), "in one dimension; got int64 of shape"),
    Case("row alone", lambda: responses().take(0), "in one dimension; got int64 of shape ()."),
    Case("points mask", lambda: embeddings().take([True]), "A mask of 1 embeddings does not go"),
    Case("points row", lambda: embeddings().take([9]), "There is no row 9: there are 3 embeddings"),
    Case("select unknown", lambda: responses().select(["z"]), "never saw 1 of 1 stimuli ('z')."),
    Case("select text", lambda: responses().select("ab"), "stimulus must be a sequence of ids"),
    Case("points unknown", lambda: embeddings().select(["z"]), "1 of 1 stimulus ids are not among"),
    Case("points twice", lambda: embeddings(stimulus=list("aab")).rows(["a"]), "Average the rep"),
    Case("groups unknown", lambda: responses().groups("block"), "do not say the block of a trial"),
    Case("column unknown", lambda: responses().with_column("x", {"a": 1}), "got no value for 2 st"),
    Case(
        "too large",
        lambda: responses(np.full((3, 4), 1e300)).array(),
        "Responses of subject 's1' hold numbers up to 1e+300, too large for float32. Scale them",
    ),
    Case(
        "points too large",
        lambda: embeddings(np.full((3, 4), -1e300)).array(),
        "Embeddings of space 'toy' hold numbers up to 1e+300, too large for float32.",
    ),
    Case("rows too large", lambda: embeddings(np.full((3, 4), 1e39)).rows(["a"]), "up to 1e+39, "),
    Case("half too large", lambda: responses(VALUES * 1e5).array(np.float16), "for float16."),
]
SHOWN = [
    Case(
        "channels first", lambda: stimuli(np.zeros((3, 3, 8, 8))), "colour last; got (3, 3, 8, 8)"
    ),
    Case("four channels", lambda: stimuli(np.zeros((3, 8, 8, 4))), "colour last; got (3, 8, 8, 4)"),
    Case("flat pictures", lambda: stimuli(np.zeros((3, 64))), "Pictures have the shape (n, height"),
    Case(
        "empty pictures", lambda: stimuli(np.zeros((3, 0, 8, 3))), "colour last; got (3, 0, 8, 3)"
    ),
    Case("object pictures", lambda: stimuli(RAGGED), "Pictures have the dtype object"),
    Case(
        "masked pictures",
        lambda: stimuli(np.ma.masked_equal(np.eye(3)[None] * [[[1]]] * 1, 0)),
        "Pictures are a masked array with 6 of 9 values masked",
    ),
    Case(
        "bright floats",
        lambda: stimuli(PICTURES + 255.0)["a"],
        "Brightness goes from 0 to 1 as floats; a picture of float64 goes from 255 to 255.",
    ),
    Case("nan picture", lambda: stimuli(PICTURES * NAN)["a"], "goes from nan to nan. Give uint8"),
    Case(
        "deep picture",
        lambda: stimuli(PICTURES.astype(np.uint16) + 4095)["a"],
        "Brightness goes from 0 to 255 as integers; a picture of uint16 goes from 4095 to 4095.",
    ),
    Case("negative picture", lambda: stimuli(PICTURES.astype(int) - 1)["a"], "goes from -1 to -1."),
    Case("same id twice", lambda: stimuli(ids=list("aab")), "Stimulus ids must be unique; 1 stand"),
    Case("too few ids", lambda: stimuli(ids=["a"]), "stimulus names 1 rows but the values have 3"),
    Case(
        "an id unknown", lambda: stimuli()["z"], "1 of 1 stimulus ids are not among the 3 stimuli"
    ),
    Case(
        "of batches of 0", lambda: list(stimuli().batches(0)), "size must be a whole number of at"
    ),
    Case(
        "other sizes",
        lambda: Stimuli(IDS, "image", lambda one: np.zeros((ord(one), 2, 3))).stack(),
        "Only pictures or clips of one size make one array; Stimuli(3 images) has 3 sizes",
    ),
    Case(
        "texts as array", lambda: Stimuli.from_texts({"a": "x"}).stack(), "Only pictures or clips"
    ),
    Case(
        "a text of nothing",
        lambda: Stimuli.from_texts({"a": None}),
        "Stimulus 'a' must be a sentence; got NoneType None.",
    ),
    Case("a text of nan", lambda: Stimuli.from_texts({"a": NAN}), "must be a sentence; got float"),
    Case("a kind", lambda: Stimuli(IDS, "sound", str), "kind must be 'image', 'video' or 'text'"),
    Case(
        "no function", lambda: Stimuli(IDS, "image", PICTURES), "load must be a function from an id"
    ),
    Case(
        "a column", lambda: Stimuli(IDS, "image", str, metadata={"x": [1]}), "column 'x' has 1 row"
    ),
    Case(
        "generated axes", lambda: Generated(PICTURES, IDS, "image", "g"), "need 5 axes; got shape"
    ),
    Case("generated kind", lambda: Generated(PICTURES, IDS, "sound", "g"), "kind must be 'image'"),
    Case("no signals", lambda: pad_trials([]), "."),
    Case("long signal", lambda: pad_trials([np.zeros((2, 9))], 4), "."),
]
SPLITS = [
    Case("on both sides", lambda: Split(["a"], [], ["a"]), "1 stimulus ids are in both train and"),
    Case("ids as a text", lambda: Split("ab", [], ["c"]), "train must be a sequence of ids"),
    Case("ids missing", lambda: Split(["a", None], [], ["c"]), "1 of 2 train ids are missing"),
    Case(
        "a part",
        lambda: Split(["a"], [], ["c"]).part(responses(), "tset"),
        "A split has the parts train, validation, test; got 'tset'.",
    ),
    Case(
        "part of array",
        lambda: Split(["a"], [], ["c"]).part(VALUES, "test"),
        "A split takes Responses; got ndarray. Make them of an array: Responses(values,",
    ),
    Case(
        "by unknown", lambda: Split(["a"], [], ["c"], by="x").part(responses(), "test"), "the x of"
    ),
    Case(
        "one run", lambda: list(LeaveOneOut("run").split(responses(run=[1, 1, 1]))), "two or more"
    ),
    Case("no run", lambda: list(LeaveOneOut("run").split(responses())), "do not say the run of"),
    Case(
        "loo of array", lambda: list(LeaveOneOut("run").split(VALUES)), "A splitter takes Responses"
    ),
    Case("loo of nobody", lambda: list(LeaveOneOut("run").split([])), "There are no recordings to"),
    Case(
        "folds half", lambda: list(KFold(2.5).split(responses())), "n must be a whole number of at"
    ),
    Case("folds many", lambda: list(KFold(9).split(responses())), "can be dealt into 2 to 3 folds"),
    Case("folds one", lambda: list(KFold(1).split(responses())), "can be dealt into 2 to 3 folds"),
    *(
        Case(
            f"share {share!r}",
            lambda share=share: list(RandomSplit(share).split(responses())),
            says,
        )
        for share, says in (
            (-0.1, "A part can't have -0.1 ids; give a share (below 1) or a whole number."),
            (NAN, "A part can't have nan ids; give a share"),
            (1.5, "A part can't have 1.5 ids; give a share"),
            (float("inf"), "A part can't have inf ids; give a share"),
            ("half", "A part can't have half ids; give a share"),
            (True, "A part can't have True ids; give a share"),
            (3, "leave nothing of 3 stimulus ids to train on."),
        )
    ),
]


@table(MADE)
def test_made_of(case):
    check(case)


@table(AXES)
def test_axes(case):
    check(case)


@table(CHOSEN)
def test_chosen(case):
    check(case)


@table(SHOWN)
def test_shown(case):
    check(case)


@table(SPLITS)
def test_splits(case):
    check(case)


NATIVE = [
    VALUES.astype(">f8"),
    VALUES.astype(">f4"),
    VALUES.astype(">i2"),
    torch.from_numpy(VALUES),
    torch.from_numpy(VALUES).requires_grad_(),
    torch.from_numpy(VALUES).bfloat16(),
    torch.from_numpy(VALUES).T.contiguous().T,
    np.ma.array(VALUES),
    VALUES.tolist(),
    VALUES.astype(bool).astype(np.int8),
]


@pytest.mark.parametrize("values", NATIVE, ids=range(len(NATIVE)))
@pytest.mark.parametrize("make", [responses, embeddings])
def test_what_is_converted_keeps_its_values(make, values):
    made = make(values)
    assert type(made.values) is np.ndarray and made.values.dtype.isnative
    plain = values.detach().float().numpy() if isinstance(values, torch.Tensor) else values
    np.testing.assert_array_equal(made.array(), np.asarray(plain, dtype=np.float32))


def test_another_byte_order_in_a_file_is_read_natively(tmp_path):
    file = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", ">f4", (3, 4))
    file[:] = VALUES
    made = responses(np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert not isinstance(made.values, np.ndarray), "nothing was read"
    np.testing.assert_array_equal(made.array(), VALUES)
    np.testing.assert_array_equal(made.take([2, 0]).array(), VALUES[[2, 0]])
    assert made.take([1]).values[:].dtype.isnative


def test_ids_may_be_bytes_and_numbers():
    assert responses(stimulus=[b"a", 2, np.str_("c")]).stimulus.tolist() == ["a", "2", "c"]
    assert responses().take([-1, 0]).stimulus.tolist() == ["c", "a"]
    assert responses().take([]).n_trials == 0
