"""How a live paper venue is set up on NautilusTrader 2.0."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from nautilus_trader.config import ExecutionClientConfig
from nautilus_trader.model import Currency, InstrumentId, Money, Venue

from seatrial.contracts.latency import LATENCY_NORMAL, LatencyConfig
from seatrial.contracts.venue import AccountType, VenueConfig
from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.contracts.risk import RiskConfig

__all__ = ["SeatrialExecClientConfig"]


class SeatrialExecClientConfig(ExecutionClientConfig):
    """An execution client for seatrial's own simulated venue behind its gate.

    `starting_balances` is one amount with its currency, which all of `instrument_ids` settle in; other instruments do
    not trade here. `venue_config` says what the account may do and how orders match: a MARGIN account without leverage
    unless given. `latency` are the delays, drawn by `seed` and `simulator_id`; `risk` limits what leaves. Where
    `checkpoint_directory` is given, the session goes on from the newest checkpoint there and writes its own: before
    every `event` that the trader is told, every so many whole seconds, or only when it is stopped (`never`).
    """

    def __new__(cls, **_settings: Any) -> Self:
        """Leave NautilusTrader's own settings of a client as they are."""
        made: Self = super().__new__(cls)
        return made

    def __init__(
        self,
        *,
        venue: str,
        starting_balances: Sequence[str],
        instrument_ids: Sequence[str],
        venue_config: VenueConfig | None = None,
        latency: LatencyConfig = LATENCY_NORMAL,
        risk: RiskConfig | None = None,
        simulator_id: str = "paper",
        seed: int = 0,
        checkpoint_directory: str | None = None,
        checkpoint_every: str | int = "event",
    ) -> None:
        """Set a venue up.

        :raises InvalidConfigError: naming the setting that cannot be used.
        """
        if len(starting_balances) != 1 or isinstance(starting_balances, str):
            problem = "an account has one currency; give one balance, for example ['100_000 USD']"
            raise InvalidConfigError("starting_balances", starting_balances, problem)
        if not instrument_ids or isinstance(instrument_ids, str):
            problem = f"give the instruments that trade, for example ['EUR/USD.{venue}']"
            raise InvalidConfigError("instrument_ids", instrument_ids, problem)
        every: object = checkpoint_every
        if every not in {"event", "never"} and (type(every) is not int or every < 1):
            raise InvalidConfigError("checkpoint_every", every, "give 'event', 'never' or whole seconds")
        self.venue = Venue(venue)
        self.instrument_ids = tuple(InstrumentId.from_str(one) for one in instrument_ids)
        for instrument_id in self.instrument_ids:
            if instrument_id.venue != self.venue:
                raise InvalidConfigError("instrument_ids", str(instrument_id), f"it is not of the venue {venue}")
        balance = Money.from_str(starting_balances[0])
        self.currency: Currency = balance.currency
        self.initial_cash: Decimal = balance.as_decimal()
        self.venue_config = VenueConfig(account_type=AccountType.MARGIN) if venue_config is None else venue_config
        self.latency = latency
        self.risk = risk
        self.simulator_id = simulator_id
        self.seed = seed
        self.checkpoint_directory = checkpoint_directory
        self.checkpoint_every = checkpoint_every
