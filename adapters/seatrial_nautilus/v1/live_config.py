"""How a live paper venue is set up: what the sandbox takes, and what seatrial adds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from nautilus_trader.backtest.models import FillModel, MakerTakerFeeModel
from nautilus_trader.config import LiveExecClientConfig
from nautilus_trader.model.enums import account_type_from_str, book_type_from_str, oms_type_from_str
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.objects import Currency, Money

from seatrial.contracts.latency import LATENCY_NORMAL, LatencyConfig
from seatrial.contracts.risk import RiskConfig
from seatrial.gate.rules import storable

__all__ = ["SeatrialExecClientConfig", "venue_options", "writable"]

_FLAGS = (
    "bar_execution",
    "trade_execution",
    "reject_stop_orders",
    "support_gtd_orders",
    "support_contingent_orders",
    "use_position_ids",
    "use_random_ids",
    "use_reduce_only",
)


class SeatrialExecClientConfig(LiveExecClientConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):  # type: ignore[call-arg]  # msgspec's
    """An execution client for a simulated venue behind seatrial's gate.

    The venue's settings are those of NautilusTrader's sandbox. `latency` are the delays, drawn by `seed` and
    `simulator_id`; `risk` limits what leaves. Where `checkpoint_directory` is given, the session goes on from the
    newest checkpoint there and writes its own: after every `event` that the trader is told, every so many whole
    seconds, or only when it is stopped (`never`).
    """

    venue: str
    starting_balances: list[str]
    base_currency: str | None = None
    oms_type: str = "NETTING"
    account_type: str = "MARGIN"
    default_leverage: Decimal = Decimal(1)
    leverages: dict[str, float] | None = None
    book_type: str = "L1_MBP"
    bar_execution: bool = True
    trade_execution: bool = True
    reject_stop_orders: bool = True
    support_gtd_orders: bool = True
    support_contingent_orders: bool = True
    use_position_ids: bool = True
    use_random_ids: bool = False
    use_reduce_only: bool = True
    latency: LatencyConfig = LATENCY_NORMAL
    risk: RiskConfig | None = None
    simulator_id: str = "paper"
    seed: int = 0
    checkpoint_directory: str | None = None
    checkpoint_every: str | int = "event"


def writable(config: Any) -> Any:
    """Return a client's configuration as the node can write it: rules that are objects by their names."""
    return config if config.risk is None else replace(config, risk=storable(config.risk))


def venue_options(config: SeatrialExecClientConfig) -> dict[str, Any]:
    """Return the keyword arguments of NautilusTrader's `SimulatedExchange`."""
    leverages = config.leverages or {}
    return {
        "venue": Venue(config.venue),
        "oms_type": oms_type_from_str(config.oms_type),
        "account_type": account_type_from_str(config.account_type),
        "starting_balances": [Money.from_str(balance) for balance in config.starting_balances],
        "base_currency": None if config.base_currency is None else Currency.from_str(config.base_currency),
        "default_leverage": Decimal(config.default_leverage),
        "leverages": {InstrumentId.from_str(one): Decimal(str(leverage)) for one, leverage in leverages.items()},
        "fill_model": FillModel(),
        "fee_model": MakerTakerFeeModel(),
        "book_type": book_type_from_str(config.book_type),
        **{name: getattr(config, name) for name in _FLAGS},
    }
