"""Are the packages that neurodecode asks for here, new enough, and can they be imported?"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

from neurodecode.cli._terminal import Terminal

DISTRIBUTION = "neurodecode-toolkit"
IMPORT_NAMES = {
    "open-clip-torch": "open_clip",
    "pillow": "PIL",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}
"""Where the name to import is not the package's own; kept short, since a search is slow."""


@dataclass(frozen=True)
class Package:
    """One package that neurodecode asks for.

    Parameters
    ----------
    name, wanted, found : str
        Its name, the versions asked for, the version here ('' if none).
    extra : str
        The extra that asks for it; '' if all of neurodecode needs it.
    problem : str
        What is wrong with it; '' if nothing.
    """

    name: str
    wanted: str
    found: str
    extra: str
    problem: str

    @property
    def broken(self) -> bool:
        """Is it needed, and does it not work?"""
        return bool(self.problem) and not self.extra

    @property
    def state(self) -> str:
        """One word or sentence for a table."""
        if self.extra and not self.found:
            return f"optional: pip install '{DISTRIBUTION}[{self.extra}]'"
        return self.problem or "ok"


def check_packages(*, load: bool, terminal: Terminal) -> list[Package]:
    """Check each requirement of the installed neurodecode.

    Parameters
    ----------
    load : bool
        Import what is needed, too.
    terminal : Terminal
        Where progress is shown.

    Raises
    ------
    ModuleNotFoundError
        If neurodecode runs from a folder and was never installed.
    """
    wanted = list(_requirements())
    checked = []
    with terminal.progress() as progress:
        task = progress.add_task("Packages", total=len(wanted))
        for requirement, extra in wanted:
            progress.update(task, description=requirement.name)
            checked.append(check_package(requirement, extra, load=load and not extra))
            progress.advance(task)
    return checked


def check_package(requirement: Requirement, extra: str = "", *, load: bool = False) -> Package:
    """Check one requirement.

    Examples
    --------
    >>> check_package(Requirement("numpy>=999")).problem.endswith("pip install 'numpy>=999'")
    True
    >>> check_package(Requirement("no-such-package-at-all")).found
    ''
    """
    name, wanted = requirement.name, str(requirement.specifier)
    repair = f"pip install '{name}{wanted}'"
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Package(name, wanted, "", extra, f"is not installed. Run: {repair}")
    problem = ""
    if not requirement.specifier.contains(found, prereleases=True):
        problem = f"version {found} is not {wanted}. Run: {repair}"
    elif load:
        problem = _import_problem(name)
    return Package(name, wanted, found, extra, problem)


def _requirements() -> Iterator[tuple[Requirement, str]]:
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError as error:
        raise ModuleNotFoundError(
            f"{DISTRIBUTION} is not installed here. Run: pip install -e . in its folder."
        ) from error
    for line in lines:
        requirement = Requirement(line)
        found = re.search(r"extra == ['\"]([\w-]+)['\"]", str(requirement.marker or ""))
        extra = found[1] if found else ""
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement, extra


def _import_problem(name: str) -> str:
    """What goes wrong when a package is imported; a broken binary may raise anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module(IMPORT_NAMES.get(name, name.replace("-", "_")))
        except Exception as error:
            return f"is installed but can't be imported: {' '.join(str(error).split())}"
    return ""
