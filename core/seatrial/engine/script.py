"""A script of timed instructions, carried out beside or instead of a strategy.

What is due at the time of a row happens before the row.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from seatrial.contracts.scenario import CancelAt, Instruction, ModifyAt, SubmitAt
from seatrial.contracts.terms import TradingState
from seatrial.engine.progress import Digest
from seatrial.errors import InvalidConfigError, UnknownOrderError

if TYPE_CHECKING:
    from seatrial.venue.simulator import ExecutionSimulator

__all__ = ["Script"]


class Script:
    """The instructions of one run, in time order; `done` of them are over, with the digest `told`."""

    def __init__(self, instructions: tuple[Instruction, ...], done: int = 0) -> None:
        """Go on after the first `done`.

        :raises InvalidConfigError: when they are not in time order.
        """
        for before, after in pairwise(instructions):
            if after.at < before.at:
                problem = f"it comes after one at {before.at}; sort the script by time"
                raise InvalidConfigError("script", f"at={after.at}", problem)
        self._instructions = instructions
        self.done = done
        self.told = Digest(instructions[:done])

    def until(self, ts: int, simulator: ExecutionSimulator) -> None:
        """Carry out what is due by `ts`."""
        while self.done < len(self._instructions) and self._instructions[self.done].at <= ts:
            self.done += 1
            self.told.add(self._instructions[self.done - 1])
            _carry_out(self._instructions[self.done - 1], simulator)


def _carry_out(step: Instruction, simulator: ExecutionSimulator) -> None:
    at = max(step.at, simulator.now)
    try:
        if isinstance(step, SubmitAt):
            if len(step.orders) == 1:
                simulator.submit_order(step.orders[0], at)
            else:
                simulator.submit_bracket(*step.orders, timestamp=at)
        elif isinstance(step, CancelAt):
            simulator.cancel_order(step.order_id, at)
        elif isinstance(step, ModifyAt):
            change = step.change
            simulator.modify_order(
                step.order_id,
                at,
                quantity=change.quantity,
                limit_price=change.limit_price,
                stop_price=change.stop_price,
                trail_amount=change.trail_amount,
                trail_percent=change.trail_percent,
            )
        elif step.state is TradingState.HALTED:
            simulator.disable_trading(step.by, step.reason, at, cancel_working=step.cancel_working is not False)
        elif step.state is TradingState.REDUCE_ONLY:
            simulator.restrict_trading(step.by, step.reason, at, cancel_working=step.cancel_working is True)
        else:
            simulator.enable_trading(step.by, step.reason, at)
    except UnknownOrderError as error:
        raise InvalidConfigError("script", f"at={step.at}", str(error)) from None
