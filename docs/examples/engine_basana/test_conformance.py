"""basana behind seatrial's gate, put to the contract."""

from __future__ import annotations

from basana_engine import CLAIMS, BasanaEngine

from seatrial.testing import EngineSuite


class TestBasana(EngineSuite):
    """Every case; what basana does in its own way stands in known_failures."""

    capabilities = CLAIMS
    known_failures = {}  # noqa: RUF012

    def make_engine(self) -> BasanaEngine:
        """Return a new engine."""
        return BasanaEngine()
