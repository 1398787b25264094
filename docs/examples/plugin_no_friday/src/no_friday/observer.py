"""An observer: writes every event to the log named `no_friday`."""

import logging

from seatrial import Order
from seatrial.clock import iso
from seatrial.contracts.events import Event

LOG = logging.getLogger("no_friday")


class EventLog:
    """Writes one line per event."""

    def notify(self, event: Event, order: Order | None) -> None:
        """Write when the client heard of the event, what it was, and which order it was about."""
        LOG.info("%s %s %s", iso(event.reported_at), type(event).__name__, order.order_id if order else "-")
