"""What the rules of a run did, and how near it came to their limits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from seatrial.contracts.events import (
    CancelRefused,
    ModifyRefused,
    OrderCancelled,
    OrderDenied,
    OrderRejected,
    TradingStateChanged,
)
from seatrial.gate.rules import chosen_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.engine import Headroom
    from seatrial.contracts.events import Event
    from seatrial.contracts.rejection import Rejection
    from seatrial.contracts.risk import RiskConfig

__all__ = ["RuleUse", "configured_rules", "count_rules"]

_HUNDRED = Decimal(100)


class RuleUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule did.

    `refused` counts the orders and changes refused in its name, those that met its latch included; `tripped` how often
    it changed the trading state. `value` and `limit` are the numbers it compared that lay furthest apart, in its own
    unit, and `beyond_pct` how far the value lay beyond the limit, above a ceiling or below a floor, in per cent of the
    limit. They are `None` where it compared none, the last one also for a limit of zero. `used_pct` is the most of its
    limit, in per cent, that it ever let through: the worst headroom of the run, `None` for rules that do not tell.
    """

    rule: str
    refused: int = 0
    tripped: int = 0
    value: Decimal | None = None
    limit: Decimal | None = None
    beyond_pct: Decimal | None = None
    used_pct: Decimal | None = None


def configured_rules(risk: RiskConfig | None) -> tuple[str, ...]:
    """Return the names of a configuration's rules, in the order in which they are asked."""
    return () if risk is None else tuple(chosen_rules(risk))


def count_rules(
    events: Iterable[Event], configured: Iterable[str] = (), headroom: Iterable[Headroom] = ()
) -> tuple[RuleUse, ...]:
    """Return what each rule did: those `configured` first, whatever they did, then all others that refused anything."""
    uses = {name: RuleUse(rule=name) for name in configured}
    for event in events:
        if isinstance(event, TradingStateChanged):
            refusal, trips = event.cause, 1
        elif isinstance(event, OrderDenied | OrderRejected | OrderCancelled | CancelRefused | ModifyRefused):
            refusal, trips = event.rejection, 0
        else:
            continue
        if refusal is not None and refusal.rule is not None:
            uses[refusal.rule] = _after(uses.get(refusal.rule) or RuleUse(rule=refusal.rule), refusal, trips)
    for use in headroom:
        if use.rule in uses and use.limit:
            used = max(uses[use.rule].used_pct or Decimal(0), use.used * _HUNDRED / use.limit)
            uses[use.rule] = replace(uses[use.rule], used_pct=used)
    return tuple(uses.values())


def _after(use: RuleUse, refusal: Rejection, trips: int) -> RuleUse:
    refused, tripped = use.refused + 1 - trips, use.tripped + trips
    value, limit = use.value, use.limit
    if refusal.value is not None and refusal.limit is not None:
        value, limit = max((value, limit), (refusal.value, refusal.limit), key=_distance)
    beyond = None if value is None or not limit else abs((value - limit) / limit) * _HUNDRED
    return RuleUse(rule=use.rule, refused=refused, tripped=tripped, value=value, limit=limit, beyond_pct=beyond)


def _distance(numbers: tuple[Decimal | None, Decimal | None]) -> tuple[bool, bool, Decimal]:
    """Rank a comparison: none at all, then by the share of the limit, then what met a limit of zero."""
    value, limit = numbers
    if value is None or limit is None:
        return False, False, Decimal(0)
    return True, not limit, abs((value - limit) / limit) if limit else abs(value)
