"""An error as one line for its user; where a strategy's own code raised, its file and line are named."""

from __future__ import annotations

from seatrial.contracts._text import said, shown, words
from seatrial.engine.places import place_of
from seatrial.errors import StrategyError

__all__ = ["as_fault", "as_line"]


def as_line(error: Exception) -> str:
    """Return what is wrong, for the one who can mend it.

    >>> as_line(FileNotFoundError(2, "No such file or directory", "here"))
    'here: No such file or directory; check the path'
    """
    return shown(_line(error))


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        rights = ", and that this user may write there" if isinstance(error, PermissionError) else ""
        return f"{error.filename}: {error.strerror}; check the path{rights}"
    text = words(error) or type(error).__name__
    if isinstance(error, StrategyError) and error.__cause__ is not None:
        place = place_of(error.__cause__)
        hint = _hint(error.__cause__)
        return f"{text}{hint}" if not place or place in text else f"{text}, at {place}{hint}"
    return text


def _hint(cause: BaseException) -> str:
    """Return what helps with the one mistake that nearly every new strategy makes."""
    mixed = isinstance(cause, TypeError) and "'float'" in str(cause) and "'decimal.Decimal'" in str(cause)
    return '; prices and quantities are Decimal: write Decimal("0.98") for 0.98' if mixed else ""


def as_fault(error: Exception) -> str:
    """Return what went wrong inside seatrial, for those who will have to look.

    >>> as_fault(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero'
    """
    place = place_of(error, within=True)
    return f"{said(error)}{f' ({place})' if place else ''}"
