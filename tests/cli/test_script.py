"""An experiment's arguments: typed, from words or YAML, unknown ones refused, saved beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurodecode.cli.script import run_script


def experiment(data: Path, out: Path, fast: bool = False, seed: int = 0) -> dict[str, object]:
    """An experiment that says what it got."""
    return {"data": data, "out": out, "fast": fast, "seed": seed}


@pytest.mark.parametrize(
    ("words", "fast"),
    [([], False), (["--fast"], True), (["--fast", "true"], True), (["--no_fast"], False)],
)
def test_flags(tmp_path: Path, words: list[str], fast: bool) -> None:
    found = run_script(experiment, ["--data", "a", "--out", str(tmp_path), *words])
    assert found == {"data": Path("a"), "out": tmp_path, "fast": fast, "seed": 0}


def test_what_ran_is_saved_and_runs_again(tmp_path: Path) -> None:
    first = run_script(experiment, ["--data", "a", "--out", str(tmp_path), "--seed", "3", "--fast"])
    saved = tmp_path / "config.yaml"
    assert run_script(experiment, ["--config", str(saved)]) == first
    assert run_script(experiment, ["--config", str(saved), "--seed", "4"])["seed"] == 4


@pytest.mark.parametrize("words", [["--seed", "many"], ["--colour", "red"], []])
def test_wrong_words_are_refused_with_exit_code_2(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [] if words == [] else ["--data", "a", "--out", str(tmp_path), *words]
    with pytest.raises(SystemExit, match="2"):
        run_script(experiment, given)
    assert "error:" in capsys.readouterr().err


def test_an_unknown_key_in_the_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"data: a\nout: {tmp_path}\nsede: 3\n")
    with pytest.raises(SystemExit):
        run_script(experiment, ["--config", str(config)])
    assert "sede" in capsys.readouterr().err
