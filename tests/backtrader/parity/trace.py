"""What a run did, as text that loses nothing, and the first place where two runs part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

__all__ = ["Entry", "Trace", "assert_same", "exact"]

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_PLAIN = frozenset({int, bool, type(None)})


class Entry(NamedTuple):
    """One thing that was seen: where in the run, what it was, and its fields."""

    at: str
    kind: str
    fields: Mapping[str, str]


Trace = list[Entry]


def exact(value: object) -> str:
    """Return `value` as text: a float as its hexadecimal digits, so that no bit is rounded away.

    Of what has no value of its own, a feed or an order, only the type counts.
    """
    if type(value) in _PLAIN:  # most are, and the questions below take time
        return repr(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, str):
        return _ADDRESS.sub("0x…", value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{exact(key)}: {exact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(exact, value)) + "]"
    text = repr(value)
    return type(value).__name__ if _ADDRESS.search(text) else text


def _readable(text: str | None) -> str:
    if text is None:
        return "nothing"
    try:
        return f"{text} ({float.fromhex(text)!r})" if "0x" in text else text
    except ValueError:
        return text


def _differences(expected: Entry, found: Entry) -> Iterator[str]:
    if (expected.at, expected.kind) != (found.at, found.kind):
        yield f"{found.kind} at {found.at} {dict(found.fields)}, expected {expected.kind} {dict(expected.fields)}"
        return
    for name in dict.fromkeys((*expected.fields, *found.fields)):
        one, other = expected.fields.get(name), found.fields.get(name)
        if one != other:
            yield f"{found.kind}, {name}: {_readable(other)}, expected {_readable(one)}"
    if list(expected.fields) != list(found.fields):
        yield f"{found.kind}: fields in the order {list(found.fields)}, expected {list(expected.fields)}"


def assert_same(expected: Iterable[Entry], found: Iterable[Entry], about: str = "") -> None:
    """Compare two traces.

    :raises AssertionError: they differ; it names the place, the field and both values of the first difference.
    """
    for number, (one, other) in enumerate(zip_longest(expected, found)):
        if one == other and one is not None and list(one.fields) == list(other.fields):
            continue
        if one is None or other is None:
            rest = one or other
            raise AssertionError(f"{about}: entry {number} {'is missing' if one else 'is one too many'}: {rest}")
        raise AssertionError(f"{about}: {one.at}, entry {number}: {next(_differences(one, other))}")
