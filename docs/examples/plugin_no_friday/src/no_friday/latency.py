"""A latency model: a link that loses some messages and sends those again."""

from seatrial.errors import InvalidConfigError


class Retrying:
    """Takes `base_ms`, and `timeout_ms` more for every time a message is lost, as `loss_pct` of all attempts are."""

    def __init__(self, base_ms: int, timeout_ms: int, loss_pct: int) -> None:
        if not 0 <= loss_pct < 100:
            raise InvalidConfigError("loss_pct", loss_pct, "give whole per cent, from 0 to 99")
        self.base_ns = base_ms * 1_000_000
        self.timeout_ns = timeout_ms * 1_000_000
        self.loss_pct = loss_pct

    def sample(self, bits: int) -> int:
        """Return the delay in ns: the fewer of all 2**64 values lie below `bits`, the more attempts were lost."""
        delay_ns, lost_below = self.base_ns, 2**64 * self.loss_pct // 100
        while bits < lost_below:
            delay_ns += self.timeout_ns
            lost_below = lost_below * self.loss_pct // 100
        return delay_ns
