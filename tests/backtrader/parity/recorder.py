"""What a Backtrader script can see of its broker, taken down from outside while the script runs.

The engine's own means do it: an analyzer hears what its strategy hears and looks at the broker after every bar, and a
store is asked at the start of every cycle of a live run, also of one without a bar. The scripts need not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import backtrader as bt
from tests.backtrader.parity.trace import Entry, Trace, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Script", "record"]

_DATA: tuple[str, ...] = ("dt", "size", "remsize", "price", "pricelimit", "pclose", "trailamount", "trailpercent")
_DATA += ("value", "comm", "margin", "pnl", "psize", "pprice")
_ORDER: tuple[str, ...] = ("tradeid", "ordtype", "exectype", "size", "price", "pricelimit", "valid", "dteos", "plen")
_ORDER += ("trailamount", "trailpercent", "transmit", "histnotify")
_TRADE: tuple[str, ...] = ("tradeid", "size", "price", "value", "commission", "pnl", "pnlcomm", "status", "justopened")
_TRADE += ("isopen", "isclosed", "baropen", "dtopen", "barclose", "dtclose", "barlen")
_SETTINGS: tuple[str, ...] = ("cash", "checksubmit", "eosbar", "int2pnl", "shortcash", "fundstartval", "fundmode")
_SETTINGS += ("slip_perc", "slip_fixed", "slip_open", "slip_match", "slip_limit", "slip_out", "filler", "coc", "coo")
_POSITION = ("size", "price", "price_orig", "upopened", "upclosed", "adjbase", "updt")


class Script(NamedTuple):
    """A script: what it puts into a cerebro, the options of the run, and how often it runs."""

    build: Callable[[Any], object]
    options: Mapping[str, Any] = {}
    runs: int = 1


class _Watched:
    """A strategy's `buy` or `sell` that also shows the logbook what it returns."""

    def __init__(self, logbook: Logbook, side: str, send: Callable[..., Any]) -> None:
        self._logbook = logbook
        self._side = side
        self._send = send

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        order = self._send(*args, **kwargs)
        self._logbook.sent(self._side, order)
        return order


class Logbook(bt.Analyzer):
    """Takes down all that one strategy can see; the references of orders and trades count from the run's start."""

    def start(self) -> None:
        self.log: Trace = []
        self._orders: list[Any] = []
        self._bases = {kind: next(kind.refbasis) for kind in (bt.Order, bt.Trade)}
        self._remarks = 0
        for side in ("buy", "sell"):
            setattr(self.strategy, side, _Watched(self, side, getattr(self.strategy, side)))

    def notify_order(self, order: Any) -> None:
        bits = list(order.executed.iterpending())
        fields = dict(self._order(order)) | {"p1": exact(order.executed.p1), "p2": exact(order.executed.p2)}
        for number, bit in enumerate(bits):
            fields |= {f"bit {number}.{name}": exact(value) for name, value in vars(bit).items()}
        self._write("notify_order", fields)

    def notify_trade(self, trade: Any) -> None:
        fields = {name: exact(getattr(trade, name)) for name in _TRADE} | {"data": self._name(trade.data)}
        fields |= {"ref": exact(trade.ref - self._bases[bt.Trade])}
        for number, change in enumerate(trade.history):
            event = {name: value for name, value in change.event.items() if name != "order"}
            fields[f"history {number}"] = exact([dict(change.status), event])
        self._write("notify_trade", fields)

    def notify_cashvalue(self, cash: float, value: float) -> None:
        self._write("notify_cashvalue", {"cash": exact(cash), "value": exact(value)})

    def notify_fund(self, cash: float, value: float, fundvalue: float, shares: float) -> None:
        facts = {"cash": cash, "value": value, "fundvalue": fundvalue, "shares": shares}
        self._write("notify_fund", {name: exact(fact) for name, fact in facts.items()})

    def next(self) -> None:
        remarks = getattr(self.strategy, "remarks", [])
        for remark in remarks[self._remarks :]:
            self._write("remark", {"text": exact(remark)})
        self._remarks = len(remarks)
        broker = self.strategy.broker
        self._write("broker", dict(ledger(broker, self._name)))
        queues = {"open": broker.get_orders_open(), "pending": broker.pending, "orders": broker.orders[-3:]}
        fields = {name: exact([self._ref(order) for order in queue]) for name, queue in queues.items()}
        self._write("orders", fields | {"count": exact(len(broker.orders))})
        for order in self._orders:
            self._write("order", dict(self._living(order)))
        self._orders = [order for order in self._orders if order.alive()]

    def stop(self) -> None:
        self.next()
        settings = self.strategy.broker.p
        self._write("settings", {name: exact(getattr(settings, name)) for name in _SETTINGS})
        for name, analyzer in self.strategy.analyzers.getitems():
            if analyzer is not self:
                self._write("analyzer", {name: exact(analyzer.get_analysis())})
        for observer in self.strategy.stats:
            lines = {line: exact(list(getattr(observer.lines, line).array)) for line in observer.getlinealiases()}
            self._write(f"observer {type(observer).__name__}", lines)
        self._orders = []  # they would drag their feeds along into what an optimisation returns

    def sent(self, side: str, order: Any) -> None:
        """Take down what a call of `buy` or `sell` returned, and follow the order from then on."""
        self._write(side, {"order": "None"} if order is None else dict(self._order(order)))
        if order is not None:
            self._orders.append(order)

    def _write(self, kind: str, fields: Mapping[str, str]) -> None:
        self.log.append(Entry(f"strategy {self.strategy._id}, bar {len(self.strategy)}", kind, fields))

    def _name(self, data: Any) -> str:
        return next((f"data{n}" for n, each in enumerate(self.strategy.datas) if each is data), type(data).__name__)

    def _ref(self, order: Any) -> int | None:
        return None if order is None else order.ref - self._bases[bt.Order]

    def _living(self, order: Any) -> Iterator[tuple[str, str]]:
        """Yield what can change in the order itself, of which the strategy holds on to the object."""
        created, executed = order.created, order.executed
        yield "ref", exact(self._ref(order))
        yield "status", order.getstatusname()
        yield "flags", exact([order.active(), order.triggered, order.plen if hasattr(order, "plen") else None])
        yield "created", exact([created.price, created.pricelimit])
        yield "executed", exact([executed.dt, executed.size, executed.remsize, executed.price, executed.pnl])
        yield "bits", exact([bit.dt for bit in executed.exbits])

    def _order(self, order: Any) -> Iterator[tuple[str, str]]:
        yield "ref", exact(self._ref(order))
        yield "status", order.getstatusname()
        yield "data", self._name(order.data)
        yield "parent", exact(self._ref(order.parent))
        yield "active", exact(order.active())
        yield "triggered", exact(order.triggered)
        yield "info", exact(dict(order.info))
        yield "comminfo", type(order.comminfo).__name__
        for name in _ORDER:
            yield name, exact(getattr(order, name, None))
        for part in ("created", "executed"):
            for name in _DATA:
                yield f"{part}.{name}", exact(getattr(getattr(order, part), name))
        yield "bits", exact(len(order.executed))


