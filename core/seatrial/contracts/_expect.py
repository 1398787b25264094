"""Type checks at the front door, for callers without a type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts._text import REMEDY, holds
from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from types import UnionType

__all__ = ["check_text", "expect"]


def expect(setting: str, value: object, kind: type | UnionType, hint: str) -> None:
    """Refuse a setting of another kind; a bool is no number.

    :raises InvalidConfigError: naming the setting, with `hint` for what to give.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidConfigError(setting, value, f"give {hint}")


def check_text(setting: str, value: str) -> None:
    """Refuse text that no file could hold.

    :raises InvalidConfigError: naming the setting.
    """
    if not holds(value):
        raise InvalidConfigError(setting, value, f"UTF-8 cannot hold it; {REMEDY}")
