"""How rules, observers and strategies have their own state kept, and under which names.

`save_state()` gives a JSON value, `load_state()` takes it back, equal to what was given: what JSON would bring back as
something else is refused.
"""

from __future__ import annotations

from collections.abc import Container
from math import isfinite
from typing import cast

import msgspec

from seatrial.contracts._text import holds, said
from seatrial.errors import InvalidConfigError

__all__ = ["as_json", "as_state", "load_state", "save_state", "unique"]

_TAKEN = "return None, bool, int, finite float, str, and lists and dicts (with str keys) of these"


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


def as_state(setting: str, name: str, value: object) -> msgspec.Raw:
    """Return as JSON what a `save_state()` returned; one of :class:`msgspec.Raw` is JSON already.

    :raises InvalidConfigError: naming whose it is and where in it, for what JSON does not bring back equal.
    """
    try:
        text = msgspec.json.encode(value)
        if isinstance(value, msgspec.Raw) or msgspec.json.decode(text) == value:
            return msgspec.Raw(msgspec.json.format(text, indent=1))
        odd = _odd(value)
    except Exception as error:  # noqa: BLE001 - a state is a stranger's
        odd = "it holds itself" if isinstance(error, RecursionError) else _odd(value) or said(error)
    raise InvalidConfigError(setting, name, f"its save_state() returns no JSON value ({odd}); {_TAKEN}")


def save_state(setting: str, name: str, thing: object) -> msgspec.Raw | None:
    """Return the state of `thing` as JSON; `None` for one that keeps none.

    :raises InvalidConfigError: naming it, for a state that is no JSON value.
    """
    save = getattr(thing, "save_state", None)
    if not callable(save):
        return None
    try:
        value = save()
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        raise InvalidConfigError(setting, name, f"its save_state() failed ({said(error)})") from error
    return as_state(setting, name, value)


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
        raise InvalidConfigError(setting, name, f"its load_state() failed ({said(error)})") from error


def _odd(value: object, place: str = "") -> str:
    """Return what in `value` does not come back from JSON as it went, and where; empty where all does."""
    if isinstance(value, list):
        items = enumerate(cast("list[object]", value))
        return next((odd for n, item in items if (odd := _odd(item, f"{place}[{n}]"))), "")
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value).items()
        return next(
            (odd for key, item in pairs if (odd := _odd_key(key, place) or _odd(item, f"{place}[{key!r}]"))), ""
        )
    odd = ""
    if isinstance(value, str):
        odd = "" if holds(value) else f"{value!r} is no text that UTF-8 holds"
    elif isinstance(value, float):
        odd = "" if isfinite(value) else f"{value} is no JSON number"
    elif not isinstance(value, int | None):
        odd = _kind(value)
    return f"at {place}: {odd}" if odd and place else odd


def _odd_key(key: object, place: str) -> str:
    if isinstance(key, str):
        return _odd(key, place)
    return f"at {place}: " * bool(place) + f"the key {key!r} is {_kind(key)}"


def _kind(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[:1] in set('aeiou') else 'a'} {kind}"
