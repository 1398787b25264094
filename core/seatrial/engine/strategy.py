"""The neutral strategy: written once, run by every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.contracts.events import Event
    from seatrial.contracts.market import MarketEvent
    from seatrial.engine.context import Context

__all__ = ["Strategy"]


class Strategy:
    """What a strategy may answer to; each part does nothing unless it is overridden.

    A strategy is built once per run with the parameters of its session. Whatever it remembers between calls belongs
    into `save_state`, or it is forgotten when a run is resumed, of which the record then warns.
    """

    def on_start(self, ctx: Context) -> None:
        """Hear that the run begins; a resumed run does not begin again."""

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Hear of a quote, a trade or a bar, once everything that it brought about has been reported."""

    def on_order(self, ctx: Context, event: Event) -> None:
        """Hear of everything that happens to orders and to the account, when the client does."""

    def on_stop(self, ctx: Context) -> None:
        """Hear that the tape is over."""

    def save_state(self) -> Any:
        """Return what has to survive a restart, as a JSON value.

        `None`, bool, int, finite float, str, and lists and dicts (with str keys) of these; anything else is refused.
        """
        return None

    def load_state(self, value: Any) -> None:
        """Take back what :meth:`save_state` returned."""
