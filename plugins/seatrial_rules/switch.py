"""The kill switch: halts everything but cancels until an operator enables trading again.

Sources: RTS 6 (EU 2017/589) article 12; FIA, Best Practices for Automated Trading Risk Controls (2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts._expect import expect
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.risk import RiskAction, RiskViolation
from seatrial.gate.controls import check_operator

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView
    from seatrial.contracts.orders import Order
    from seatrial.contracts.risk import RiskRule

__all__ = ["KillSwitch"]


class KillSwitch:
    """Halts trading and cancels what works when it is pulled: at the next order, mark or fill, or as time passes.

    Handed over as an object (`rules=(switch,)`), also to several simulators, it may be pulled from anywhere in the
    program, another thread included; it halts each of them until an operator enables trading there. What a simulation
    should repeat exactly uses `disable_trading` instead, which takes a time.
    """

    name = "kill_switch"

    def __init__(self, *, engaged: bool = False) -> None:
        """Start pulled where `engaged`."""
        expect("engaged", engaged, bool, "True or False")
        why = "trading was not enabled when the session was configured"
        self._pulls = _Pulls((1, why) if engaged else (0, ""))

    def pull(self, by: str, reason: str) -> None:
        """Halt.

        :raises InvalidConfigError: for nobody, or for no reason.
        """
        check_operator(by, reason)
        self._pulls.latest = (self._pulls.latest[0] + 1, f"{by}: {reason}")

    def for_account(self) -> RiskRule:
        """Return what watches the switch for one account, and knows whether an operator has enabled trading there."""
        return _Watch(self._pulls)


class _Pulls:
    """How often a switch was pulled, and why at last, in one tuple: another thread sees both or neither."""

    def __init__(self, first: tuple[int, str]) -> None:
        self.first = self.latest = first


class _Watch:
    """Watches the pulls for one account."""

    needs_exposure = False
    watches = "nothing"

    def __init__(self, pulls: _Pulls) -> None:
        self._pulls = pulls
        self._released = 0
        self._before = ""

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Refuse the order that comes before anything else after a pull."""
        return self.watch(account, now) if self._before or self._pulls.latest[0] > self._released else None

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Ask to halt for as long as the latest pull has not been released here."""
        if not self._before and self._pulls.latest[0] <= self._released:
            return None
        message = f"{self.save_state()}; enable_trading(by, reason) lets orders out again"
        return RiskViolation(message, reason=RejectionReason.RISK_TRADING_DISABLED, action=RiskAction.HALT)

    def enabled(self, account: RiskView, by: str, reason: str) -> None:  # noqa: ARG002 - the protocol's
        """Take the operator's word; the switch stands ready again."""
        self._released, self._before = self._pulls.latest[0], ""

    def save_state(self) -> str:
        """Return why the account waits for an operator; empty where it does not."""
        count, why = self._pulls.latest
        return why if count > self._released else self._before

    def load_state(self, value: str) -> None:
        """Wait again for what :meth:`save_state` returned; a switch that has been pulled since stays pulled."""
        self._released, self._before = self._pulls.first[0], value
