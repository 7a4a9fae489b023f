"""A study as a command: its script's parameters, where it runs, and what is shown meanwhile."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from jsonargparse import ArgumentParser

from neurodecode.study._conduct import conduct, dry_run
from neurodecode.study._executors import Executor, InProcess, Processes, Slurm
from neurodecode.study._study import Study

PACKAGED = "neurodecode.experiments"
FUNCTION = "study"
Make = Callable[..., Study]


@dataclass(frozen=True, eq=False)
class Command:
    """What a command line asks for.

    Parameters
    ----------
    study : Study
    out : path
    executor : Executor
    retry, only_plan : bool
    """

    study: Study
    out: Path
    executor: Executor
    retry: bool = False
    only_plan: bool = False


def run_study(make: Make, words: Sequence[str] | None = None) -> dict[str, Any] | None:
    """Run the study that a script's function makes, by the words of the command line.

    Each parameter of ``make`` is an option, checked by its type; ``--out``, ``--jobs N``,
    ``--slurm KEY=VALUE ...``, ``--dry-run``, ``--retry`` and ``--config FILE`` come besides.

    Parameters
    ----------
    make : callable
        Gives a `Study`; all parameters typed, with defaults.
    words : sequence of str, optional
        Default those of this process.

    Returns
    -------
    dict or None
        The content of ``results.json``; None after ``--dry-run``.
    """
    from neurodecode.study._told import Told

    command = parsed(make, sys.argv[1:] if words is None else words)
    told = Told()
    if command.only_plan:
        told.plan(command.study, dry_run(command.study))
        return None
    logging.getLogger("neurodecode").setLevel(logging.INFO)
    with told.progress() as on_progress:
        results = conduct(
            command.study,
            command.out,
            executor=command.executor,
            retry=command.retry,
            on_progress=on_progress,
        )
    told.results(results, command.out)
    return results


def parsed(make: Make, words: Sequence[str]) -> Command:
    """The command that these words ask for; an unknown option is an error."""
    parser = ArgumentParser(prog="neurodecode run", description=_head(make), exit_on_error=True)
    parser.add_argument("--config", action="config", help="YAML file with any of these options")
    parser.add_argument("--out", type=Path, required=True, help="results folder")
    parser.add_argument("--jobs", type=int, default=1, help="processes of this machine")
    parser.add_argument("--slurm", type=str, nargs="*", help="KEY=VALUE, such as partition=gpu")
    parser.add_argument("--dry-run", action="store_true", help="say what would be computed")
    parser.add_argument("--retry", action="store_true", help="try failed cells again")
    names = parser.add_function_arguments(make, as_group=False)
    given = parser.instantiate_classes(parser.parse_args(list(words)))
    study = make(**{name: given[name] for name in names})
    executor = _executor(given["jobs"], given["slurm"])
    return Command(study, given["out"], executor, given["retry"], given["dry_run"])


def load_script(target: str) -> tuple[Make, list[str]]:
    """The function that makes a study, and options that a YAML file gives.

    Parameters
    ----------
    target : str
        The path of a script, the name of an experiment of this package, or a YAML file whose key
        ``study`` names either and whose other keys are options.

    Raises
    ------
    ValueError
        If there is no such script, or it has no function `study`.
    """
    if target.endswith((".yaml", ".yml")):
        content = _yaml(Path(target))
        if not isinstance(content, dict) or not isinstance(content.get("study"), str):
            raise ValueError(
                f"{target} needs the key 'study' with the path or the name of a script; its other "
                f"keys are that script's options."
            )
        named = content.pop("study")
        if named.endswith((".yaml", ".yml")):
            raise ValueError(
                f"{target} names another YAML file ('{named}') as its study. Name a script (.py) "
                f"or an experiment."
            )
        make, _ = load_script(named)
        return make, ["--config", yaml.safe_dump(content)]
    module = _by_path(Path(target)) if target.endswith(".py") else _packaged(target)
    found: Make | None = getattr(module, FUNCTION, None)
    if found is None:
        raise ValueError(
            f"{target} has no function '{FUNCTION}' that makes a neurodecode.study.Study."
        )
    return found, []


def _yaml(file: Path) -> Any:
    """Plain values of a YAML file; tags that would make objects are refused by its reader."""
    if not file.is_file():
        raise ValueError(f"There is no file at {file}. Check the path.")
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file} is no YAML file of plain values ({reason:.200}).") from error


def _by_path(path: Path) -> ModuleType:
    if not path.is_file():
        raise ValueError(f"There is no script at {path}. Check the path.")
    spec = importlib.util.spec_from_file_location(f"neurodecode_script_{path.stem}", path)
    assert spec is not None and spec.loader is not None  # a .py file has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    _send_along(module)
    return module


def _send_along(module: ModuleType) -> None:
    """Workers cannot import a script by its path: what it defines travels with the study."""
    try:
        import cloudpickle
    except ImportError:  # no submitit either: nothing is sent
        return
    cloudpickle.register_pickle_by_value(module)


def _packaged(name: str) -> ModuleType:
    if name not in experiments():
        raise ValueError(
            f"There is no experiment '{name}'. Give the path of a script (ending in .py or .yaml), "
            f"or one of: {', '.join(experiments()) or 'none are installed'}."
        )
    return importlib.import_module(f"{PACKAGED}.{name}")


def experiments() -> list[str]:
    """Names of the experiments that come with the package."""
    import pkgutil

    try:
        package = importlib.import_module(PACKAGED)
    except ModuleNotFoundError:  # a checkout, where they are scripts with a path
        return []
    found = pkgutil.iter_modules(package.__path__)
    return sorted(one.name for one in found if not one.name.startswith("_") and not one.ispkg)


def _executor(jobs: int, slurm: Sequence[str] | None) -> Executor:
    if slurm is None:
        return InProcess() if jobs == 1 else Processes(jobs)
    wrong = [one for one in slurm if "=" not in one]
    if wrong:
        raise ValueError(f"--slurm takes KEY=VALUE, such as partition=gpu; got '{wrong[0]}'.")
    pairs = (one.split("=", 1) for one in slurm)
    return Slurm(parameters={key: int(one) if one.isdigit() else one for key, one in pairs})


def _head(make: Make) -> str:
    module = sys.modules.get(make.__module__)
    return (module.__doc__ if module is not None else None) or make.__doc__ or ""
