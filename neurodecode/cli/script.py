"""A typed function as the command line and the YAML file of an experiment."""

from __future__ import annotations

import inspect
import logging
import sys
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ActionYesNo, ArgumentParser, DefaultHelpFormatter

from neurodecode.store import atomic_path

CONFIG = "config.yaml"


class PlainHelp(DefaultHelpFormatter):
    """Keeps the lines of an experiment's head as they were written."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in text.splitlines())


def run_script(main: Callable[..., Any], words: Sequence[str] | None = None) -> Any:
    """Read the arguments of ``main`` from the command line or a YAML file, and call it.

    Each parameter of ``main`` is an option of its name, checked by its type; a parameter of type
    bool is a flag (``--fast``, ``--no-fast``). ``--config FILE`` reads options from a YAML file; an
    unknown key is an error. What ran is saved as ``config.yaml`` in the folder ``out``, if ``main``
    has such a parameter.

    Parameters
    ----------
    main : callable
        All parameters typed.
    words : sequence of str, optional
        The arguments; default those of this process.

    Returns
    -------
    object
        What ``main`` gives back.

    Examples
    --------
    >>> def main(n: int, fast: bool = False) -> None:
    ...     print(n, fast)
    >>> run_script(main, ["--n", "3", "--fast"])
    3 True
    """
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("neurodecode").setLevel(logging.INFO)
    source = inspect.getdoc(sys.modules[main.__module__]) or inspect.getdoc(main)
    parser = ArgumentParser(description=source, formatter_class=PlainHelp)
    parser.add_argument("--config", action="config", help="YAML file with any of these options")
    hints = typing.get_type_hints(main)
    flags = {
        name: one.default
        for name, one in inspect.signature(main).parameters.items()
        if hints.get(name) is bool
    }
    parser.add_function_arguments(main, skip=set(flags), as_group=False)
    for name, default in flags.items():
        parser.add_argument(f"--{name}", action=ActionYesNo, nargs="?", default=default)
    options = parser.parse_args(None if words is None else list(words))
    found = options.as_dict()
    found.pop("config", None)
    if isinstance(found.get("out"), str | Path):
        with atomic_path(Path(found["out"]) / CONFIG) as part:
            part.write_text(parser.dump(options), encoding="utf-8")
    return main(**found)
