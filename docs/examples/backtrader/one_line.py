"""One Backtrader strategy on IBM's daily bars, with four brokers: only the line that sets the broker changes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from importlib.resources import as_file, files
from typing import Any

import backtrader

from seatrial import DrawdownLimitRule, LatencyConfig, RiskConfig
from seatrial_backtrader import SeatrialBroker

bt: Any = backtrader  # it comes without types

EVENING = LatencyConfig(submission_latency=timedelta(hours=18))
LIMITS = RiskConfig(drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(20)))


class Crossing(bt.Strategy):  # type: ignore[misc]
    """Holds nine tenths of the account while the average of 10 days is above that of 30."""

    def __init__(self) -> None:
        """Begin without orders."""
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=10), bt.ind.SMA(period=30))
        self.sent = self.filled = self.refused = 0
        self.first_refusal = ""

    def next(self) -> None:
        """Buy on a cross upwards, sell on a cross downwards."""
        if self.cross[0] > 0:
            self.buy(size=int(0.9 * self.broker.getvalue() / self.data.close[0]))
            self.sent += 1
        elif self.cross[0] < 0 and self.position:
            self.close()
            self.sent += 1

    def notify_order(self, order: Any) -> None:
        """Count what became of the orders."""
        if order.status == order.Completed:
            self.filled += 1
        elif order.status in {order.Margin, order.Rejected}:
            self.refused += 1
            if order.info.rejection and not self.first_refusal:
                self.first_refusal = f"{self.data.datetime.date()} {order.order_id}: {order.info.rejection.message}"


def run(broker: Any, commission: float = 0.0) -> Any:
    """Run the strategy over the bundled bars with a broker, and a commission as part of the value; return it."""
    broker.setcommission(commission=commission)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(broker)  # the one line
    cerebro.addstrategy(Crossing)
    with as_file(files("seatrial.data") / "ibm_daily.csv") as path:
        cerebro.adddata(bt.feeds.GenericCSVData(dataname=str(path), dtformat="%Y-%m-%d", openinterest=-1))
        [strategy] = cerebro.run()
    return strategy


def main() -> None:
    """Print a line for each broker, and the first refusal of the last."""
    runs = {
        "BackBroker": run(bt.brokers.BackBroker(cash=100_000)),
        "SeatrialBroker": run(SeatrialBroker(cash=100_000)),
        "+ fees of 0.1 %": run(SeatrialBroker(cash=100_000), 0.001),
        "+ orders take 18 h": run(SeatrialBroker(cash=100_000, latency_config=EVENING), 0.001),
        "+ a limit on losses": run(SeatrialBroker(cash=100_000, latency_config=EVENING, risk_config=LIMITS), 0.001),
    }
    print(f"{'broker':<19} {'orders':>7} {'fills':>6} {'refused':>8} {'final value':>12}")
    for name, end in runs.items():
        value = end.broker.getvalue()
        print(f"{name:<19} {end.sent:>7} {end.filled:>6} {end.refused:>8} {value:>12,.2f}")
    print(runs["+ a limit on losses"].first_refusal)


if __name__ == "__main__":
    main()
