"""Observers: told everything, trusted with nothing. One that fails is dropped and named, and the run goes on."""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts._text import words
from seatrial.errors import InvalidConfigError, SeatrialError
from seatrial.gate.keeping import as_state, load_state, unique

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.contracts.plugin import Observer

__all__ = ["Observers", "ObserversState"]

_LOG = logging.getLogger(__name__)


class ObserversState(msgspec.Struct, frozen=True):
    """What observers want kept, by name, and who was dropped, with what."""

    states: dict[str, msgspec.Raw]
    dropped: dict[str, str]


class Observers:
    """A listener that passes on to observers by name, in order of name."""

    __slots__ = ("_dropped", "_listening")

    def __init__(self, observers: Iterable[tuple[str, Observer]]) -> None:
        """Pass on to `observers`."""
        self._listening: dict[str, Observer] = {}
        for name, observer in sorted(observers, key=lambda pair: pair[0]):
            self._listening[unique(name, self._listening)] = observer
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
                self._drop(name, error)

    def _drop(self, name: str, error: Exception) -> None:
        _LOG.warning("observer %r failed and hears no more of this run", name, exc_info=error)
        del self._listening[name]
        self._dropped[name] = error

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> ObserversState:
        """Return the states of those that have one; one whose `save_state()` raises has failed as in `notify`.

        :raises InvalidConfigError: naming it, for a state that is no JSON value.
        """
        states: dict[str, msgspec.Raw] = {}
        for name, observer in tuple(self._listening.items()):
            save = getattr(observer, "save_state", None)
            if not callable(save):
                continue
            try:
                value = save()
            except Exception as error:  # noqa: BLE001 - as above
                self._drop(name, error)
            else:
                states[name] = as_state("observers", name, value)
        return ObserversState(states, {name: words(error) for name, error in self._dropped.items()})

    def restore(self, state: ObserversState) -> None:
        """Hand everybody back what they wanted kept, and drop who was dropped.

        :raises InvalidConfigError: for a state of somebody who does not listen, or takes none.
        """
        for name, error in state.dropped.items():
            self._listening.pop(name, None)
            self._dropped[name] = SeatrialError(error)
        for name, kept in state.states.items():
            if name not in self._listening:
                raise InvalidConfigError("observers", name, "the checkpoint has a state of it; let it observe again")
            load_state("observers", name, self._listening[name], kept)
