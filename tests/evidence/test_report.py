from __future__ import annotations

import pytest

from neurodecode.evidence import controls_table, methods_paragraph, scores_text

SCORE = {
    "value": 0.12,
    "ci95": [0.1, 0.15],
    "chance": 0.005,
    "null": {"mean": 0.005, "p95": 0.02, "p": 1 / 1001, "n": 1000, "kind": "permutation"},
    "n": 800,
    "variant": "cosine among 200",
}


@pytest.fixture
def results():
    return {
        "experiment": "demo",
        "split": {"fmri": "random by stimulus, seed 0"},
        "protocols": {
            "fmri": {
                "scores": {"retrieval_top1": SCORE},
                "controls": {"noise": {"retrieval_top1": 0.005}, "mean": {}},
                "subjects": ["p1", "p2"],
                "n_test": 200,
                "selection_rule": "none",
            }
        },
        "seed": 3,
        "test_looks": 2,
        "versions": {"neurodecode": "0.1", "numpy": "2.0", "platform": "Linux"},
        "git_commit": "0123456789abcdef",
        "simulated": True,
    }


def test_scores_stand_with_interval_and_null(results):
    [line] = [one for one in scores_text(results).splitlines() if "0.100 to 0.150" in one]
    for cell in ("fmri", "retrieval top1", "0.120", "0.005", "0.020", "0.001", "800"):
        assert cell in line
    assert "look 2 at this test part" in scores_text(results)


def test_controls_stand_below_what_was_decoded(results):
    columns = [list(one.cells) for one in controls_table(results).columns]
    assert columns[1] == ["decoded", "noise", "mean"]
    assert columns[2] == ["0.120", "0.005", ""]


def test_tables_with_all_controls_fit_a_terminal_uncut(results):
    names = ("noise", "shuffled", "constant", "nearest_training", "ceiling", "plain_ridge")
    content = results["protocols"]["fmri"]
    scores = ("retrieval_top1", "clip_two_way", "caption_object_accuracy", "pixel_correlation")
    content["scores"] = dict.fromkeys(scores, SCORE)
    content["controls"] = {name: dict.fromkeys(scores, 0.25) for name in names}
    text = scores_text(results, width=80)
    assert "…" not in text
    assert all(word in text for name in names for word in name.split("_"))


def test_the_paragraph_says_what_a_report_must(results):
    text = methods_paragraph(results)
    assert text.startswith("The recordings are simulated. Data were split as follows: fmri: random")
    for part in (
        "opened by the evaluation, 2 times so far as counted on this machine",
        "people: p1, p2, test items: 200, selection among samples: none.",
        "retrieval top1 (cosine among 200) was 0.120 (95 % interval 0.100 to 0.150, "
        "n = 800, chance 0.005; null of 1000 arrangements (permutation): mean 0.005, 95th "
        "percentile 0.02, one-sided p = 0.000999)",
        "these controls: noise, mean",
        "Seed 3. Software: neurodecode 0.1, numpy 2.0, commit 0123456789ab.",
    ):
        assert part in text


def test_mixed_recordings_are_told_apart(results):
    sources = {"twin/a": "simulated", "haxby/b": "recorded", "lab/c": "unknown"}
    text = methods_paragraph({**results, "sources": sources})
    assert text.startswith("1 of 3 recordings is simulated: twin/a. Data were split")


def test_what_was_not_recorded_is_not_said(results):
    plain = methods_paragraph({**results, "simulated": False, "test_looks": 1, "git_commit": None})
    assert "simulated" not in plain
    assert "commit" not in plain
    assert "generator" not in plain
    assert "evaluation, once so far" in plain
    assert "validation" not in plain


def test_for_whom_intervals_hold_is_printed_and_written_once(results):
    scope = "other stimuli of the same kind in these 2 people; nothing follows for other people"
    told = {"scope": scope, "ci_method": "Wilson interval over stimuli, people fixed"}
    scores = results["protocols"]["fmri"]["scores"]
    scores["retrieval_top1"] = SCORE | told
    scores["two_way"] = SCORE | told
    sentence = (
        f"Intervals hold for {scope} (retrieval top1, two way: Wilson interval over stimuli, "
        f"people fixed)."
    )
    assert sentence in methods_paragraph(results)
    assert sentence in " ".join(scores_text(results, width=300).split("\n"))
    assert scores_text(results, width=300).count("nothing follows for other people") == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("known", "validation trials included, was among the test trials; this was checked trial"),
        ("given", "given training and validation trials only; whether it had learned from others"),
        ("unknown", "The encoder is of unknown provenance: which trials it learned from is not"),
    ],
)
def test_of_training_trials_it_says_what_was_checked(results, told, said):
    results["protocols"]["fmri"]["learned_from"] = told
    assert said in methods_paragraph(results)


def test_names_in_brackets_are_names_and_no_markup(results):
    protocol = next(iter(results["protocols"].values()))
    score = next(iter(protocol["scores"].values()))
    named = protocol | {
        "scores": {"top1 [small]": score | {"best_control": "[/b]", "scope": "others [red]"}},
        "controls": {"deep [tiny]": {"top1 [small]": 0.5}},
    }
    shown = scores_text(results | {"experiment": "[/x] toy", "protocols": {"[a] within": named}})
    for name in ("[/x] toy", "[a] within", "top1 [small]", "deep [tiny]", "others [red]"):
        assert name in shown, name
