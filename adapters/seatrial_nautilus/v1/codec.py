"""NautilusTrader's order events and market data as JSON values, and back."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import events
from nautilus_trader.model.data import (
    Bar,
    InstrumentClose,
    InstrumentStatus,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)

__all__ = ["EventCodec", "decode_data", "decode_event", "encode_data", "encode_event"]

_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Bar,
        InstrumentClose,
        InstrumentStatus,
        OrderBookDelta,
        OrderBookDeltas,
        OrderBookDepth10,
        QuoteTick,
        TradeTick,
    )
}


def encode_event(event: Any) -> dict[str, Any]:
    """Return an event as a JSON value; it names its own type."""
    values: dict[str, Any] = type(event).to_dict(event)
    return values


def decode_event(values: Any) -> Any:
    """Return the event that :func:`encode_event` wrote."""
    return getattr(events, values["type"]).from_dict(dict(values))


def encode_data(one: Any) -> dict[str, Any]:
    """Return a piece of market data as a JSON value; it names its own type."""
    values: dict[str, Any] = type(one).to_dict(one)
    return values


def decode_data(values: Any) -> Any:
    """Return the market data that :func:`encode_data` wrote."""
    return _KINDS[values["type"]].from_dict(dict(values))


class EventCodec:
    """Writes the events that travel beside the gate's reports; see :class:`~seatrial.gate.ports.NativeCodec`."""

    def encode(self, native: object) -> Any:
        """Return a payload as a JSON value."""
        return encode_event(native)

    def decode(self, value: Any) -> object:
        """Return the payload that :meth:`encode` turned into `value`."""
        event: object = decode_event(value)
        return event
