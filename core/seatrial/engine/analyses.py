"""What an engine's own analyses found, as a record keeps it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: keys as text, times as ISO, numbers that are none as null."""
    if isinstance(value, Mapping):
        return {_key(key): plain(one) for key, one in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in cast("Iterable[object]", value)]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    item = getattr(value, "item", None)  # a NumPy number
    return plain(item()) if callable(item) else str(value)


def _key(key: Any) -> str:
    return key.isoformat() if isinstance(key, dt.date | dt.datetime) else str(key)
