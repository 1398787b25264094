"""What the versions of NautilusTrader 1.x differ in, and how a venue was set up."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from nautilus_trader.model import enums

from seatrial.errors import InvalidConfigError

__all__ = [
    "copied_options",
    "iterates_after_commands",
    "nautilus_version",
    "numbers_each_price",
    "refuse",
    "skips_stale_quotes",
]

_COPIED = (
    "oms_type",
    "account_type",
    "starting_balances",
    "base_currency",
    "default_leverage",
    "leverages",
    "margin_model",
    "fill_model",
    "fee_model",
    "book_type",
    "reject_stop_orders",
    "support_gtd_orders",
    "support_contingent_orders",
    "use_position_ids",
    "use_random_ids",
    "use_reduce_only",
    "use_market_order_acks",
    "bar_execution",
    "bar_adaptive_high_low_ordering",
    "trade_execution",
    "liquidity_consumption",
    "queue_position",
    "price_protection_points",
)
_SETTLES = (1, 223)
"""From here on the stock engine lets every market look at its orders once more after commands."""
_NUMBERS_EACH_PRICE = (1, 231)
"""From here on each price of a bar takes a number among the trades, before that each bar takes one."""
_SKIPS = (1, 222)
"""From here on at the latest a market passes over a quote that happened before the one it has."""


@cache
def nautilus_version() -> str:
    """Return the version of the installed NautilusTrader."""
    return version("nautilus_trader")


@cache
def iterates_after_commands() -> bool:
    """Return whether this version matches once more after it has taken commands."""
    return _release() >= _SETTLES


@cache
def numbers_each_price() -> bool:
    """Return whether this version numbers each price of a bar that trades are made of."""
    return _release() >= _NUMBERS_EACH_PRICE


@cache
def skips_stale_quotes() -> bool:
    """Return whether this version may pass a quote over."""
    return _release() >= _SKIPS


def _release() -> tuple[int, int]:
    major, minor = nautilus_version().split(".")[:2]
    return int(major), int(minor)


def copied_options(exchange: Any) -> dict[str, Any]:
    """Return how a stock exchange was set up, as far as this version of it has the setting."""
    options = {name: getattr(exchange, name) for name in _COPIED if hasattr(exchange, name)}
    options["venue"] = exchange.id
    if getattr(exchange, "oto_full_trigger", False):
        options["oto_trigger_mode"] = vars(enums)["OtoTriggerMode"].FULL
    return options


def refuse(setting: str, theirs: Any) -> None:
    """Refuse what of NautilusTrader's own does nothing at a venue with a gate before it, where there is any.

    :raises InvalidConfigError: for a latency model, and for modules beside the gate's.
    """
    if theirs:
        by = "by latency_config, or the latency of a module"
        own = f"the gate delays orders itself, {by}" if setting == "latency_model" else "none run here"
        raise InvalidConfigError(setting, theirs, f"{own}; leave it out")
