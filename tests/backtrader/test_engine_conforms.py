"""The Backtrader engine keeps the contract: whatever it claims it does, the rest it refuses."""

from __future__ import annotations

from seatrial.testing import EngineSuite
from seatrial_backtrader.claims import BACKTRADER
from seatrial_backtrader.engine import BacktraderEngine


class TestBacktrader(EngineSuite):
    """Every case of the contract."""

    capabilities = frozenset(BACKTRADER.capabilities)

    def make_engine(self) -> BacktraderEngine:
        """Return a new engine."""
        return BacktraderEngine()
