"""What a session may ask of the NautilusTrader engine beside the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.errors import InvalidConfigError
from seatrial.venue.path import bar_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from seatrial.contracts.market import Bar

__all__ = ["Settings", "check_params"]

_ELSEWHERE = {
    "account_type": "say account_type under [venue]",
    "base_currency": "the account has its instruments' currency",
    "book_type": "a tape shows one level: its quotes, prints and bars",
    "default_leverage": "say leverage under [venue]",
    "fee_model": "say what trading costs under [costs]",
    "fill_model": "say slippage_bps under [costs], limit_fill and participation under [venue]",
    "latency_model": "say latency under [latency]",
    "leverages": "say leverage under [venue]",
    "oms_type": "an account holds one position per symbol (NETTING)",
    "starting_balances": "say initial_cash under [session]",
    "trade_execution": "say convention under [venue]; resting orders always meet what is printed",
}


class Settings(msgspec.Struct, frozen=True):
    """`engine_params`, checked; both are NautilusTrader's own settings of a venue.

    With `bar_adaptive_high_low_ordering` a bar goes to its nearer extreme first, without it always to its high.
    `reject_stop_orders` refuses stops whose trigger the market has passed when they arrive; they trade otherwise.
    """

    bar_adaptive_high_low_ordering: bool = True
    reject_stop_orders: bool = False

    def path(self, bar: Bar, start: int) -> tuple[tuple[int, Decimal], ...]:
        """Return the four points of a bar over (start, ts], as (UNIX ns UTC, price)."""
        points = bar_path(bar, start)
        if self.bar_adaptive_high_low_ordering:
            return points
        first, (second, _), (third, _), last = points
        return first, (second, bar.high), (third, bar.low), last


def check_params(params: Mapping[str, Any]) -> Settings:
    """Return what `engine_params` ask for.

    :raises InvalidConfigError: naming what nobody knows, or what is set elsewhere.
    """
    known = Settings.__struct_fields__
    for key, value in params.items():
        if key not in known:
            problem = _ELSEWHERE.get(key, f"the nautilus engine takes {' and '.join(known)}")
            raise InvalidConfigError(f"engine_params.{key}", value, problem)
        if not isinstance(value, bool):
            raise InvalidConfigError(f"engine_params.{key}", value, "give true or false")
    return Settings(**params)
