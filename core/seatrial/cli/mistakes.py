"""An error as one line for its user; where a strategy's own code raised, its file and line are named."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

from seatrial.errors import StrategyError

__all__ = ["as_fault", "as_line"]

_PACKAGE = Path(__file__).resolve().parents[1]


def as_line(error: Exception) -> str:
    """Return what is wrong, for the one who can mend it.

    >>> as_line(FileNotFoundError(2, "No such file or directory", "here"))
    'here: No such file or directory; check the path'
    """
    if isinstance(error, OSError) and error.filename is not None:
        rights = ", and that this user may write there" if isinstance(error, PermissionError) else ""
        return f"{error.filename}: {error.strerror}; check the path{rights}"
    text = str(error) or type(error).__name__
    if isinstance(error, StrategyError) and error.__cause__ is not None:
        place = _place(error.__cause__, within=False)
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
    place = _place(error, within=True)
    return f"{type(error).__name__}: {error}{f' ({place})' if place else ''}"


def _place(cause: BaseException, *, within: bool) -> str:
    """Return the file and line where an error arose: the innermost one within seatrial, or outside it."""
    if isinstance(cause, SyntaxError) and cause.filename is not None:
        return f"{Path(cause.filename).name}:{cause.lineno}"
    frames = [
        frame
        for frame in extract_tb(cause.__traceback__)
        if not frame.filename.startswith("<") and Path(frame.filename).resolve().is_relative_to(_PACKAGE) is within
    ]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
