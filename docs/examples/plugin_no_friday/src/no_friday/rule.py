"""A risk rule: no opening orders on Fridays."""

from zoneinfo import ZoneInfo

from seatrial import Order, RiskViolation
from seatrial.clock import from_ns
from seatrial.contracts.account import RiskView


class NoFriday:
    """Refuses orders that do not provably reduce a position while it is Friday in `zone`."""

    exempts_reducing = True

    def __init__(self, zone: str = "UTC") -> None:
        self.zone = ZoneInfo(zone)

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        """Look at the day in the zone at `now`."""
        if from_ns(now).astimezone(self.zone).weekday() == 4:
            return RiskViolation(f"Friday in {self.zone}: {account.position(order.symbol)} {order.symbol} are enough")
        return None
