from __future__ import annotations

from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from neurodecode.cli import Terminal, _machine, _main, _packages, main
from neurodecode.cli._packages import check_package
from neurodecode.cli.doctor import Report, diagnose


def test_a_missing_package_is_broken_and_says_what_to_run():
    package = check_package(Requirement("no-such-package>=2"))
    assert package.broken
    assert package.problem == "is not installed. Run: pip install 'no-such-package>=2'"


def test_an_old_package_is_broken():
    package = check_package(Requirement("numpy>=999"))
    assert package.broken and "is not >=999" in package.problem


def test_an_optional_package_is_never_broken():
    package = check_package(Requirement("no-such-package"), "stream")
    assert not package.broken
    assert package.state == "optional: pip install 'neurodecode-toolkit[stream]'"


def test_a_package_that_can_not_be_imported_is_broken(monkeypatch):
    def refuse(name: str) -> None:
        raise OSError("libwhatever.so:\nnot found")

    monkeypatch.setattr(_packages.importlib, "import_module", refuse)
    package = check_package(Requirement("numpy"), load=True)
    assert package.problem == "is installed but can't be imported: libwhatever.so: not found"
    assert Report((package,), ()).broken == [f"numpy: {package.problem}"]


def test_diagnose_is_the_python_call(tmp_path):
    report = diagnose(data=tmp_path, load=False)
    assert any(one.name == "torch" for one in report.packages)
    assert not [one for one in report.facts if one.broken]


def test_weights_are_counted_where_the_caches_are(tmp_path, monkeypatch):
    (tmp_path / "hub" / "models--openai--clip-vit-large-patch14").mkdir(parents=True)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "torch" / "hub" / "checkpoints" / "alexnet.pth").touch()
    facts = {fact.name: fact.value for fact in _machine.weights()}
    assert facts["hub cache"].endswith("openai/clip-vit-large-patch14")
    assert facts["torch cache"].endswith("alexnet.pth")


def verb(run):
    return SimpleNamespace(configure=lambda parser: None, run=run)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("two\nlines"), "toy: two lines"),
        (RuntimeError("odd"), "toy: RuntimeError: odd (--debug prints the traceback)"),
    ],
)
def test_an_error_is_one_line(monkeypatch, capsys, error, told):
    def fail(options, terminal):
        raise error

    monkeypatch.setitem(_main.VERBS, "toy", ("toy_module", "a toy"))
    monkeypatch.setattr(_main.importlib, "import_module", lambda name: verb(fail))
    assert main(["toy"]) == 1
    assert capsys.readouterr().err == f"neurodecode: error: {told}\n"


def test_an_interrupt_is_130(monkeypatch, capsys):
    def stop(options, terminal):
        raise KeyboardInterrupt

    monkeypatch.setitem(_main.VERBS, "toy", ("toy_module", "a toy"))
    monkeypatch.setattr(_main.importlib, "import_module", lambda name: verb(stop))
    assert main(["toy"]) == 130
    assert capsys.readouterr().err == "neurodecode: error: interrupted\n"


def test_a_verb_is_imported_only_when_used(monkeypatch):
    monkeypatch.setitem(_main.VERBS, "absent", ("neurodecode.cli.no_such_module", "a toy"))
    assert main(["--help"]) == 0
    with pytest.raises(ModuleNotFoundError):
        main(["absent"])


def test_progress_is_silent_without_a_terminal(capsys):
    with Terminal().progress() as progress:
        progress.advance(progress.add_task("work", total=2))
    captured = capsys.readouterr()
    assert not captured.out and not captured.err
