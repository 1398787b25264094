"""How much of their limits rules have used at most, as far as their `headroom()` can be believed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, cast

from seatrial.contracts._text import holds, said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.gate.rules import OpenRule

__all__ = ["Use", "headroom_of"]

Use = tuple[str, str, Decimal, Decimal]
"""A rule's name, what is limited, the most of it that was used, and the limit."""


def headroom_of(rules: Iterable[OpenRule]) -> tuple[list[Use], list[str]]:
    """Return what `rules` tell, and a warning for each that fails to and is left out."""
    found: list[Use] = []
    warnings: list[str] = []
    for rule in rules:
        tell = getattr(rule.rule, "headroom", None)
        if not callable(tell):
            continue
        try:
            found += [(rule.name, *_use(one)) for one in cast("Iterable[object]", tell())]
        except Exception as error:  # noqa: BLE001 - whatever a stranger's rule raises, the record is written
            problem = f"its headroom() failed ({said(error)}); return (what, most used, limit), the numbers as Decimal"
            warnings.append(f"rule {rule.name!r} is left out of the headroom: {problem}")
    return found, warnings


def _use(told: object) -> tuple[str, Decimal, Decimal]:
    """Return what a rule told, if it is what it should be.

    :raises TypeError: for anything else.
    """
    match told:
        case (str() as what, Decimal() | int() as used, Decimal() | int() as limit) if holds(what):
            if not isinstance(used, bool) and not isinstance(limit, bool):
                numbers = Decimal(used), Decimal(limit)
                if all(number.is_finite() for number in numbers):
                    return what, *numbers
        case _:
            pass
    message = f"it told {told!r}"
    raise TypeError(message)
