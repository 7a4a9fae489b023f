"""Both formats of ZuCo read alike; what is missing is counted, what is broken is named."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from neurodecode.data import Responses, Split
from neurodecode.datasets import zuco
from neurodecode.errors import CorruptFileError, LeakageError
from neurodecode.twin.layouts.zuco import ReadSentence, ReadWord, write_zuco

VERSIONS = [pytest.param(1, id="MATLAB 5"), pytest.param(2, id="MATLAB 7.3")]
SUBJECT = {1: "ZAB", 2: "YAC"}


def eeg(seconds: float, seed: int = 0, n_channels: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_channels, int(seconds * 500))) * 10


def word(content: str, seed: int = 0) -> ReadWord:
    power = np.random.default_rng(seed).random(7)
    return ReadWord(content, 2, {"GD": 210.0, "TRT": 400.0}, {("GD", "t1"): power})


SENTENCES = [
    ReadSentence("A moving film.", eeg(2.0), (word("A"), ReadWord("moving"), word("film.", 3))),
    ReadSentence("Rejected by hand.", None),
    ReadSentence("Great!", eeg(1.0, 1), (word("Great!"),)),
    ReadSentence("Too short.", eeg(0.2, 2)),
    ReadSentence("Much too long.", eeg(11.0, 3)),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_sentences_and_words_come_back(tmp_path: Path, version: int) -> None:
    path = write_zuco(tmp_path, SUBJECT[version], "NR", SENTENCES, version)
    found = list(zuco.read_sentences(path))
    assert [one.content for one in found] == [one.content for one in SENTENCES]
    np.testing.assert_allclose(found[0].eeg, SENTENCES[0].raw, rtol=1e-6)
    assert found[1].eeg is None
    assert found[1].words == ()
    assert [one.content for one in found[0].words] == ["A", "moving", "film."]
    assert [one.n_fixations for one in found[0].words] == [2, 0, 2]
    assert found[0].words[0].durations == {"GD": 210.0, "TRT": 400.0}
    np.testing.assert_allclose(
        found[0].words[2].bands["GD", "t1"], SENTENCES[0].words[2].bands["GD", "t1"], rtol=1e-6
    )
    assert found[0].words[1].bands == {}
    assert [one.content for one in found[2].words] == ["Great!"], "a sentence of one word"
    assert found[0].omission_rate == pytest.approx(1 / 3)
    assert found[0].bands["a1"].shape == (7,)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_person_is_padded_and_the_rest_is_counted(tmp_path: Path, version: int) -> None:
    path = write_zuco(tmp_path, SUBJECT[version], "NR", SENTENCES, version)
    responses, skipped = zuco.read_subject([path], sfreq=128.0)
    assert responses.values.shape == (2, 6, 1280)
    assert responses.valid.sum(axis=1).tolist() == [256, 128]
    assert not responses.values[0, :, 256:].any()
    assert skipped.reasons == {"rejected": 1, "too short": 1, "too long": 1}
    assert responses.metadata["text"].tolist() == ["A moving film.", "Great!"]
    assert responses.metadata["dataset"].tolist() == [f"ZuCo{version}"] * 2


@pytest.mark.parametrize("version", VERSIONS)
def test_missing_and_rejected_sentences_and_flat_channels_are_counted_or_dropped(
    tmp_path: Path, version: int
) -> None:
    flat = np.vstack([np.zeros((1, 500)), eeg(1.0, 4)[1:]])
    lost = np.where(np.arange(6)[:, None] == 3, np.nan, eeg(1.0, 5))
    path = write_zuco(
        tmp_path,
        SUBJECT[version],
        "NR",
        [
            SENTENCES[0],
            ReadSentence("", eeg(1.0, 6)),
            ReadSentence("All is lost.", np.full((6, 500), np.nan)),
            ReadSentence("A row is lost.", lost),
            ReadSentence("A flat channel of its own.", flat),
        ],
        version,
    )
    responses, skipped = zuco.read_subject([path])
    assert skipped.reasons == {"missing": 1, "rejected": 1, "lost samples": 1}
    assert responses.metadata["sentence"].tolist() == ["0", "4"]
    assert responses.values.shape[1] == 6, "the reference is dropped"


def test_words_that_were_rejected_hold_no_measures(tmp_path: Path) -> None:
    words = (word("A"), ReadWord("moving", 0), ReadWord("film.", 1, {"GD": float("nan")}))
    for version, name in SUBJECT.items():
        path = write_zuco(
            tmp_path, name, "NR", [ReadSentence("A moving film.", eeg(1.0), words)], version
        )
        (one,) = zuco.read_sentences(path)
        assert [found.content for found in one.words] == ["A", "moving", "film."]
        assert one.words[1].bands == {}
        assert one.words[2].durations == {}


def test_empty_placeholders_are_rejected_sentences(tmp_path: Path) -> None:
    path = write_zuco(tmp_path, "YAC", "NR", SENTENCES[:3:2], 2)
    with h5py.File(path, "r+") as file:
        nothing = file.create_dataset("#refs#/nothing", data=np.zeros(2, dtype=np.uint64))
        for name in ("rawData", "word"):
            file["sentenceData"][name][0, 0] = nothing.ref
    first, second = zuco.read_sentences(path)
    assert first.eeg is None
    assert first.words == ()
    assert second.eeg is not None


def test_a_broken_reference_is_refused_with_file_and_sentence(tmp_path: Path) -> None:
    path = write_zuco(tmp_path, "YAC", "NR", SENTENCES[:3:2], 2)
    with h5py.File(path, "r+") as file:
        file["sentenceData"]["content"][1, 0] = h5py.Reference()
    with pytest.raises(CorruptFileError, match=rf"{path.name} can't be .*, at sentence 1: "):
        list(zuco.read_sentences(path))


def test_a_sentence_of_another_kind_is_refused_with_file_and_index(tmp_path: Path) -> None:
    path = tmp_path / "resultsZAB_SR.mat"
    rows = np.empty((1, 2), dtype=[("content", object), ("rawData", object)])
    rows[0, 0] = ("A film.", eeg(1.0))
    rows[0, 1] = ("A film.", np.array([["one", "two"], ["three", "four"]], dtype=object))
    savemat(path, {"sentenceData": rows})
    with pytest.raises(CorruptFileError, match=r"resultsZAB_SR\.mat can't be .*, at sentence 1: "):
        list(zuco.read_sentences(path))


def test_lost_samples_are_counted(tmp_path: Path) -> None:
    lost = eeg(1.0)
    lost[2, 5] = np.nan
    path = write_zuco(tmp_path, "ZAB", "SR", [SENTENCES[0], ReadSentence("Lost.", lost)])
    _, skipped = zuco.read_subject([path])
    assert skipped.reasons == {"lost samples": 1}
    assert skipped.total == 1


def test_preparation_sees_the_signal_at_500_hz(tmp_path: Path) -> None:
    path = write_zuco(tmp_path, "ZAB", "SR", SENTENCES[:1])
    seen = []

    def halve(signal: np.ndarray) -> np.ndarray:
        seen.append(signal.shape)
        return signal / 2

    half, _ = zuco.read_subject([path], prepare=halve)
    whole, _ = zuco.read_subject([path])
    assert seen == [(6, 1000)]
    np.testing.assert_allclose(half.values * 2, whole.values, rtol=1e-5)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, version: int) -> None:
    path = write_zuco(tmp_path, SUBJECT[version], "NR", SENTENCES, version)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptFileError, match=rf"{path.name} can't be read as a (MATLAB|HDF5)"):
        list(zuco.read_sentences(path))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "resultsZAB_SR.mat"
    path.write_text("not a matlab file")
    with pytest.raises(CorruptFileError, match="is no MATLAB file"):
        zuco.read_sentences(path)
    with pytest.raises(FileNotFoundError, match="holds no results"):
        zuco.find_files(tmp_path / "nothing")


def test_no_sentence_left_is_an_error_with_the_counts(tmp_path: Path) -> None:
    path = write_zuco(tmp_path, "ZAB", "SR", SENTENCES[1:2])
    with pytest.raises(ValueError, match=r"No sentence of subject 'ZAB' .*'rejected': 1"):
        zuco.read_subject([path])


def test_files_are_found_by_person(tmp_path: Path) -> None:
    for task in ("SR", "NR"):
        write_zuco(tmp_path, "ZAB", task, SENTENCES[:1])
    write_zuco(tmp_path, "ZDM", "SR", SENTENCES[:1])
    found = zuco.find_files(tmp_path)
    assert {subject: len(files) for subject, files in found.items()} == {"ZAB": 2, "ZDM": 1}
    with pytest.raises(ValueError, match=r"takes the files of one person; got \['ZAB', 'ZDM'\]"):
        zuco.read_subject([*found["ZAB"], *found["ZDM"]])


def test_copies_of_a_text_stay_together() -> None:
    texts = [zuco.text_id(f"sentence {i}") for i in range(40)]
    task = np.repeat(["SR", "NR"], 20)
    one = Responses(np.zeros((40, 1, 2)), texts, "ZAB", "eeg", dims=("trial", "channel", "time"),
                    metadata={"dataset": np.repeat("ZuCo1", 40), "task": task})  # fmt: skip
    copies = Responses(np.zeros((5, 1, 2)), texts[:5], "YAC", "eeg",
                       dims=("trial", "channel", "time"),
                       metadata={"dataset": np.repeat("ZuCo2", 5), "task": np.repeat("NR", 5)},
                       )  # fmt: skip
    split = zuco.sentence_split([one, copies])
    assert set(texts[:5]) <= set(split.train.tolist())
    assert split.apart([one, copies])["stimulus"]
    assert len(split.test) == 4
    mixed = zuco.sentence_split([one, copies], repeated_to_train=False, test=0.5, validation=0.0)
    assert mixed.apart([one, copies])["stimulus"]


def test_people_can_be_kept_apart() -> None:
    dims = ("trial", "channel", "time")
    people = [
        Responses(np.zeros((2, 1, 2)), ["a", "b"], name, "eeg", dims=dims)
        for name in ("ZAB", "ZDM", "ZJS")
    ]
    split = zuco.subject_split(people, test=["ZJS"])
    assert split.apart(people) == {"stimulus": False, "subject": True}
    with pytest.raises(ValueError, match="no recordings of ZZZ"):
        zuco.subject_split(people, test=["ZZZ"])
    with pytest.raises(LeakageError):
        Split(["ZAB"], [], ["ZAB"], "subject")


def test_label_tables_are_read_though_their_headers_are_broken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sentiment_labels_task1.csv").write_text(
        "sentence;control;sentiment_label\n;;\nA moving film.;;1\nA dull film.;CONTROL;-1\n"
    )
    (tmp_path / "relations_labels_task2.csv").write_text(
        '1,"He was born in Bonn, a city.",,NATIONALITY;JOB_TITLE\n'
        "2,Nobody did anything here.,,NO-RELATION\n"
    )
    (tmp_path / "nr_1.csv").write_text("1;2;She studied law in Ulm.;EDUCATION\n")
    labels = zuco.read_labels(tmp_path)
    found = {entry["text"]: entry for entry in labels.values()}
    assert found["A moving film."]["sentiment"] == "positive"
    assert found["A dull film."]["sentiment"] == "negative"
    assert found["He was born in Bonn, a city."]["relation"] == "nationality"
    assert "relation" not in found["Nobody did anything here."]
    assert found["She studied law in Ulm."]["relation"] == "education"
    (tmp_path / "tsr_1.csv").write_text("3;4;He won a prize in Rome.;AWARD\nodd\n;;;\n")
    with caplog.at_level("WARNING", logger="neurodecode"):
        zuco.read_labels(tmp_path)
    assert "tsr_1.csv: 2 of 3 rows hold no label and were left out." in caplog.text
    (tmp_path / "nr_2.csv").write_text("nothing to see\n")
    with pytest.raises(CorruptFileError, match=r"nr_2\.csv has no row of labels in 1 lines"):
        zuco.read_labels(tmp_path)


def test_a_sentence_that_lost_channels_does_not_take_them_from_all(tmp_path: Path) -> None:
    """One short sentence once cut all others to its number of channels."""
    odd = ReadSentence("A short one.", eeg(1.0, 1, n_channels=3))
    path = write_zuco(tmp_path, "ZAB", "NR", [SENTENCES[0], odd], 1)
    with pytest.raises(CorruptFileError) as error:
        zuco.read_subject([path])
    assert str(error.value) == (
        f"Sentences of subject 'ZAB' have 3 to 6 channels in {path}; the same in all was expected. "
        f"A file is damaged, or of another recording."
    )


def test_labels_with_odd_bytes_or_two_meanings_are_told(tmp_path: Path, caplog) -> None:
    file = tmp_path / "sentiment_labels_task1.csv"
    rows = ["1;A film to see.;;1", "2;A film to see.;;-1", "3;No pi\xf1a here.;;0"]
    file.write_bytes("\n".join(rows).encode("latin-1"))
    assert len(zuco.read_labels(tmp_path)) == 2
    assert f"{file}: 1 rows hold bytes that are no text (first: row 3)" in caplog.text
    assert f"{file}: 'A film to see.' is labelled again, with another sentiment" in caplog.text