class Lookout:
    """Looks at the broker at the start of each cycle of a run that is neither preloaded nor vectorised."""

    def __init__(self, cerebro: Any) -> None:
        self.log: Trace = []
        self._cerebro = cerebro

    def start(self) -> None:
        """Do what a store does when a run begins: here, nothing."""

    stop = start

    def get_notifications(self) -> Sequence[object]:
        datas = self._cerebro.datas
        name = {id(data): f"data{number}" for number, data in enumerate(datas)}
        fields = dict(ledger(self._cerebro.broker, lambda data: name[id(data)]))
        fields["open orders"] = exact(len(self._cerebro.broker.get_orders_open()))
        self.log.append(Entry(f"cycle {len(self.log)}", "broker", fields))
        return ()


def ledger(broker: Any, name: Callable[[Any], str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a broker's ledger, its positions in the order in which they were opened."""
    yield "cash", exact(broker.getcash())
    yield "cash by its other names", exact([broker.get_cash(), broker.cash])
    yield "starting cash", exact(broker.startingcash)
    for mkt in (False, True):
        for lever in (False, True):
            yield f"value, mkt={mkt}, lever={lever}", exact(broker.getvalue(mkt=mkt, lever=lever))
    yield "value by its other names", exact([broker.get_value(), broker.get_value_lever()])
    yield "fund value", exact(broker.fundvalue)
    yield "fund shares", exact(broker.fundshares)
    yield "fund mode", exact(broker.fundmode)
    yield "leverage", exact(broker.get_leverage())
    yield "unrealized", exact(broker._unrealized)
    for data, position in broker.positions.items():
        fields = [exact(getattr(position, field, None)) for field in _POSITION]
        yield from zip((f"{name(data)}.{field}" for field in _POSITION), fields, strict=True)


def record(script: Script, broker: Callable[[], Any]) -> Trace:
    """Run a script with the broker that `broker` makes, and return what each of its strategies saw, one after another.

    What the run raises is the trace's last entry.
    """
    cerebro = bt.Cerebro()
    cerebro.setbroker(broker())
    script.build(cerebro)
    cerebro.addanalyzer(Logbook, _name="logbook")
    lookout = Lookout(cerebro)
    if any(data.islive() for data in cerebro.datas):
        cerebro.addstore(lookout)
    trace: Trace = []
    for number in range(script.runs):
        failures: Trace = []
        try:
            cerebro.run(**script.options)
        except Warning:  # raised by the test runner, and for both brokers alike: the script would prove nothing
            raise
        except Exception as error:  # noqa: BLE001 - whatever the stock broker raises, ours has to raise as well
            fields = {"type": type(error).__name__, "message": exact(str(error))}
            failures.append(Entry(f"run {number}", "raised", fields))
        trace += (*_collected(cerebro), *failures)
    return trace + lookout.log


def _collected(cerebro: Any) -> Iterator[Entry]:
    runs = cerebro.runstrats if cerebro._dooptimize else [getattr(cerebro, "runningstrats", [])]
    for strategies in runs:
        for strategy in strategies:
            yield from strategy.analyzers.getbyname("logbook").log
    for writer in cerebro.runwriters:
        if hasattr(writer.out, "getvalue"):
            lines = writer.out.getvalue().splitlines()
            yield Entry("end", "writer", {f"line {number}": line for number, line in enumerate(lines)})
