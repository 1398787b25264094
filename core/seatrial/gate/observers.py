"""Observers: told everything, trusted with nothing. One that fails is dropped and named, and the run goes on."""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.contracts.plugin import Observer

__all__ = ["Observers"]

_LOG = logging.getLogger(__name__)


class Observers:
    """A listener that passes on to observers by name, in order of name."""

    __slots__ = ("_dropped", "_listening")

    def __init__(self, observers: Iterable[tuple[str, Observer]]) -> None:
        """Pass on to `observers`."""
        self._listening: dict[str, Observer] = {}
        for name, observer in sorted(observers, key=lambda pair: pair[0]):
            count = sum(1 for known in self._listening if known.partition("#")[0] == name)
            self._listening[f"{name}#{count + 1}" if count else name] = observer
        self._dropped: dict[str, Exception] = {}

    @property
    def dropped(self) -> Mapping[str, Exception]:
        """Who failed, with what. A live, read-only view."""
        return MappingProxyType(self._dropped)

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._listening)

    def __call__(self, event: Event, order: Order | None) -> None:
        """Tell every observer that has not failed yet."""
        for name, observer in tuple(self._listening.items()):
            try:
                observer.notify(event, order)
            except Exception as error:  # noqa: BLE001 - whatever a stranger raises, the run goes on without them
                _LOG.warning("observer %r failed and hears no more of this run", name, exc_info=error)
                del self._listening[name]
                self._dropped[name] = error
