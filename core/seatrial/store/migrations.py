"""Formats of checkpoints: the present one, and the steps that lead there from older ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from seatrial.errors import CheckpointError

__all__ = ["FORMAT", "MIGRATIONS", "Migration", "migrated"]

FORMAT = 1
"""The format that is written."""
Migration: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the body of one format into the next one's."""
MIGRATIONS: dict[int, Migration] = {}
"""The step that leads on from each format. The first format has none yet to follow it."""


def migrated(
    path: object, body: bytes, written: int, *, present: int = FORMAT, steps: Mapping[int, Migration] | None = None
) -> bytes:
    """Return a body of format `written` in the `present` one.

    :raises CheckpointError: where a step is missing.
    """
    if written == present:
        return body
    known = MIGRATIONS if steps is None else steps
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise CheckpointError(path, f"it is no JSON ({error})") from None
    for number in range(written, present):
        step = known.get(number)
        if step is None:
            raise CheckpointError(
                path, f"no step leads from its format {number} to {number + 1}; load it with an older release"
            )
        try:
            value = step(value)
        except Exception as error:  # whatever a stranger's code raises becomes an error of ours
            problem = f"the step from its format {number} to {number + 1} failed ({type(error).__name__}: {error})"
            raise CheckpointError(path, problem) from error
    return msgspec.json.encode(value)
