"""A gain is believed only against every control, and never where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.evidence import Items, gain_over_controls


def items(n: int, per_stimulus: int = 1) -> Items:
    return Items([f"s{i // per_stimulus}" for i in range(n)], ["a"] * n)


def test_one_strong_control_is_enough_to_doubt() -> None:
    rng = np.random.default_rng(0)
    model = rng.normal(1.0, 0.3, 100)
    controls = {"noise": rng.normal(0, 0.3, 100), "constant": rng.normal(1.2, 0.3, 100)}
    gain = gain_over_controls(model, controls, items(100))
    assert gain.best_control == "constant"
    assert gain.value < 0
    assert gain.p > 0.5
    assert gain.verdict.startswith("no evidence that the brain was used: -0.")


def test_a_real_gain_is_found() -> None:
    rng = np.random.default_rng(0)
    easy = rng.normal(0, 1, 200)
    gain = gain_over_controls(
        easy + 0.2 + rng.normal(0, 0.3, 200), {"noise": easy, "length only": easy - 0.1}, items(200)
    )
    assert gain.p < 0.01
    assert gain.ci95.low > 0
    assert gain.verdict.startswith("evidence of the brain: .1")


def test_p_is_uniform_without_a_gain() -> None:
    rng = np.random.default_rng(0)
    p = [
        gain_over_controls(
            rng.normal(size=40), {"noise": rng.normal(size=40)}, items(40), n_permutations=199,
            seed=draw,
        ).p
        for draw in range(150)
    ]  # fmt: skip
    assert 0.02 < np.mean(np.array(p) < 0.1) < 0.19
    assert 0.4 < np.mean(p) < 0.6


def test_copies_of_a_stimulus_do_not_count_as_new_evidence() -> None:
    rng = np.random.default_rng(1)
    one = rng.normal(0.3, 1.0, 12)
    single = gain_over_controls(one, {"noise": np.zeros(12)}, items(12))
    copied = gain_over_controls(np.repeat(one, 30), {"noise": np.zeros(360)}, items(360, 30))
    assert copied.p == pytest.approx(single.p, abs=0.05)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one control"):
        gain_over_controls(np.ones(3), {}, items(3))
    with pytest.raises(ValueError, match="must be the same"):
        gain_over_controls(np.ones(3), {"noise": np.ones(2)}, items(3))


@pytest.mark.parametrize("broken", ["the model", "noise"])
def test_no_gain_is_made_of_what_is_not_finite(broken):
    values = {"the model": np.ones(20), "noise": np.zeros(20)}
    values[broken][4] = np.nan
    items = Items([f"s{i}" for i in range(20)], ["a"] * 20)
    with pytest.raises(ValueError, match=f"1 of 20 rows of {broken} hold values that are not"):
        gain_over_controls(values["the model"], {"noise": values["noise"]}, items)
