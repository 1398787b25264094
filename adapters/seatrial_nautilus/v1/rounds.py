"""What is due at the venues of one engine arrives in rounds, as NautilusTrader's own engine does it.

In a round everything due now arrives, venue by venue; then every market of every venue looks at its orders once more,
also where nothing arrived. What that brings about is another round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial_nautilus.v1.session import Session

__all__ = ["Peers", "run_until"]


class Peers:
    """The clients of one engine, in the order of its venues; they begin with the first datum of all."""

    def __init__(self) -> None:
        """Begin with none."""
        self.clients: list[Any] = []
        self.sessions: list[Session] = []
        self.has_begun = False


def run_until(sessions: Sequence[Session], until: int) -> None:
    """Deliver everything due by `until`, in time order, each at its own time; `sessions` share one trader's clock."""
    if len(sessions) == 1:
        sessions[0].run_until(until)
        return
    for one in sessions:
        one.open_day(until)
    while (due := min([one.due() for one in sessions])) <= until:
        now = max(due, *[one.gate.now for one in sessions])
        arrived = [one.deliver(now) for one in sessions if one.due() <= now]
        if any(arrived):
            for one in sessions:
                one.settle(now)
