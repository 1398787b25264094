"""What time it is for a broker, and what its rules are shown of it, at each bar or when an order asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial_backtrader.ledgers import Ledgers
from seatrial_backtrader.stamps import exact, last_price, newest, span, stamp_of, to_ns

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.gate.gate import ExecutionGate
    from seatrial_backtrader.desk import Desk

__all__ = ["Lookout"]


class Lookout(Ledgers):
    """A broker whose rules look at its account: at every bar, or only at news where none would notice."""

    _clock: int | None = None
    _ruled = False
    _patient = False
    _marked: dict[Any, tuple[float, float]]

    def _may_wait(self) -> bool:
        """Return whether no rule notices that marks wait for the next order, and the day's turn for a new value."""
        risk = None if self.gate is None else self.gate.admission.risk
        return risk is not None and risk.patient and not self._cheats and not self.cerebro.p.exactbars

    def _look(self, gate: ExecutionGate, desk: Desk, *, news: bool) -> None:
        """Let the rules look at the account, unless they have seen it as it is."""
        risk = gate.admission.risk
        if news:
            gate.assess()
        elif self._value != self._account.value or risk is None or risk.is_alarmed(gate.now):
            now = desk.turn = self._now()
            gate.pass_time(now)

    def _show(self, gate: ExecutionGate, now: int) -> None:
        """Show the rules what they had no use for until now."""
        if self._patient:
            gate.skip_days(now)
            self._mark(gate)

    def _report(self, gate: ExecutionGate, desk: Desk, deposit: float, interest: float) -> None:
        """Let everything due by now arrive; what happened within the bar is judged at its end."""
        now = desk.turn = self._now()
        if desk.waiting:
            desk.after(now)
        for amount, cause in ((deposit, "deposit"), (-interest, "interest")):
            if amount:
                booked = exact(amount)
                self._withhold(booked)
                gate.adjusted(now, booked, cause, native=booked)
        if self._ruled and not self._patient:
            self._mark(gate)
        gate.judging = False
        try:
            gate.deliver(now)
        finally:
            gate.judging = True

    def _withhold(self, booked: Decimal) -> None:
        """Keep from the account what nobody has been told of yet."""
        self._account.withheld += booked

    def _mark(self, gate: ExecutionGate) -> None:
        for symbol, data in self._names.datas.items():
            stamp = stamp_of(data)
            if stamp is None:
                continue
            known = self._marked.get(data)
            close = data.close[0]
            if self._patient and close != close:  # noqa: PLR0124 - a NaN is no price
                stamp, close = last_price(data, None if known is None else known[0])
            if close == close and (stamp, close) != known:  # noqa: PLR0124 - as above
                self._marked[data] = stamp, close
                gate.mark(symbol, exact(close), to_ns(stamp))

    def _switched(self) -> int:
        now = super()._switched()
        self._show(self._standing(), now)
        return now

    def _now(self) -> int:
        """Return the broker's time: the newest stamp of its feeds, in UNIX ns UTC."""
        if self._clock is None:
            gate_now = 0 if self.gate is None else self.gate.now
            self._clock = max(gate_now, newest(self.cerebro.datas))
        return self._clock

    def _turn(self, data: Any) -> int:
        """Return when the strategy acts: at the broker's time, or at the open of a bar that the broker has not seen."""
        if self._cheats is False:
            return self._now()
        seen = 0 if self.gate is None else self.gate.now
        start, end = span(data)
        return max(seen, start) if end > seen else seen
