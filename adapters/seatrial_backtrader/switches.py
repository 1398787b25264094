"""The kill switch of a Backtrader broker, and the log of its gate."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from seatrial.errors import InvalidConfigError
from seatrial_backtrader.matching import Matcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.contracts.events import Event
    from seatrial.contracts.terms import TradingState
    from seatrial.gate.gate import ExecutionGate

__all__ = ["Switches"]


class Switches(Matcher):
    """A broker that may have a gate, to be read and switched while a run goes on.

    :raises InvalidConfigError: from whatever needs a gate, where there is none.
    """

    gate: ExecutionGate | None = None
    """The gate of the present run; `None` where there is none."""

    @property
    def events(self) -> Sequence[Event]:
        """Everything that was sent and told, in order; nothing where there is no gate."""
        return () if self.gate is None else self.gate.events

    @property
    def trading_state(self) -> TradingState:
        """What the gate lets out at present."""
        return self._standing().trading_state

    def disable_trading(self, by: str, reason: str, *, cancel_working: bool = True) -> None:
        """Halt: nothing leaves any more but cancels; unless told otherwise, every working order is cancelled."""
        self._standing().disable_trading(by, reason, self._switched(), cancel_working=cancel_working)

    def restrict_trading(self, by: str, reason: str, *, cancel_working: bool = False) -> None:
        """Let only orders out that provably reduce a position."""
        self._standing().restrict_trading(by, reason, self._switched(), cancel_working=cancel_working)

    def enable_trading(self, by: str, reason: str) -> None:
        """Let orders out again."""
        self._standing().enable_trading(by, reason, self._switched())

    def _switched(self) -> int:
        now = self._now()
        if self.desk is not None:
            self.desk.turn = now
        return now

    @abstractmethod
    def _now(self) -> int:
        """Return the broker's time, in UNIX ns UTC."""

    def _standing(self) -> ExecutionGate:
        if self.gate is None:
            problem = "there is no gate to switch; give risk_config=RiskConfig(), and call this while cerebro runs"
            raise InvalidConfigError("risk_config", self.p.risk_config, problem)
        return self.gate
