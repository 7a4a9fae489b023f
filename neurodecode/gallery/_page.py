"""One HTML page from the content of a gallery: no request leaves it, all text is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from neurodecode.evidence import methods_paragraph, simulated_sentence
from neurodecode.gallery._scores import control_note, finite, label, number, p_value, rows

SCRIPTS = ("start.js", "theme.js", "filters.js", "grid.js", "details.js")
PAGE_SIZE = 96
NO_SCRIPT_ITEMS = 48
FIRST_ITEMS = 6
SHORT_FACT = 60
KNOWN_FACTS = {
    "split": "Split",
    "recording": "Recordings",
    "kept_apart": "Kept apart between training and test",
    "test_looks": "Looks at the test part",
    "seed": "Seed",
    "seconds": "Seconds",
    "peak_rss_mb": "Peak memory (MB)",
    "git_commit": "Git commit",
    "versions": "Versions",
}
NOT_FACTS = {"experiment", "protocols", "simulated", "sources", "methods"}


def render(content: Mapping[str, Any]) -> str:
    """The page of a gallery, from the content of its ``gallery.json``.

    Sources
    -------
    Content Security Policy Level 3, W3C: hashes of inline script and style.
    """
    results = content["results"]
    style, script = _asset("gallery.css"), _script()
    names = sorted({item["subject"] for item in content["items"]})
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=content["title"],
            experiment=results.get("experiment", ""),
            simulated=simulated_sentence(results),
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            data=_data(content),
            items=content["items"],
            first_items=(first := _first(content["items"])),
            first_control=_first_control(first),
            item_controls=list(
                dict.fromkeys(n for item in content["items"] for n in item["controls"])
            ),
            no_script_items=content["items"][:NO_SCRIPT_ITEMS],
            n_stimuli=len({item["stimulus"] for item in content["items"]}),
            subjects=names,
            figures=content["figures"],
            protocols=(made := [_protocol(*one) for one in results["protocols"].items()]),
            judged=[(one["name"], row) for one in made for row in one["rows"] if row.judgement],
            control_names=list(_control_names(content)),
            methods=methods_paragraph(dict(results)),
            facts=list(_facts(results)),
        )
    )


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("neurodecode.gallery", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}
    made.filters |= {"number": number, "p_value": p_value, "label": label, "note": control_note}
    return made


def _asset(name: str) -> str:
    source = resources.files("neurodecode.gallery") / "templates" / name
    return source.read_text(encoding="utf-8")


def _script() -> str:
    parts = "\n".join(_asset(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded but the folder's own pictures; only our own script and style run."""

    def hashed(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        "default-src 'none'; img-src 'self' file: data:; "
        f"style-src 'sha256-{hashed(style)}'; script-src 'sha256-{hashed(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _first(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first person's first items by stimulus id, where they are pictures or clips."""
    return [
        item
        for item in items
        if item["subject"] == items[0]["subject"]
        and "file" in item["truth"]
        and "file" in item["decoded"][0]
    ][:FIRST_ITEMS]


def _first_control(items: list[dict[str, Any]]) -> str:
    """The first control that all of these items have as a picture; the ceiling is none."""
    for name in items[0]["controls"] if items else ():
        pictures = all("file" in item["controls"].get(name, {}) for item in items)
        if pictures and "ceiling" not in name.lower():
            return str(name)
    return ""


def _protocol(name: str, protocol: Mapping[str, Any]) -> dict[str, Any]:
    made = rows(protocol)
    names = dict.fromkeys(control for row in made for control in row.controls)
    more = {
        key: _words(value)
        for key, value in protocol.items()
        if key not in ("scores", "controls", "name") and value not in (None, "", [], {})
    }
    return {
        "name": name,
        "rows": made,
        "judged": any(row.judgement for row in made),
        "controls": list(names),
        "short": {key: value for key, value in more.items() if len(value) <= SHORT_FACT},
        "long": {key: value for key, value in more.items() if len(value) > SHORT_FACT},
    }


def _control_names(content: Mapping[str, Any]) -> Iterator[str]:
    protocols = content["results"]["protocols"].values()
    seen = dict.fromkeys(name for item in content["items"] for name in item["controls"])
    yield from seen | dict.fromkeys(name for one in protocols for name in one.get("controls") or {})


def _data(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's script works on."""
    items = content["items"]
    metrics = dict.fromkeys(name for item in items for name in item["scores"])
    controls = dict.fromkeys(name for item in items for name in item["controls"])
    chance: dict[str, float] = {}
    for protocol in content["results"]["protocols"].values():
        for row in rows(protocol):
            value = finite(row.score["chance"])
            if value is not None:
                chance.setdefault(row.metric, value)
    return {
        "items": items,
        "pageSize": PAGE_SIZE,
        "seed": content["order_seed"],
        "metrics": [
            {"name": name, "label": label(name), "chance": chance.get(name)} for name in metrics
        ],
        "controls": {name: {"label": label(name), "note": control_note(name)} for name in controls},
    }


def _facts(results: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What else the results say, known things first, anything unknown under its own name."""
    for key, name in KNOWN_FACTS.items():
        if results.get(key) not in (None, "", {}, []):
            yield name, _words(results[key])
    for key, value in results.items():
        if key not in KNOWN_FACTS and key not in NOT_FACTS and value not in (None, "", {}, []):
            yield label(key).capitalize(), _words(value)


def _inner(value: Any) -> str:
    return f"({_words(value)})" if isinstance(value, Mapping) else _words(value)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(
            f"{str(key).replace('_', ' ')}: {_inner(one)}" for key, one in value.items()
        )
    if isinstance(value, (list, tuple)):
        shown = ", ".join(_words(one) for one in value[:12])
        return shown if len(value) <= 12 else f"{shown} and {len(value) - 12} more"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
