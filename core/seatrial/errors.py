"""The errors seatrial raises: one class per condition, all under :class:`SeatrialError`.

A message says what is wrong, where, and what to do next. Each error keeps the values it was built from as attributes.
A refusal that is part of trading (a risk limit, too little cash) is never an exception: it is a
:class:`~seatrial.contracts.rejection.Rejection` on the order.
"""

from __future__ import annotations

from enum import Enum

__all__ = [
    "CheckpointError",
    "CheckpointLockedError",
    "CheckpointVersionError",
    "CheckpointWarning",
    "ClockError",
    "EngineNotInstalledError",
    "InvalidConfigError",
    "InvalidMarketDataError",
    "InvalidOrderError",
    "InvalidTimeError",
    "InvalidTransition",
    "PluginClashError",
    "PluginError",
    "PytestMissingError",
    "ReentrantCallError",
    "SeatrialError",
    "StrategyError",
    "TapeError",
    "UnknownOrderError",
    "UnknownPluginNameError",
]


class SeatrialError(Exception):
    """The root of every error seatrial raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        """Let a process tell it to another: the message and the values are kept, not made anew."""
        return _told, (type(self), self.args), vars(self)


def _told(kind: type[SeatrialError], args: tuple[object, ...]) -> SeatrialError:
    """Return an error with the message of another; its values are set by who reads it."""
    return kind.__new__(kind, *args)


class InvalidTimeError(SeatrialError, ValueError):
    """A time that cannot be placed on the UTC time line (a naive datetime, a float, a negative stamp)."""

    def __init__(self, value: object, problem: str, remedy: str) -> None:
        """Keep the offending `value`; `problem` and `remedy` are the two halves of the message."""
        super().__init__(f"{value!r} is no usable time: {problem}; {remedy}")
        self.value = value


class ClockError(SeatrialError, ValueError):
    """A call carried a time before the time already reached."""

    def __init__(self, timestamp: int, now: int, what: str) -> None:
        """Keep both times, in UNIX ns UTC; `what` names the call."""
        super().__init__(
            f"{what} at {timestamp} ns lies {now - timestamp} ns before the time already reached ({now} ns); "
            "feed orders and market data in time order"
        )
        self.timestamp = timestamp
        self.now = now


class InvalidOrderError(SeatrialError, ValueError):
    """An order whose own fields contradict each other; it never came into being."""

    def __init__(self, order_id: object, field: str, problem: str) -> None:
        """Keep the order id and the name of the field to change."""
        super().__init__(f"order {order_id!r}: {field}: {problem}")
        self.order_id = order_id
        self.field = field


class InvalidMarketDataError(SeatrialError, ValueError):
    """A quote, trade, bar or price that no market can have shown."""

    def __init__(self, symbol: object, field: str, problem: str) -> None:
        """Keep the symbol and the name of the offending field."""
        super().__init__(f"market data for {symbol!r}: {field}: {problem}")
        self.symbol = symbol
        self.field = field


class TapeError(SeatrialError, ValueError):
    """A file of market data, or a row of one, that cannot be used."""

    def __init__(self, file: str, line: int | None, problem: str, remedy: str) -> None:
        """Keep the file, the line (the row in Parquet; `None` for the file as a whole), the problem and what to do."""
        where = file if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {problem}; {remedy}")
        self.file = file
        self.line = line
        self.problem = problem
        self.remedy = remedy


class InvalidConfigError(SeatrialError, ValueError):
    """A configuration value that cannot be used."""

    def __init__(self, setting: str, value: object, problem: str) -> None:
        """Keep the setting's name, the value given for it, and what is wrong with that."""
        shown = value.value if isinstance(value, Enum) else value
        super().__init__(f"{setting}={shown!r}: {problem}")
        self.setting = setting
        self.value = value
        self.problem = problem


class InvalidTransition(SeatrialError):
    """An event that an order in its present status cannot take."""

    def __init__(self, order: object, event: object, status: str, allowed: tuple[str, ...]) -> None:
        """Keep the order, the event and the names of the events that were allowed."""
        order_id = getattr(order, "order_id", order)
        can = ", ".join(allowed) or "nothing"
        super().__init__(f"order {order_id!r} is {status}: it cannot take {type(event).__name__}, only {can}")
        self.order = order
        self.event = event
        self.allowed = allowed


