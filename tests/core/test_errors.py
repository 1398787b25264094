"""Errors travel: a worker process tells its parent what went wrong, with every value."""

from __future__ import annotations

import inspect
import pickle
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import SeatrialError

if TYPE_CHECKING:
    from collections.abc import Iterator

for _module in ("cli.folder", "cli.problems", "report.picture", "report.why"):
    import_module(f"seatrial.{_module}")  # errors that are defined beside what raises them

_SAMPLES = {
    "str": "some text",
    "Sequence[str]": ("p", "q"),
    "int": 3,
    "int | None": 7,
    "object": (1, "x"),
    "tuple[str, ...]": ("a", "b"),
}


def _all(kind: type[SeatrialError]) -> Iterator[type[SeatrialError]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("seatrial."):
            yield one
            yield from _all(one)


def _made(kind: type[SeatrialError]) -> SeatrialError:
    takes = list(inspect.signature(kind).parameters.values()) if "__init__" in vars(kind) else []
    return kind(*[_SAMPLES[one.annotation] for one in takes if one.kind is one.POSITIONAL_OR_KEYWORD])


_KINDS = {kind.__name__: kind for kind in _all(SeatrialError)}


@pytest.mark.parametrize("kind", [_KINDS[name] for name in sorted(_KINDS)])
def test_an_error_comes_back_from_another_process_as_it_was(kind: type[SeatrialError]) -> None:
    """Class, message and values survive pickling; one that cannot be read lets a pool of workers wait for ever."""
    error = _made(kind)
    error.add_note("a note")

    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - what was written here

    assert type(back) is kind
    assert str(back) == str(error)
    assert (back.args, vars(back)) == (error.args, vars(error))
