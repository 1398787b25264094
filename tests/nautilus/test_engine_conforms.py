"""The NautilusTrader engine keeps the contract: whatever it claims it does, the rest it refuses."""

from __future__ import annotations

from seatrial.testing import EngineSuite
from seatrial_nautilus.claims import NAUTILUS
from seatrial_nautilus.v1.engine import NautilusEngine


class TestNautilus(EngineSuite):
    """Every case of the contract."""

    capabilities = frozenset(NAUTILUS.capabilities)

    def make_engine(self) -> NautilusEngine:
        """Return a new engine."""
        return NautilusEngine()
