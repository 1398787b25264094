"""NautilusTrader's instruments as the gate's, and the one currency that rules count in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from seatrial.contracts.market import Instrument
from seatrial.errors import InvalidConfigError

__all__ = ["check_currency", "check_instrument", "core_instrument", "currency_of", "expired"]


def currency_of(options: dict[str, Any]) -> str | None:
    """Return the code of an account's currency; `None` for an account of several."""
    if options["base_currency"] is not None:
        return str(options["base_currency"].code)
    balances = options["starting_balances"]
    return str(balances[0].currency.code) if len(balances) == 1 else None


def core_instrument(instrument: Any, symbol: str) -> Instrument:
    """Return an instrument as `symbol`, with its multiplier; ticks and lots are the venue's to check."""
    return Instrument(
        symbol=symbol,
        multiplier=Decimal(str(instrument.multiplier)),
        currency=str(instrument.get_cost_currency().code),
    )


def check_instrument(instrument: Any, currency: str | None, *, has_rules: bool) -> None:
    """Refuse what cannot be simulated or counted.

    :raises InvalidConfigError: for an instrument that expires, and, where there are rules, for one whose profit is in
        another currency than the account's.
    """
    if getattr(instrument, "expiration_ns", 0):
        problem = "it expires, and two venues would settle it: the stock one and ours; trade it without seatrial"
        raise InvalidConfigError("instrument", instrument.id.value, problem)
    if has_rules:
        check_currency(instrument, currency)


def check_currency(instrument: Any, currency: str | None) -> None:
    """Refuse what rules cannot count.

    :raises InvalidConfigError: for an instrument whose profit is in another currency than the account's.
    """
    theirs = str(instrument.get_cost_currency().code)
    if instrument.is_inverse or theirs != currency:
        problem = f"its profit is in {theirs}, the account in {currency or 'several currencies'}"
        raise InvalidConfigError("risk_config", instrument.id.value, f"{problem}; rules count in one currency")


def expired(instrument_id: Any, when: str) -> InvalidConfigError:
    """Return the refusal of an instrument whose contract expires by an `InstrumentClose`, and when that is."""
    problem = f"its contract expires {when}, and the gate settles none; be out of it before, or leave the close out"
    return InvalidConfigError("instrument", instrument_id.value, problem)
