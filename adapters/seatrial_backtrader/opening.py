"""What a broker is told, checked at the front door, and the gate it opens for a run."""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from seatrial.contracts._expect import expect
from seatrial.contracts.latency import LATENCY_INSTANT, Constant, Leg
from seatrial.contracts.market import Instrument
from seatrial.errors import InvalidConfigError
from seatrial.gate.draws import Draws
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments
from seatrial.gate.observers import Observers
from seatrial.plugins import Plugins
from seatrial.venue.settings import check_settings, open_observer
from seatrial_backtrader.account import BrokerAccount
from seatrial_backtrader.desk import Desk
from seatrial_backtrader.stamps import exact
from seatrial_backtrader.state import ToldCodec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.latency import LatencyConfig
    from seatrial.gate.account import Account
    from seatrial.gate.client import NativeSink
    from seatrial_backtrader.naming import Names

__all__ = ["check", "delays", "instruments_of", "needs_gate", "open_gate", "refuse_unknown", "scaled"]


def delays(latency: LatencyConfig, *legs: Leg) -> bool:
    """Return whether any of some legs may take time."""
    return any(latency.leg(leg) != Constant(0) for leg in legs)


def needs_gate(p: Any) -> bool:
    """Return whether a run needs the gate at all."""
    kept = p.checkpoints is not None or p.resume is not False or p.record
    return bool(kept or p.risk_config is not None or p.observers or p.ledgers == 2 or delays(p.latency_config, *Leg))  # noqa: PLR2004 - two ledgers


def check(p: Any) -> None:
    """Refuse arguments that cannot be used, or not together.

    :raises InvalidConfigError: naming the argument.
    """
    check_settings(p.latency_config, None, p.risk_config, p.seed, p.simulator_id)
    theta = p.bar_theta
    if not isinstance(theta, Decimal) or not theta.is_finite() or not 0 <= theta <= 1:
        raise InvalidConfigError("bar_theta", theta, "give a Decimal part of the bar, 0 to 1")
    if p.stale_match not in {"stock", "never"}:
        raise InvalidConfigError("stale_match", p.stale_match, "give 'stock' or 'never'")
    if p.ledgers not in {1, 2}:
        raise InvalidConfigError("ledgers", p.ledgers, "give 1 or 2")
    expect("indexed", p.indexed, bool, "True or False")
    expect("record", p.record, bool, "True or False")
    expect("observers", p.observers, tuple | list, "a tuple of names, or of objects with notify()")
    expect("plugins", p.plugins, Plugins | None, "the Plugins of seatrial.plugins, or None for the installed ones")
    if p.coc and p.latency_config.leg(Leg.SUBMIT) != Constant(0):
        problem = "an order that takes time cannot trade at the close it was sent at; drop coc or the submit delay"
        raise InvalidConfigError("coc", p.coc, problem)


def refuse_unknown(arguments: dict[str, Any], known: Iterable[str]) -> None:
    """Refuse arguments that no broker has.

    :raises InvalidConfigError: naming the first, and the name of `known` that is nearest to it.
    """
    for name, value in arguments.items():
        near = get_close_matches(name, list(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InvalidConfigError(name, value, f"SeatrialBroker has no such argument{hint}")


def open_gate(
    broker: Any,
    p: Any,
    names: Names,
    sink: NativeSink,
    *,
    account: Account | None = None,
    instruments: Instruments | None = None,
    desk_type: type[Desk] = Desk,
) -> tuple[ExecutionGate, Desk, BrokerAccount, Observers]:
    """Return a gate before `broker`, with the desk behind it, the broker's own account, and who observes.

    Rules read that account, unless the gate is given an exact one to keep. Without `instruments` the feeds are meant.

    :raises InvalidConfigError: for rules or observers that cannot be opened.
    """
    own = BrokerAccount(broker, names)
    desk = desk_type(broker, p.bar_theta, Draws(LATENCY_INSTANT, p.seed, p.simulator_id))
    gate = ExecutionGate(
        desk,
        latency=p.latency_config,
        risk=p.risk_config,
        seed=p.seed,
        simulator_id=p.simulator_id,
        instruments=instruments or Instruments(instruments_of(broker, names)),
        account=account,
        account_view=own if account is None else None,
        native_sink=sink,
        native_codec=ToldCodec(broker),
        plugins=p.plugins,
    )
    desk.gate = gate
    observers = Observers([open_observer(one, p.plugins) for one in p.observers])
    if observers:
        gate.add_listener(observers)
    return gate, desk, own, observers


def instruments_of(broker: Any, names: Names) -> list[Instrument]:
    """Return the feeds as instruments where any of them has a multiplier; else any symbol trades at its price."""
    found = scaled(broker, names)
    return found if any(one.multiplier != 1 for one in found) else []


def scaled(broker: Any, names: Names) -> list[Instrument]:
    """Return every feed as an instrument, with the multiplier of its present commission scheme."""
    found: list[Instrument] = []
    for symbol, data in names.datas.items():
        scheme = broker.getcommissioninfo(data)
        found.append(Instrument(symbol=symbol, multiplier=Decimal(1) if scheme.stocklike else exact(scheme.p.mult)))
    return found
