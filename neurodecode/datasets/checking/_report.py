"""The look at a data set as a whole, and its report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from neurodecode.datasets._files import existing
from neurodecode.datasets.checking import _manifest as manifests
from neurodecode.datasets.checking._facts import Facts, measure, suspects, wrongs
from neurodecode.datasets.checking._layouts import recognise
from neurodecode.datasets.checking._pieces import Piece, Source

COLUMNS = ("what", "rows", "shape", "rate", "unit", "range", "state")
Watch = Callable[[Sequence[Source]], Iterable[Source]]


@dataclass(frozen=True)
class Finding:
    """Something about a part of a data set.

    Parameters
    ----------
    part : str
    kind : {'wrong', 'suspect'}
        Suspect is what may be meant so.
    text : str

    Examples
    --------
    >>> Finding("sub-01", "wrong", "all values are 0").kind
    'wrong'
    """

    part: str
    kind: Literal["wrong", "suspect"]
    text: str


@dataclass
class Report:
    """What a look at a data set found.

    Parameters
    ----------
    path : Path
    layout : str
    rows : list of tuple of str
        The table, by `COLUMNS`.
    findings : list of Finding
    fingerprints : dict of str to str
        SHA-256 by file, where they were asked for.

    Examples
    --------
    >>> Report(Path("x"), "files").ok
    True
    """

    path: Path
    layout: str
    rows: list[tuple[str, ...]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; suspects do not count."""
        return not any(one.kind == "wrong" for one in self.findings)


def check(
    path: str | Path,
    *,
    manifest: str | Path | None = None,
    verify: str | Path | None = None,
    watch: Watch | None = None,
) -> Report:
    """Read a data set to its end and tell what is in it and what is wrong.

    Parameters
    ----------
    path : path
        A folder of any layout that a reader here knows, a BIDS folder, a store, any folder of
        files, or one file.
    manifest : path, optional
        Write the fingerprint of every file there.
    verify : path, optional
        Compare every file with the fingerprints there.
    watch : callable, optional
        Wraps the parts while they are read, as `rich.progress.track` does.

    Returns
    -------
    Report

    Raises
    ------
    FileNotFoundError
        If there is nothing at ``path``, or no manifest at ``verify``.
    CorruptFileError
        If the manifest itself is damaged.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "betas.npy", np.array([[1.0, np.nan], [2.0, 3.0], [3.0, 4.0]]))
    >>> [one.text for one in check(folder).findings]
    ['1 values are not finite (NaN or infinite)']
    """
    root = existing(path, "file or folder")
    stated = None if verify is None else manifests.read_manifest(verify)
    layout = recognise(root)
    report = Report(root, layout.name)
    try:
        sources = layout.sources(root)
    except Exception as error:
        report.findings.append(_failure(layout.name, error))
        sources = []
    for source in sources if watch is None else watch(sources):
        _look(source, report)
    if not report.rows and report.ok:
        report.findings.append(Finding(str(root), "wrong", "nothing in it can be read as data"))
    _compare(report, manifest, verify, stated)
    return report


def _look(source: Source, report: Report) -> None:
    """Read one part; what its reader says goes into the report."""
    heard = _Heard()
    logger = logging.getLogger("neurodecode")
    logger.addHandler(heard)
    passed_on, logger.propagate = logger.propagate, False
    try:
        pieces = list(source.load())
        for piece in pieces:
            _measure(source.name, piece, report)
        if not pieces:
            report.rows.append((source.name, "", "", "", "", "", "readable"))
    except Exception as error:  # a broken part must not hide what is wrong with the others
        report.findings.append(_failure(source.name, error))
        report.rows.append((source.name, "", "", "", "", "", "WRONG"))
    finally:
        logger.removeHandler(heard)
        logger.propagate = passed_on
    report.findings += [Finding(source.name, "suspect", text) for text in heard.said]


def _measure(name: str, piece: Piece, report: Report) -> None:
    facts = measure(piece)
    said = [Finding(name, "wrong", text) for text in wrongs(piece, facts)]
    said += [Finding(name, "suspect", text) for text in suspects(piece, facts)]
    kinds = {one.kind for one in said}
    state = "WRONG" if "wrong" in kinds else "suspect" if kinds else "good"
    report.rows.append(_row(name, piece, facts, state))
    report.findings += said


def _row(name: str, piece: Piece, facts: Facts, state: str) -> tuple[str, ...]:
    label = f"{name}: {piece.name}" if piece.name not in ("", name) else name
    shape = " x ".join(map(str, facts.shape))
    return (
        label, f"{facts.shape[0]} {piece.rows}s", shape, piece.rate, piece.unit,
        f"{facts.low:.4g} to {facts.high:.4g}", state,
    )  # fmt: skip


def _failure(part: str, error: Exception) -> Finding:
    return Finding(part, "wrong", " ".join(str(error).split()) or type(error).__name__)


def _compare(
    report: Report,
    manifest: str | Path | None,
    verify: str | Path | None,
    stated: dict[str, str] | None,
) -> None:
    if manifest is None and stated is None:
        return
    own = {Path(one).resolve() for one in (manifest, verify) if one is not None}
    files = [file for file in manifests.files_in(report.path) if file.resolve() not in own]
    for file in files:
        try:
            report.fingerprints |= dict(manifests.fingerprints(report.path, [file]))
        except (ValueError, OSError) as error:
            report.findings.append(_failure(file.name, error))
    if stated is not None:
        for name, state in manifests.compare(stated, report.fingerprints).items():
            kind: Literal["wrong", "suspect"] = "suspect" if state == "not in it" else "wrong"
            report.findings.append(Finding(name, kind, f"by the manifest {verify}: {state}"))
    if manifest is not None:
        manifests.write_manifest(manifest, report.fingerprints)


class _Heard(logging.Handler):
    """Keeps what readers warn of, for the report."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
