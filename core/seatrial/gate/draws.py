"""Keyed draws: a delay is a pure function of who asks, never of when or in which order.

The key (seed, simulator id, order key, leg, n) is hashed with BLAKE2b to 64 bits, which the leg's distribution turns
into ns. So a run that ticks faster, or that is restored in the middle, draws the same delays; and there is no random
state to lose.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from seatrial.contracts.latency import LONGEST_NS, Constant, Leg, Named
from seatrial.errors import InvalidConfigError
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    from seatrial.contracts.latency import Delay, Distribution, LatencyConfig
    from seatrial.plugins import Plugins

__all__ = ["Draws"]


class Draws:
    """The delays of one gate."""

    __slots__ = ("_base", "_delays", "_key", "constant")

    def __init__(self, latency: LatencyConfig, seed: int, simulator_id: str, plugins: Plugins | None = None) -> None:
        """Fix what all keys share; models are built by `plugins`, the installed ones unless given."""
        self._key = f"{seed}\0{simulator_id}\0".encode()
        self._base = _hash(self._key)
        self._delays = {leg: _built(latency.leg(leg), plugins) for leg in Leg}
        self.constant: dict[Leg, int | None] = {
            leg: delay.delay_ns if isinstance(delay, Constant) else None for leg, delay in self._delays.items()
        }
        """The delay of each leg that never varies, in ns; `None` for one that must be drawn."""

    def __getstate__(self) -> tuple[bytes, dict[Leg, Delay], dict[Leg, int | None]]:
        """Return all but the hash, which no other process can be given."""
        return self._key, self._delays, self.constant

    def __setstate__(self, state: tuple[bytes, dict[Leg, Delay], dict[Leg, int | None]]) -> None:
        """Begin the hash anew."""
        self._key, self._delays, self.constant = state
        self._base = _hash(self._key)

    def delay(self, leg: Leg, key: str, n: int) -> int:
        """Return the delay in ns of the `n`-th message on `leg` for the order counted as `key`."""
        constant = self.constant[leg]
        if constant is not None:
            return constant
        delay = self._delays[leg].sample(self.bits(key, leg, n))
        if type(delay) is not int or not 0 <= delay <= LONGEST_NS:
            problem = f"its latency model drew no delay; a delay is an int from 0 to {LONGEST_NS} ns"
            raise InvalidConfigError(leg, delay, problem)
        return delay

    def bits(self, key: str, purpose: str, n: int) -> int:
        """Return 64 random bits for the `n`-th time that `purpose` asks for some about `key`."""
        digest = self._base.copy()
        digest.update(f"{key}\0{purpose}\0{n}".encode())
        return int.from_bytes(digest.digest())


def _hash(key: bytes) -> blake2b:
    return blake2b(key, digest_size=8)


def _built(distribution: Distribution, plugins: Plugins | None) -> Delay:
    if isinstance(distribution, Named):
        return (plugins or installed_plugins()).latency_model(distribution.name, distribution.params)
    return distribution
