"""The stock broker in fewer steps: what it looks for in vain with each order and each bar is there at once."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

from backtrader import num2date
from backtrader.brokers import BackBroker
from backtrader.order import BuyOrder, Order, SellOrder

from seatrial_backtrader.clones import begin, blank

__all__ = ["QuickBroker"]

_POSITIONS = (
    *("price", "plimit", "exectype", "valid", "tradeid", "oco", "trailamount", "trailpercent", "parent", "transmit"),
    *("histnotify", "_checksubmit"),
)
"""What follows the size where a strategy gives it by position."""


_OF_LINES = ("buflen", "getlinealiases", "_getlinealias")
"""What a feed is asked for with each bar, and only its lines know."""


_TRAILS = (Order.StopTrail, Order.StopTrailLimit)
_num2date = lru_cache(maxsize=16)(num2date)  # an order, its fill and interest ask for the same bar's


def _moment(stamps: Any, ago: int = 0, tz: Any = None, naive: bool = True) -> Any:  # noqa: FBT001, FBT002 - as a line's
    """Return when a bar of a feed with these stamps was."""
    return _num2date(stamps.array[stamps._idx + ago], tz=tz or stamps._tz, naive=naive)


class QuickBroker(BackBroker):
    """The stock broker, with the same orders and the same outcome."""

    _pchildren: dict[int, Any]

    def start(self) -> None:
        """Begin a run; feeds have their lines as attributes from now on, which Backtrader looks for there first."""
        super().start()
        for data in self.cerebro.datas:
            own, kind = vars(data), type(data)
            for name in (*data.getlinealiases(), *_OF_LINES):
                if not hasattr(kind, name):
                    own.setdefault(name, getattr(data.lines, name))
            stamps = data.lines.datetime
            vars(stamps)["datetime"] = partial(_moment, stamps)

    def get_notification(self) -> Any:
        """Return the next notification; `None` when there is none, which takes the stock broker an exception."""
        return self.notifs.popleft() if self.notifs else None

    def buy(self, owner: Any, data: Any, size: Any, *asked: Any, **named: Any) -> Any:
        """Send an order to buy, and return it."""
        if asked:
            named.update(zip(_POSITIONS, asked, strict=False))
        return self._offer(BuyOrder, owner, data, size, **named)

    def sell(self, owner: Any, data: Any, size: Any, *asked: Any, **named: Any) -> Any:
        """Send an order to sell, and return it."""
        if asked:
            named.update(zip(_POSITIONS, asked, strict=False))
        return self._offer(SellOrder, owner, data, size, **named)

    def submit(self, order: Any, check: bool = True) -> Any:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Take an order; one that is nobody's child, and leaves alone, passes no list of children."""
        if order.parent is None and order.transmit and order.ref not in self._pchildren:
            self._pchildren[order.ref].append(order)
            return self.transmit(order, check=check)
        return super().submit(order, check=check)

    def _offer(
        self,
        kind: Any,
        /,  # a strategy may put a `kind` of its own into order.info
        owner: Any,
        data: Any,
        size: Any,
        *,
        price: Any = None,
        plimit: Any = None,
        exectype: Any = None,
        valid: Any = None,
        tradeid: Any = 0,
        oco: Any = None,
        trailamount: Any = None,
        trailpercent: Any = None,
        parent: Any = None,
        transmit: Any = True,
        histnotify: Any = False,
        _checksubmit: Any = True,
        **info: Any,
    ) -> Any:
        order = blank(kind)
        terms = order.params
        terms.owner = order.owner = owner
        terms.data = order.data = data
        terms.size = order.size = size
        terms.exectype = order.exectype = exectype
        terms.valid = order.valid = valid
        terms.tradeid = order.tradeid = tradeid
        terms.parent = order.parent = parent
        terms.transmit = order.transmit = transmit
        terms.price, terms.pricelimit, terms.histnotify = price, plimit, histnotify
        terms.trailamount, terms.trailpercent = trailamount, trailpercent
        if valid is None and exectype not in _TRAILS:
            begin(order, price, plimit)
        else:
            order.__init__()
        if info:
            order.addinfo(**info)
        self._ocoize(order, oco)
        return self.submit(order, check=_checksubmit)
