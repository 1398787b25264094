"""A generated tape of quotes and trades: plausible, and the same on every machine and every Python.

It is no model of any market, only a tape on which delays of tens of milliseconds matter: a price that idles around its
start, and every few seconds runs one way for a while, with faster ticks, wider spreads and less size in its way. All
arithmetic is in integers, on the bits of BLAKE2b (RFC 7693) over (seed, symbol, row number): no random state, no float.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING

from seatrial.clock import to_ns
from seatrial.contracts.market import Instrument, Quote, Trade
from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.clock import Timestamp

__all__ = ["TICK", "tick_tape"]

TICK = Instrument(symbol="TICK", tick_size=Decimal("0.01"), lot_size=Decimal(1))
"""What the tape shows unless told otherwise: cents, single units, always open."""

_START = 1_704_205_800_000_000_000  # 2024-01-02 14:30 UTC
_MS = 1_000_000
_WORDS = 8
_WORD = 4  # bytes
_BITS = 32
_QUIET_GAP = (10 * _MS, 440 * _MS)
_BURST_GAP = (5 * _MS, 120 * _MS)
_HOME = 400  # ticks from the start at which the quiet price always steps back
_LOT = 100


def tick_tape(
    seed: int,
    n: int,
    *,
    symbol: str = "TICK",
    start: Timestamp = _START,
    first_price: Decimal = Decimal(100),
    tick_size: Decimal = Decimal("0.01"),
) -> Iterator[Quote | Trade]:
    """Return `n` rows of a tape, made as they are asked for: about five quotes to two trades, a quote first.

    The first row stands at `start`; each later one follows after 5 to 450 ms, about 90 ms on the mean. `first_price`
    and `tick_size` are in currency per unit; displayed and traded sizes are round lots of 100 units. A quote's spread
    is one to four ticks. A trade is at the bid or the ask of the quote before it, for no more than its size.

    >>> first = next(tick_tape(7, 1_000_000_000))
    >>> first.bid, first.ask, first.bid_size, first.ask_size
    (Decimal('100.00'), Decimal('100.01'), Decimal('300'), Decimal('200'))

    :raises InvalidConfigError: for a negative `n`, or a first price that is no multiple of the tick, or below 1,000.
    """
    if n < 0:
        raise InvalidConfigError("n", n, "give the number of rows, zero or more")
    if not tick_size.is_finite() or tick_size <= 0:
        raise InvalidConfigError("tick_size", tick_size, "give a Decimal above zero")
    if not first_price.is_finite() or first_price % tick_size or first_price < 1_000 * tick_size:
        raise InvalidConfigError("first_price", first_price, f"give a multiple of {tick_size}, 1000 ticks at least")
    return _rows(seed, n, symbol, now=to_ns(start), home=int(first_price / tick_size), tick=tick_size)


def _rows(seed: int, n: int, symbol: str, *, now: int, home: int, tick: Decimal) -> Iterator[Quote | Trade]:
    base = blake2b(f"{seed}\0{symbol}\0".encode(), digest_size=_WORDS * _WORD)
    walk = _Walk(home)
    for row in range(n):
        digest = base.copy()
        digest.update(b"%d" % row)
        bits = digest.digest()
        words = [int.from_bytes(bits[at : at + _WORD]) for at in range(0, len(bits), _WORD)]
        if row:
            now += walk.gap(words)
        if row and walk.trades(words):
            price, size = walk.trade(words)
            yield Trade(now, symbol, price * tick, Decimal(size))
        else:
            walk.step(words)
            bid, ask = walk.bid * tick, (walk.bid + walk.spread) * tick
            yield Quote(now, symbol, bid, ask, Decimal(walk.bid_size), Decimal(walk.ask_size))


class _Walk:
    """The state of the tape: the quote in ticks and lots, and how long the present burst goes on."""

    __slots__ = ("ask_size", "bid", "bid_size", "burst", "heading", "home", "spread")

    def __init__(self, home: int) -> None:
        """Start in quiet at `home`, a price in ticks."""
        self.home = self.bid = home
        self.spread = 1
        self.bid_size = self.ask_size = _LOT
        self.burst = 0
        """How many more quotes the burst lasts; 0 in quiet."""
        self.heading = 1

    def gap(self, words: list[int]) -> int:
        """Return the ns until the next row: mostly short, sometimes long."""
        least, span = _BURST_GAP if self.burst else _QUIET_GAP
        return least + (words[0] * words[1] * span >> 2 * _BITS)

    def trades(self, words: list[int]) -> bool:
        """Return whether the row is a trade: one in four, one in three in a burst."""
        return words[2] % 12 < (4 if self.burst else 3)

    def trade(self, words: list[int]) -> tuple[int, int]:
        """Return price in ticks and size of a trade; in a burst, on the side it runs to."""
        lifts = self.heading > 0 if self.burst and words[3] % 8 else words[3] & 16 == 0
        shown = self.ask_size if lifts else self.bid_size
        return (self.bid + self.spread if lifts else self.bid), _LOT * (1 + words[4] % (shown // _LOT))

    def step(self, words: list[int]) -> None:
        """Move to the next quote."""
        if self.burst:
            self.burst -= 1
        elif words[3] % 40 == 0:
            self.burst = 10 + words[4] % 25
            self.heading = 1 if self._draws_up(words[5]) else -1
        if self.burst:
            self.bid += self.heading * (0, 0, 0, 1, 1, 1, 2, -1)[words[6] % 8]
            self.spread = (1, 1, 2, 2, 2, 3, 3, 4)[words[7] % 8]
        else:
            if words[6] % 4 == 0:
                self.bid += 1 if self._draws_up(words[5]) else -1
            self.spread = (1, 1, 1, 1, 1, 2, 2, 3)[words[7] % 8]
        deep, thin = _lots(words[1], 20), _lots(words[2], 3 if self.burst else 20)
        self.bid_size, self.ask_size = (deep, thin) if self.heading > 0 else (thin, deep)

    def _draws_up(self, word: int) -> bool:
        """Return the direction of a step: even at home, more and more homewards the further away."""
        return (word % (2 * _HOME)) < _HOME + self.home - self.bid


def _lots(word: int, most: int) -> int:
    """Return a displayed size of 1 to `most` lots, small ones more often."""
    return _LOT * (1 + ((word & 0xFFFF) * (word >> 16) * most >> _BITS))
