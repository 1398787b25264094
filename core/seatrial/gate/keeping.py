"""How rules, observers and strategies have their own state kept, and under which names.

`save_state()` gives JSON, `load_state()` takes it back.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from math import isfinite
from typing import cast

import msgspec

from seatrial.errors import InvalidConfigError

__all__ = ["as_json", "load_state", "save_state", "unique"]


def unique(name: str, taken: Container[str]) -> str:
    """Return a name that nobody has yet: `name` itself, else `name#2`, `name#3` and so on.

    >>> unique("tally", {"tally", "tally#2"})
    'tally#3'
    """
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name}#{count}"
    return free


def as_json(value: object) -> msgspec.Raw:
    """Return a value as JSON, one member per line, so that two checkpoints can be compared."""
    return msgspec.Raw(msgspec.json.format(msgspec.json.encode(value), indent=1))


def save_state(setting: str, name: str, thing: object) -> msgspec.Raw | None:
    """Return the state of `thing` as JSON; `None` for one that keeps none.

    :raises InvalidConfigError: naming it, for a state that is no JSON value.
    """
    save = getattr(thing, "save_state", None)
    if not callable(save):
        return None
    try:
        value = save()
        _check_numbers(value)
        return as_json(value)
    except InvalidConfigError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"its save_state() returns no JSON value ({error}); return dicts, lists, str and numbers"
        raise InvalidConfigError(setting, name, problem) from None


def load_state(setting: str, name: str, thing: object, state: msgspec.Raw) -> None:
    """Hand `thing` the state that :func:`save_state` returned.

    :raises InvalidConfigError: naming it, where it takes none.
    """
    load = getattr(thing, "load_state", None)
    if not callable(load):
        raise InvalidConfigError(setting, name, "it has a state in the checkpoint, but no load_state()")
    try:
        load(msgspec.json.decode(state))
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        problem = f"its load_state() failed ({type(error).__name__}: {error})"
        raise InvalidConfigError(setting, name, problem) from error


def _check_numbers(value: object) -> None:
    """Refuse what JSON has no word for, and would turn into nothing.

    :raises ValueError: for a NaN or an infinite number, however deep.
    """
    if isinstance(value, float) and not isfinite(value):
        message = f"{value} is no JSON number"
        raise ValueError(message)
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            _check_numbers(key)
            _check_numbers(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in cast("Iterable[object]", value):
            _check_numbers(item)
