"""The kill switch: halts everything but cancels until an operator enables trading again.

Sources: RTS 6 (EU 2017/589) article 12; FIA, Best Practices for Automated Trading Risk Controls (2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from seatrial.contracts._expect import expect
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.risk import RiskAction, RiskViolation
from seatrial.gate.controls import check_operator

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView
    from seatrial.contracts.orders import Order

__all__ = ["KillSwitch"]


class KillSwitch:
    """Halts trading and cancels what works when it is pulled: at the next order, mark or fill, or as time passes.

    Handed over as an object (`rules=(switch,)`), also to several simulators, it may be pulled from anywhere in the
    program, another thread included; it halts each of them until an operator enables trading there. What a simulation
    should repeat exactly uses `disable_trading` instead, which takes a time.
    """

    name = "kill_switch"
    needs_exposure = False
    watches = "nothing"

    def __init__(self, *, engaged: bool = False) -> None:
        """Start pulled where `engaged`."""
        expect("engaged", engaged, bool, "True or False")
        why = "trading was not enabled when the session was configured"
        self._engaged = (1, why) if engaged else (0, "")
        self._pulled = self._engaged
        self._released: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    def pull(self, by: str, reason: str) -> None:
        """Halt.

        :raises InvalidConfigError: for nobody, or for no reason.
        """
        check_operator(by, reason)
        self._pulled = (self._pulled[0] + 1, f"{by}: {reason}")

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Refuse the order that comes before anything else after a pull."""
        return self.watch(account, now) if self._pulled[0] else None

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Ask to halt for as long as the latest pull has not been released here."""
        count, why = self._pulled
        if not count or self._released.get(account, 0) >= count:
            return None
        message = f"{why}; enable_trading(by, reason) lets orders out again"
        return RiskViolation(message, reason=RejectionReason.RISK_TRADING_DISABLED, action=RiskAction.HALT)

    def enabled(self, account: RiskView, by: str, reason: str) -> None:  # noqa: ARG002 - the protocol's
        """Take the operator's word for one account; the switch stands ready again."""
        self._released[account] = self._pulled[0]

    def save_state(self) -> str:
        """Return why it was pulled, where some account still waits for an operator."""
        count, why = self._pulled
        return why if min(self._released.values(), default=0) < count else ""

    def load_state(self, value: str) -> None:
        """Take back what :meth:`save_state` returned; a switch that has been pulled since stays pulled."""
        if self._pulled == self._engaged:
            self._pulled = (1, value) if value else (0, "")
