"""The kill switch: halts everything but cancels until an operator enables trading again.

Sources: RTS 6 (EU 2017/589) article 12; FIA, Best Practices for Automated Trading Risk Controls (2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.risk import RiskAction, RiskViolation
from seatrial.gate.controls import check_operator

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView

__all__ = ["KillSwitch"]


class KillSwitch:
    """Halts trading and cancels what works when it is pulled: at the next mark, fill or passing of time.

    Handed over as an object (`rules=(switch,)`) it may be pulled from anywhere in the program, another thread included.
    What the simulation should repeat exactly uses `disable_trading` instead, which takes a time.
    """

    name = "kill_switch"
    needs_exposure = False

    def __init__(self, *, engaged: bool = False) -> None:
        """Start pulled where `engaged`."""
        self._pulled = "trading was not enabled when the session was configured" if engaged else ""

    def pull(self, by: str, reason: str) -> None:
        """Halt.

        :raises InvalidConfigError: for nobody, or for no reason.
        """
        check_operator(by, reason)
        self._pulled = f"{by}: {reason}"

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Ask to halt, once per pull."""
        pulled, self._pulled = self._pulled, ""
        if not pulled:
            return None
        message = f"{pulled}; enable_trading(by, reason) lets orders out again"
        return RiskViolation(message, reason=RejectionReason.RISK_TRADING_DISABLED, action=RiskAction.HALT)

    def save_state(self) -> str:
        """Return why it was pulled, where nothing has come of it yet."""
        return self._pulled

    def load_state(self, value: str) -> None:
        """Take back what :meth:`save_state` returned."""
        self._pulled = value
