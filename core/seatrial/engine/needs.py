"""What a scenario asks of an engine, so that whoever cannot do it can say so before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.engine import Capability
from seatrial.contracts.latency import Constant, Leg
from seatrial.contracts.market import Bar, Quote
from seatrial.contracts.scenario import DataKind, ModifyAt, SubmitAt, SwitchAt
from seatrial.contracts.terms import OrderType
from seatrial.contracts.venue import AccountType, Convention, FeeSchedule, LimitFill
from seatrial.data.tape import has_bars
from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from seatrial.contracts.latency import LatencyConfig
    from seatrial.contracts.orders import Order
    from seatrial.contracts.scenario import Scenario, Tape
    from seatrial.contracts.venue import VenueConfig

__all__ = ["needs_of", "refuse_unclaimed"]

_KINDS = {
    DataKind.BARS: Capability.BARS,
    DataKind.QUOTES: Capability.QUOTES,
    DataKind.TRADES: Capability.TRADES,
}
_ACCOUNTS = {AccountType.CASH: Capability.CASH_ACCOUNT, AccountType.MARGIN: Capability.MARGIN_ACCOUNT}
_CONVENTIONS = {Convention.STANDING: Capability.STANDING, Convention.NEXT: Capability.NEXT}
_LEGS = {leg: Capability(f"delay_{leg}") for leg in Leg}
_NO_FEES = FeeSchedule()


def needs_of(scenario: Scenario) -> frozenset[Capability]:
    """Return the capabilities without which an engine must refuse a scenario.

    What a strategy will ask for cannot be seen from here; an order that an engine does not take it refuses one by one,
    as `unsupported`.
    """
    execution = scenario.execution
    needs = {*_of_tape(scenario.tape), *_of_venue(execution.venue), *_of_script(scenario)}
    needs |= {_LEGS[leg] for leg in Leg if leg is not Leg.MODIFY and _delays(execution.latency, leg)}
    modifies = any(isinstance(step, ModifyAt) for step in scenario.script)
    if (modifies or execution.latency.modify is not None) and _delays(execution.latency, Leg.MODIFY):
        needs.add(Capability.DELAY_MODIFY)
    if execution.venue.bar_theta == 0 and has_bars(scenario.tape):
        needs.add(Capability.BAR_STRICT)
    if execution.risk is not None:
        needs.add(Capability.RISK_RULES)
    if execution.checkpoint_every != "never" or scenario.resume_from is not None:
        needs.add(Capability.CHECKPOINTS)
    if scenario.strategy is not None:
        needs.add(Capability.STRATEGIES)
    return frozenset(needs)


def refuse_unclaimed(scenario: Scenario, claims: Collection[Capability]) -> None:
    """Refuse a scenario that asks for more than an engine claims.

    :raises InvalidConfigError: naming every capability that is missing.
    """
    missing = sorted(needs_of(scenario).difference(claims))
    if missing:
        raise InvalidConfigError("scenario", ", ".join(missing), "this engine does not claim it; use one that does")


def _of_tape(tape: Tape) -> Iterator[Capability]:
    if tape.sample is not None:
        yield Capability.BARS if has_bars(tape) else Capability.QUOTES
    for file in tape.files:
        yield _KINDS[file.kind]
    for row in tape.rows:
        if isinstance(row, Quote):
            yield Capability.QUOTES
            if row.bid_size is not None or row.ask_size is not None:
                yield Capability.PARTIAL_FILLS
        else:
            yield Capability.BARS if isinstance(row, Bar) else Capability.TRADES


def _of_venue(venue: VenueConfig) -> Iterator[Capability]:
    yield _ACCOUNTS[venue.account_type]
    if venue.convention is not None:
        yield _CONVENTIONS[venue.convention]
    if venue.limit_fill is LimitFill.THROUGH:
        yield Capability.THROUGH
    if venue.slippage_bps:
        yield Capability.SLIPPAGE
    if venue.fees != _NO_FEES:
        yield Capability.FEES
    if venue.participation is not None:
        yield Capability.PARTIAL_FILLS


def _of_script(scenario: Scenario) -> Iterator[Capability]:
    if scenario.script:
        yield Capability.SCRIPTS
    for step in scenario.script:
        if isinstance(step, SubmitAt):
            if len(step.orders) > 1:
                yield Capability.BRACKETS
            for order in step.orders:
                yield from _of_order(order)
        elif isinstance(step, ModifyAt):
            yield Capability.MODIFY
        elif isinstance(step, SwitchAt):
            yield Capability.RISK_RULES


def _of_order(order: Order) -> Iterator[Capability]:
    if order.order_type is not OrderType.NATIVE:
        yield Capability(order.order_type.value)
    yield Capability(order.time_in_force.value)
    if order.parent_id is not None:
        yield Capability.BRACKETS
    if order.oco_id is not None:
        yield Capability.OCO
    if order.reduce_only:
        yield Capability.REDUCE_ONLY
    if order.post_only:
        yield Capability.POST_ONLY


def _delays(latency: LatencyConfig, leg: Leg) -> bool:
    distribution = latency.leg(leg)
    return not (isinstance(distribution, Constant) and distribution.delay_ns == 0)
