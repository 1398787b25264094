"""The companion of the execution client: an actor that shows it the market data of the node.

It goes into the node beside the strategies, with the configuration of the client that it feeds:
`node.add_actor(SeatrialFeed(config))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from nautilus_trader.common import DataActor, DataActorConfig
from nautilus_trader.model import ActorId

from seatrial.contracts.market import Quote, Trade
from seatrial.errors import InvalidConfigError, InvalidMarketDataError
from seatrial_nautilus.v2.live import live_client

if TYPE_CHECKING:
    from seatrial.contracts.market import MarketEvent
    from seatrial_nautilus.v2.config import SeatrialExecClientConfig

__all__ = ["SeatrialFeed"]


class SeatrialFeed(DataActor):
    """Subscribes to quotes, or to `trades`, of the instruments that trade, and hands each of them on.

    The venue sees a piece of data when it comes to the node; from then on it stands, until the next.
    """

    def __new__(cls, _settings: SeatrialExecClientConfig, **_kinds: bool) -> Self:
        """Make an actor named after the session."""
        made: Self = super().__new__(cls)
        return made

    def __init__(
        self,
        settings: SeatrialExecClientConfig,
        *,
        quotes: bool = True,
        trades: bool = False,
        bars: bool = False,
        books: bool = False,
    ) -> None:
        """Feed the client of `settings`.

        :raises InvalidConfigError: for `bars` and `books`, and for nothing at all.
        """
        if bars:
            problem = "a bar is over when it comes, and what it would fill lies in the past; feed quotes or trades"
            raise InvalidConfigError("bars", bars, problem)
        if books:
            problem = "the venue keeps no order book; feed quotes, which are the top of one, or trades"
            raise InvalidConfigError("books", books, problem)
        if not (quotes or trades):
            raise InvalidConfigError("quotes", quotes, "the venue trades on nothing then; feed quotes or trades")
        super().__init__(DataActorConfig(actor_id=ActorId(f"SeatrialFeed-{settings.simulator_id}")))
        self._settings = settings
        self._quotes = quotes
        self._trades = trades
        self._client: Any = None

    def on_start(self) -> None:
        """Begin: the client is connected, and the trader has its orders back."""
        self._client = live_client(self._settings.simulator_id)
        self._client.begin()
        for instrument_id in self._settings.instrument_ids:
            if self._quotes:
                self.subscribe_quotes(instrument_id)
            if self._trades:
                self.subscribe_trades(instrument_id)

    def on_quote(self, quote: Any) -> None:
        """Show the venue a quote."""
        self._show(
            Quote,
            quote,
            quote.bid_price.as_decimal(),
            quote.ask_price.as_decimal(),
            quote.bid_size.as_decimal(),
            quote.ask_size.as_decimal(),
        )

    def on_trade(self, trade: Any) -> None:
        """Show the venue a print."""
        self._show(Trade, trade, trade.price.as_decimal(), trade.size.as_decimal())

    def _show(self, kind: type[MarketEvent], data: Any, *values: Any) -> None:
        client = self._client
        if not client.is_open or data.instrument_id not in self._settings.instrument_ids:
            return
        try:
            event = kind(client.now(), str(data.instrument_id), *values)
        except InvalidMarketDataError as error:
            client.log.warning(str(error))
            return
        client.show(event)
