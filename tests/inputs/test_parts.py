"""Encoders, preprocessors, targets, generators, the store: what they can't work with."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Embeddings, Responses, Split, Stimuli
from neurodecode.encoders import ForwardRidge, MindBridge, Ridge, RidgeClassifier
from neurodecode.generators import DirectImage, Retrieval
from neurodecode.preprocessing import NoiseWhitening, RobustScale, Standardize, VoxelSelection
from neurodecode.targets import Pixels
from neurodecode.training import Plan
from tests.inputs.told import Case, check, table

RNG = np.random.default_rng(0)
IDS = [f"s{i}" for i in range(8)]
X, Y, CUBE = RNG.normal(size=(8, 5)), RNG.normal(size=(8, 3)), RNG.normal(size=(8, 3, 6))
SPLIT = Split(IDS[:5], IDS[5:6], IDS[6:])
NAN, HUGE = float("nan"), 1e300
DIMS = ("trial", "channel", "time")
SEEN = Stimuli.from_arrays(IDS, RNG.integers(0, 255, (8, 2, 2, 3), dtype=np.uint8))
PIXELS = Pixels(2)
POINTS = PIXELS.embed(SEEN)


def with_one(value):
    values = X.copy()
    values[2, 1] = value
    return responses(values)


def responses(values=X, subject="p1"):
    return Responses(values, IDS[: len(values)], subject, "fmri")


def trials(values=CUBE):
    return Responses(values, IDS, "p1", "meg", dims=DIMS)


def points(values=Y, space="toy"):
    return Embeddings(values, IDS[: len(values)], space)


def make(kind):
    plan = Plan(max_epochs=1, device="cpu")
    return {"Ridge": Ridge, "MindBridge": lambda: MindBridge(plan=plan, batch_size=4)}[kind]()


def fit(kind, responses=None, targets=None, split=SPLIT):
    own = with_one(0.0) if responses is None else responses
    return make(kind).fit(own, points() if targets is None else targets, split)


@cache
def fitted(kind):
    return fit(kind)


FIT = {
    "array": (lambda kind: fit(kind, X), "takes Responses; got ndarray. Make them of an array"),
    "list of arrays": (lambda kind: fit(kind, [X]), ".fit() takes Responses; got ndarray."),
    "text": (lambda kind: fit(kind, "p1"), ".fit() takes Responses; got str."),
    "nobody": (lambda kind: fit(kind, []), "got no responses."),
    "somebody twice": (lambda kind: fit(kind, [responses(), responses()]), "stand more than once"),
    "target array": (lambda kind: fit(kind, targets=Y), "takes Embeddings; got ndarray. Make them"),
    "no target": (lambda kind: fit(kind, targets={}), "got no targets. Give Embeddings, or a map"),
    "split mapping": (lambda kind: fit(kind, split={"train": IDS}), "takes Split; got dict. Make"),
    "nan": (lambda kind: fit(kind, with_one(NAN)), "not finite in 1 of"),
    "inf": (lambda kind: fit(kind, with_one(np.inf)), "not finite in 1 of"),
    "huge": (lambda kind: fit(kind, with_one(HUGE)), "hold numbers up to 1e+300, too large for"),
    "huge target": (lambda kind: fit(kind, targets=points(Y * HUGE)), "too large for float32."),
    "target missing": (lambda kind: fit(kind, targets=points(Y[:3])), "are not among the 3"),
    "no training": (lambda kind: fit(kind, split=Split(["y"], [], ["z"])), "training"),
    "predict array": (
        lambda kind: fitted(kind).predict(X),
        ".predict() takes Responses; got ndarray",
    ),
    "predict huge": (lambda kind: fitted(kind).predict(with_one(HUGE)), "too large for float32."),
    "predict nan": (lambda kind: fitted(kind).predict(with_one(NAN)), "not finite in 1 of"),
    "predict unfitted": (lambda kind: make(kind).predict(responses()), "is not fitted yet."),
    "predict fewer": (lambda kind: fitted(kind).predict(responses(X[:, :3])), "Use the "),
    "predict stranger": (lambda kind: fitted(kind).predict(responses(subject="p2")), "'p2'"),
    "load nothing": (lambda kind: type(make(kind)).load("/proc/none"), "does not hold a saved"),
}
ENCODERS = [
    Case(f"{kind} {name}", lambda kind=kind, call=call: call(kind), says)
    for kind in ("Ridge", "MindBridge")
    for name, (call, says) in FIT.items()
]
OTHERS = [
    Case("penalty below 0", lambda: Ridge([-1.0]).fit(responses(), points(), SPLIT), "penalties m"),
    Case(
        "penalty nan", lambda: Ridge([NAN]).fit(responses(), points(), SPLIT), "penalties must be"
    ),
    Case("no penalty", lambda: Ridge([]).fit(responses(), points(), SPLIT), "penalties must be"),
    Case(
        "head",
        lambda: fitted("Ridge").predict(responses(), head="x"),
        "There is no head 'x'; there",
    ),
    Case(
        "adapt array", lambda: fitted("Ridge").adapt(X, points(), SPLIT), "adapt() takes Responses"
    ),
    Case(
        "forward array", lambda: ForwardRidge().fit(Y, responses()), "takes Embeddings; got ndarr"
    ),
    Case("forward values", lambda: ForwardRidge().fit(points(), X), "takes Responses; got ndarray"),
    Case(
        "forward nan", lambda: ForwardRidge().fit(points(), with_one(NAN)), "not finite in 1 of 8"
    ),
    Case("classes of array", lambda: RidgeClassifier().fit(X, points(), SPLIT), "takes Responses"),
    Case("epochs 0", lambda: Plan(max_epochs=0), "max_epochs must be a whole number of at least 1"),
    Case("epochs nan", lambda: Plan(max_epochs=NAN), "max_epochs must be a whole number of at"),
    Case(
        "epochs text", lambda: Plan(max_epochs="9"), "must be a whole number of at least 1; got '9'"
    ),
    Case(
        "rate below 0", lambda: Plan(learning_rate=-1.0), "Plan needs a learning_rate of 0 or more"
    ),
    Case("rate nan", lambda: Plan(learning_rate=NAN), "a learning_rate of 0 or more; got nan."),
    Case("rate text", lambda: Plan(learning_rate="x"), "a learning_rate of 0 or more; got 'x'."),
    Case("decay inf", lambda: Plan(weight_decay=np.inf), "a weight_decay of 0 or more; got inf."),
    Case("schedule", lambda: Plan(schedule="x"), "schedule must be one of"),
    Case("precision", lambda: Plan(precision="x"), "precision must be one of"),
]
STEPS = [
    case
    for step in (RobustScale, NoiseWhitening)
    for name in [step.__name__]
    for case in (
        Case(
            f"{name} array", lambda step=step: step().fit(X), "Sensor scaling takes Responses; got"
        ),
        Case(
            f"{name} fmri", lambda step=step: step().fit(responses()), "needs trials with dims ('tr"
        ),
        Case(
            f"{name} nothing", lambda step=step: step().fit(trials().take([])), "got 0 with ('trial"
        ),
        Case(f"{name} flat", lambda step=step: step().fit(trials(CUBE * 0)), "do not vary"),
        Case(
            f"{name} nan", lambda step=step: step().fit(trials(CUBE * NAN)), "that are not finite"
        ),
        Case(
            f"{name} unfitted", lambda step=step: step().transform(trials()), "is not fitted. Call"
        ),
        Case(
            f"{name} fewer channels",
            lambda step=step: step().fit(trials()).transform(trials(CUBE[:, :2])),
            "was fitted on 3 channels, but subject 'p1' has 2.",
        ),
        Case(
            f"{name} of array", lambda step=step: step().fit(trials()).transform(X), "takes Respon"
        ),
    )
] + [
    Case("scale array", lambda: Standardize().fit(X), "Standardize.fit() takes Responses; got"),
    Case(
        "scale nothing", lambda: Standardize().fit(responses().take([])), "has no training trials."
    ),
    Case("scale nan", lambda: Standardize().fit(with_one(NAN)), "1 voxels of subject 'p1' hold"),
    Case(
        "scale unfitted", lambda: Standardize().transform(responses()), "Standardize is not fitted."
    ),
    Case(
        "scale by run", lambda: Standardize("run").fit(responses()), "do not say the run of a trial"
    ),
    Case(
        "scale of array",
        lambda: Standardize().fit(responses()).transform(X),
        "takes Responses; got",
    ),
    Case(
        "voxels array", lambda: VoxelSelection(n_voxels=2).fit(X), "takes Responses; got ndarray."
    ),
    Case(
        "voxels by nothing", lambda: VoxelSelection().fit(responses()), "needs n_voxels=, above= or"
    ),
    *(
        Case(
            f"voxels {n!r}",
            lambda n=n: VoxelSelection(n_voxels=n).fit(responses()),
            f"n_voxels must be a whole number of at least 1; got {n!r}.",
        )
        for n in (0, -1, 1.5, "2", True)
    ),
]
GENERATED = [
    Case(
        "points array",
        lambda: DirectImage(PIXELS).generate(Y),
        "takes Embeddings; got ndarray. Mak",
    ),
    Case(
        "points of another space", lambda: DirectImage(PIXELS).generate(points()), "reads points of"
    ),
    *(
        Case(
            f"samples {n!r}",
            lambda n=n: DirectImage(PIXELS).generate(POINTS, n_samples=n),
            f"n_samples must be a whole number of at least 1; got {n!r}.",
        )
        for n in (0, -2, 1.5, "3")
    ),
    *(
        Case(
            f"seed {seed!r}",
            lambda seed=seed: DirectImage(PIXELS).generate(POINTS, seed=seed),
            f"seed must be a whole number of at least 0; got {seed!r}.",
        )
        for seed in (-1, 0.5, "x", None)
    ),
    Case(
        "nan points",
        lambda: DirectImage(PIXELS).generate(points(POINTS.array() * NAN, POINTS.space)),
        "not finite in 8 of 8",
    ),
    Case(
        "narrow points",
        lambda: DirectImage(PIXELS).generate(points(Y, POINTS.space)),
        "Points of 'pixels-2x2-rgb' are 12 numbers each; got an array of shape (8, 3).",
    ),
    Case(
        "narrow rows", lambda: Retrieval(points(), SEEN).generate(points(Y[:, :2])), "of shape (2,)"
    ),
    Case(
        "many samples",
        lambda: Retrieval(points(), SEEN).generate(points(), n_samples=9),
        "8 candid",
    ),
    Case(
        "metric",
        lambda: Retrieval(points(), SEEN, "x").generate(points()),
        "metric must be 'cosine'",
    ),
    Case(
        "no picture",
        lambda: Retrieval(points(), SEEN.select(IDS[:2])).generate(points()),
        "are not",
    ),
    Case(
        "embed array", lambda: PIXELS.embed(X), "Pixels takes Stimuli; got ndarray. Make them with"
    ),
    Case(
        "embed text",
        lambda: PIXELS.embed(Stimuli.from_texts({"a": "x"})),
        "stimuli of kind 'image'",
    ),
    *(
        Case(f"size {size!r}", lambda size=size: Pixels(size).embed(SEEN), "size")
        for size in (0, -2, "x", (2,), (2, 0), 1.5)
    ),
]


def save(folder, content, **more):
    return lambda: store.save(folder / "r.h5", content, **more)


FOLDER = Path(tempfile.mkdtemp(prefix="neurodecode-inputs-"))
"""Where nothing is ever written: each case is refused before."""
STORED = [
    Case("save array", save(FOLDER, X), "A store holds Responses or Embeddings; got ndarray."),
    Case(
        "save nothing", save(FOLDER, None), "A store holds Responses or Embeddings; got NoneType."
    ),
    Case(
        "save as x", save(FOLDER, responses(), dtype="x"), "r.h5 can't be stored as x: values are"
    ),
    Case(
        "save as complex", save(FOLDER, responses(), dtype=complex), "stored as complex128: values"
    ),
    Case(
        "save as text", save(FOLDER, responses(), dtype="S3"), "can't be stored as |S3: values are"
    ),
    Case("save as int8", save(FOLDER, responses(), dtype="int8"), "can't be stored as int8: "),
    Case(
        "save huge", save(FOLDER, with_one(HUGE), dtype="float32"), "largest value is 1e+300, which"
    ),
    Case(
        "json nan",
        lambda: store.write_json(FOLDER / "a.json", {"a": NAN}),
        "can't be written as JSON:",
    ),
    Case(
        "json array",
        lambda: store.write_json(FOLDER / "a.json", {"a": X}),
        "can't be written as JSON:",
    ),
    Case(
        "json bytes", lambda: store.write_json(FOLDER / "a.json", b"x"), "can't be written as JSON:"
    ),
]


@table(ENCODERS)
def test_encoders(case):
    check(case)


@table(OTHERS)
def test_other_encoders_and_plans(case):
    check(case)


@table(STEPS)
def test_preprocessors(case):
    check(case)


@table(GENERATED)
def test_generators_and_targets(case):
    check(case)


@table(STORED)
def test_the_store_refuses_and_leaves_nothing(case):
    check(case)
    assert not [file.name for file in FOLDER.iterdir() if not file.name.startswith(".")]


@pytest.mark.parametrize("kind", [">f4", ">f8"])
def test_an_encoder_learns_the_same_from_another_byte_order(kind):
    plain = fit("Ridge", responses(X.astype(kind[1:]))).predict(responses(X)).array()
    other = fit("Ridge", responses(X.astype(kind))).predict(responses(X.astype(kind))).array()
    np.testing.assert_allclose(other, plain, rtol=1e-4, atol=1e-6)
