"""From cells to one table and one gallery: over people and seeds, contenders side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurodecode.evidence import ProtocolResult, Run, write_results
from neurodecode.gallery import GalleryItem, write_gallery
from neurodecode.study._decide import Decision, decide
from neurodecode.study._folder import CellFolder
from neurodecode.study._pooled import Pool, Pooled, pooled_result
from neurodecode.study._record import StudyRecord


def collect(out: str | Path) -> dict[str, Any]:
    """Write ``results.json`` and ``index.html`` of all cells that are done.

    Parameters
    ----------
    out : path
        Folder of a study, whole or not.

    Returns
    -------
    dict
        The content of ``results.json``: a protocol each, with the first contender's scores, the
        others among its controls, every contender's own scores under ``contenders``; and the
        ``claims`` with their verdicts. ``cells`` says how many of how many are in it.

    Raises
    ------
    FileNotFoundError
        If the folder holds no study.
    ValueError
        If no cell is done.
    """
    record, folder = StudyRecord.read(out), CellFolder(Path(out))
    pools = _pools(record, folder)
    if not pools:
        raise ValueError(f"No cell of the study in {out} is done yet. Run it first.")
    protocols = [_protocol(record, pools, name) for name in record.protocols]
    decisions = [decide(claim, pools) for claim in record.claims]
    run = _run(pools)
    results = write_results(
        out,
        record.name,
        [one for one in protocols if one is not None],
        run,
        {
            "question": record.question,
            "source": record.source,
            "simulated": record.simulated,
            "claims": [one.as_json() for one in decisions],
            "cells": _counts(record, folder),
        },
    )
    title = record.question + (" (simulated)" if record.simulated else "")
    write_gallery(out, _cards(record, pools), results, title=title)
    return results


def claims_text(results: Mapping[str, Any]) -> str:
    """The claims of a study and what became of them, a line each.

    Examples
    --------
    >>> claims_text({"claims": [{"verdict": "holds", "claim": "a beats b", "told": ".1"}]})
    'holds: a beats b (.1)'
    """
    claims: Sequence[Mapping[str, str]] = results.get("claims", [])
    return "\n".join(f"{one['verdict']}: {one['claim']} ({one['told']})" for one in claims)


def _pools(record: StudyRecord, folder: CellFolder) -> dict[Pooled, Pool]:
    """The outcomes of each protocol and contender under one another."""
    pools = {}
    for protocol in record.protocols:
        for contender in record.contenders:
            cells = record.of_protocol(protocol, contender)
            done = [(cell, folder.read(cell)) for cell in cells if folder.done(cell)]
            if done:
                pools[Pooled(protocol, contender)] = Pool.of(done, record.simulated)
    return pools


def _protocol(
    record: StudyRecord, pools: Mapping[Pooled, Pool], protocol: str
) -> ProtocolResult | None:
    there = [name for name in record.contenders if Pooled(protocol, name) in pools]
    if not there:
        return None
    main, *others = there
    beside = {name: pools[Pooled(protocol, name)] for name in others}
    result = pooled_result(
        protocol, pools[Pooled(protocol, main)], beside, closed_forms=record.closed_forms
    )
    each = {
        name: pooled_result(protocol, pools[Pooled(protocol, name)], {}, closed_forms=())
        for name in there
    }
    scores = {
        name: {metric: score.as_json() for metric, score in one.scores.items()}
        for name, one in each.items()
    }
    details = {**result.details, "contender": main, "contenders": scores}
    return replace(result, details=details)


def _cards(record: StudyRecord, pools: Mapping[Pooled, Pool]) -> Iterator[GalleryItem]:
    """What the first contender decoded, with what others decoded of the same stimulus beside."""
    for protocol in record.protocols:
        there = [name for name in record.contenders if Pooled(protocol, name) in pools]
        if not there:
            continue
        main, *others = there
        beside = {name: pools[Pooled(protocol, name)].cards() for name in others}
        for key, card in pools[Pooled(protocol, main)].cards().items():
            more = {name: cards[key].decoded[0] for name, cards in beside.items() if key in cards}
            tags = {**card.tags, "protocol": protocol, "seed": str(key[0])}
            yield replace(card, controls={**more, **card.controls}, tags=tags)


def _counts(record: StudyRecord, folder: CellFolder) -> dict[str, int]:
    done = sum(folder.done(cell) for cell in record.cells)
    return {"done": done, "planned": len(record.cells)}


def _run(pools: Mapping[Pooled, Pool]) -> Run:
    """Seeds, data and looks of all cells."""
    run = Run(seed=min(pool.seeds[0] for pool in pools.values()))
    for pool in pools.values():
        for told in pool.runs:
            run.take_over(told)
    return run


__all__ = ["Decision", "claims_text", "collect"]
