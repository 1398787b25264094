"""A Backtrader run that is stopped on its tenth day, and goes on from its checkpoint when it is started again."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from typing import Any

import backtrader

from seatrial import CheckpointManager
from seatrial_backtrader import SeatrialBroker

bt: Any = backtrader  # it comes without types

WEEK = 7 * 86_400


class Holder(bt.Strategy):  # type: ignore[misc]
    """Buys on its third day, and leaves a stop below."""

    params = (("until", 0),)

    def __init__(self) -> None:
        """Begin without a day."""
        self.days = 0

    def next(self) -> None:
        """Count the days, and trade on the third."""
        self.days += 1
        if self.days == 3:
            self.buy(size=5)
            self.sell(size=5, exectype=bt.Order.Stop, price=1.0)
        if self.days == self.p.until:
            self.env.runstop()

    def save_state(self) -> dict[str, int]:
        """Return what a checkpoint keeps of the strategy."""
        return {"days": self.days}

    def load_state(self, state: dict[str, int]) -> None:
        """Take it back."""
        self.days = state["days"]


def main(until: int) -> None:
    """Run until a day, or to the end of the data for 0."""
    with CheckpointManager("checkpoints") as manager:
        resume = "latest" if manager.list_checkpoints("holder") else False
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(
        SeatrialBroker(simulator_id="holder", checkpoints="checkpoints", checkpoint_every=WEEK, resume=resume)
    )
    cerebro.addstrategy(Holder, until=until)
    with as_file(files("seatrial.data") / "ibm_daily.csv") as path:
        cerebro.adddata(bt.feeds.GenericCSVData(dataname=str(path), dtformat="%Y-%m-%d", openinterest=-1))
        [strategy] = cerebro.run()
    resting = [order.getordername() for order in strategy.broker.get_orders_open()]
    print(f"{strategy.days} of {len(strategy)} days, {strategy.position.size} held, resting: {resting}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 0)
