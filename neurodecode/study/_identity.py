"""What makes a cell this cell: data, configuration and code, as JSON and as a hash."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import neurodecode


def described(value: Any) -> Any:
    """A configuration in what JSON can hold, the same for equal configurations.

    Classes are named, parameters of estimators and fields of dataclasses are entered; an array is
    its hash.

    Raises
    ------
    TypeError
        If a part has no stable description, such as a lambda.

    Examples
    --------
    >>> from neurodecode.training import Plan
    >>> described(Plan(max_epochs=3))["max_epochs"]
    3
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): described(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        parts = [described(one) for one in value]
        return sorted(parts, key=repr) if isinstance(value, set | frozenset) else parts
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        return {"array": hashlib.blake2b(value.tobytes(), digest_size=8).hexdigest()}
    return _of_object(value)


def _of_object(value: Any) -> Any:
    if isinstance(value, partial):
        return {"call": described(value.func), "arguments": described([value.args, value.keywords])}
    if isinstance(value, type) or inspect.isroutine(value):
        if "<" in value.__qualname__:
            raise TypeError(
                f"A study can't tell {value.__qualname__} of {value.__module__} from another: name "
                f"it by a function or class at the top level of a module."
            )
        return f"{value.__module__}.{value.__qualname__}"
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if hasattr(value, "get_params"):
        return {"class": name, **described(value.get_params(deep=False))}
    if dataclasses.is_dataclass(value):
        fields = [one.name for one in dataclasses.fields(value) if one.init and one.repr]
        return {"class": name, **{key: described(getattr(value, key)) for key in fields}}
    plain: Any = object.__repr__
    if type(value).__repr__ is plain:
        given = {key: one for key, one in vars(value).items() if not key.startswith("_")}
        return {"class": name, **described(given)}
    return {"class": name, "repr": repr(value)}


def hashed(identity: Mapping[str, Any]) -> str:
    """The key of an identity.

    Examples
    --------
    >>> hashed({"seed": 0}) == hashed({"seed": 0}), hashed({"seed": 0}) == hashed({"seed": 1})
    (True, False)
    """
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@cache
def code_version() -> str:
    """A hash of all source files of this package: other code gives other cells.

    Examples
    --------
    >>> len(code_version())
    16
    """
    digest = hashlib.blake2b(digest_size=8)
    root = Path(neurodecode.__file__).parent
    for file in _sources(root):
        digest.update(file.relative_to(root).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(root: Path) -> list[Path]:
    """All modules, those behind the links of a checkout too."""
    found = list(root.rglob("*.py"))
    for link in (one for one in root.iterdir() if one.is_symlink() and one.is_dir()):
        found += [link / one.relative_to(link.resolve()) for one in link.resolve().rglob("*.py")]
    return sorted(set(found))


def differences(before: Mapping[str, Any], now: Mapping[str, Any], place: str = "") -> list[str]:
    """What differs between two identities, in words.

    Examples
    --------
    >>> differences({"seed": 0, "code": "a"}, {"seed": 1, "code": "a"})
    ['seed was 0, is 1']
    """
    out = []
    for key in dict.fromkeys([*before, *now]):
        then, new = before.get(key), now.get(key)
        where = f"{place}{key}"
        if isinstance(then, Mapping) and isinstance(new, Mapping):
            out += differences(then, new, f"{where}.")
        elif then != new:
            out.append(f"{where} was {_short(then)}, is {_short(new)}")
    return out


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."
