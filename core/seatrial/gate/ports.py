"""The far port of the gate: what a venue must offer, and what travels to it.

A venue answers through the gate's own methods (`accepted`, `filled`, …), each with the time it happened there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec

from seatrial.contracts.events import OrderChange
from seatrial.contracts.orders import Order
from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = [
    "CancelRequest",
    "Crosser",
    "ModifyRequest",
    "NativeCodec",
    "PlaceRequest",
    "Request",
    "Venue",
    "read_native",
    "write_native",
]


_NULL = msgspec.Raw(b"null")


class Venue(Protocol):
    """What matches orders. `now` is the time of arrival; `native` is whatever the caller of the gate handed in."""

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        """Take orders, all or none: a bracket arrives whole, its parent first."""
        ...

    def cancel(self, order_id: str, now: int, native: object) -> None:
        """End an order, or refuse."""
        ...

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        """Change a working order, or refuse."""
        ...


class Crosser(Protocol):
    """What a venue may offer besides, where an order can be filled whole as it arrives."""

    def __call__(self, order: Order, now: int, /) -> tuple[Decimal, Decimal] | None:
        """Accept and fill an order that arrives alone; return its price and its commission.

        Nothing is reported: the caller takes both as told. `None` leaves the order, and all else, as it was.
        """
        ...


class NativeCodec(Protocol):
    """How an adapter's own payloads are written into a checkpoint, and read again."""

    def encode(self, native: object) -> Any:
        """Return a payload as a JSON value."""
        ...

    def decode(self, value: Any) -> object:
        """Return the payload that :meth:`encode` turned into `value`."""
        ...


def write_native(native: object, codec: NativeCodec | None) -> msgspec.Raw:
    """Return a payload as JSON, `null` for none.

    :raises InvalidConfigError: where there is a payload and nobody to write it.
    """
    if native is None:
        return _NULL
    if codec is None:
        raise InvalidConfigError("native_codec", None, f"a {type(native).__name__} is under way; give a codec for it")
    return msgspec.Raw(msgspec.json.encode(codec.encode(native)))


def read_native(stored: msgspec.Raw, codec: NativeCodec | None) -> object:
    """Return the payload that :func:`write_native` wrote.

    :raises InvalidConfigError: where there is a payload and nobody to read it.
    """
    if stored == _NULL:
        return None
    if codec is None:
        raise InvalidConfigError("native_codec", None, "the checkpoint has payloads under way; give their codec")
    return codec.decode(msgspec.json.decode(stored))


class PlaceRequest(msgspec.Struct, frozen=True, gc=False, tag_field="request", tag="place"):
    """Orders on their way; looked up by id when they arrive."""

    order_ids: tuple[str, ...]


class CancelRequest(msgspec.Struct, frozen=True, gc=False, tag_field="request", tag="cancel"):
    """A cancel on its way."""

    order_id: str


class ModifyRequest(msgspec.Struct, frozen=True, gc=False, tag_field="request", tag="modify"):
    """A modify on its way."""

    order_id: str
    change: OrderChange


Request: TypeAlias = PlaceRequest | CancelRequest | ModifyRequest