class UnknownOrderError(SeatrialError, KeyError):
    """An order id that was never submitted here."""

    def __init__(self, order_id: str) -> None:
        """Keep the id."""
        super().__init__(f"no order {order_id!r} was submitted here; check the id, or submit the order first")
        self.order_id = order_id

    def __str__(self) -> str:
        """Show the message as it is; KeyError would show its repr."""
        return str(self.args[0])


class ReentrantCallError(SeatrialError, RuntimeError):
    """A listener tried to move time while time was being moved."""

    def __init__(self, what: str) -> None:
        """Keep the name of the call."""
        super().__init__(
            f"{what} was called from inside a listener; listeners may submit, modify and cancel, "
            "but only the outermost caller may feed market data or advance time"
        )
        self.what = what


class PluginError(SeatrialError):
    """A plugin that cannot be used; it says which, from where, and why."""

    def __init__(self, plugin: str, distribution: str, problem: str) -> None:
        """Keep the plugin's name, the distribution it came from, and the problem."""
        super().__init__(f"plugin {plugin!r} (from {distribution}): {problem}")
        self.plugin = plugin
        self.distribution = distribution
        self.problem = problem


class PluginClashError(SeatrialError):
    """Two plugins offer one name."""

    def __init__(self, name: str, hook: str, owners: tuple[str, ...]) -> None:
        """Keep the name, the hook, and both owners."""
        super().__init__(f"{hook}: {name!r} is offered by both {' and '.join(owners)}; disable one of them")
        self.name = name
        self.hook = hook
        self.owners = owners


class UnknownPluginNameError(SeatrialError, LookupError):
    """A name that no plugin offers."""

    def __init__(self, what: str, name: str, known: tuple[str, ...], failures: tuple[str, ...]) -> None:
        """Keep the name, what is known, and who failed to load and might have known it."""
        on_offer = ", ".join(known) or "none"
        failed = f"; not loaded: {'; '.join(failures)}" if failures else ""
        super().__init__(f"no {what} {name!r} is installed (on offer: {on_offer}){failed}")
        self.name = name
        self.known = known
        self.failures = failures


class EngineNotInstalledError(SeatrialError, ImportError):
    """An engine whose own package is missing."""

    def __init__(self, engine: str, package: str, extra: str) -> None:
        """Keep the engine, the package it stands on, and the extra of ours that brings it."""
        super().__init__(f"engine {engine!r} needs {package}, which is not installed: pip install 'seatrial[{extra}]'")
        self.engine = engine
        self.package = package
        self.extra = extra


class StrategyError(SeatrialError):
    """A strategy that cannot be found or built, or that failed while it ran."""

    def __init__(self, path: str, problem: str) -> None:
        """Keep where the strategy is, and the problem."""
        super().__init__(f"strategy {path!r}: {problem}")
        self.path = path
        self.problem = problem


class PytestMissingError(SeatrialError, ImportError):
    """The conformance suite was asked for where there is no pytest."""

    def __init__(self) -> None:
        """Say what to install."""
        super().__init__("EngineSuite needs pytest; install it with: pip install 'seatrial[testing]'")


class CheckpointError(SeatrialError):
    """A checkpoint that cannot be written, found or believed."""

    def __init__(self, path: object, problem: str) -> None:
        """Keep the file or directory, and the problem."""
        super().__init__(f"checkpoint {path}: {problem}")
        self.path = str(path)
        self.problem = problem


class CheckpointLockedError(CheckpointError):
    """Somebody else writes the checkpoints of this simulator."""

    def __init__(self, path: object, holder: str) -> None:
        """Keep the directory and who holds it."""
        super().__init__(path, f"{holder} writes here; stop it, or run under another simulator_id")
        self.holder = holder


class CheckpointVersionError(CheckpointError):
    """A checkpoint of a format this version cannot read."""

    def __init__(self, path: object, version: int, supported: int) -> None:
        """Keep the file, its format, and the newest format known here."""
        super().__init__(
            path, f"its format is {version}, this version of seatrial reads up to {supported}; update seatrial"
        )
        self.version = version
        self.supported = supported


class CheckpointWarning(UserWarning):
    """A checkpoint was passed over, or mended, on the way to a good one."""
