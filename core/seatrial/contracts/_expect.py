"""Type checks at the front door, for callers without a type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from types import UnionType

__all__ = ["expect"]


def expect(setting: str, value: object, kind: type | UnionType, hint: str) -> None:
    """Refuse a setting of another kind; a bool is no number.

    :raises InvalidConfigError: naming the setting, with `hint` for what to give.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidConfigError(setting, value, f"give {hint}")
