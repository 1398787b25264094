"""Text as UTF-8 can hold it: a string of Python's may hold half a character, which no file takes.

`os.fsdecode` makes such halves (lone surrogates) of file names that are not UTF-8.
"""

from __future__ import annotations

__all__ = ["holds", "said", "shown"]


def holds(text: str) -> bool:
    """Return whether UTF-8 can hold `text`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(text: str) -> str:
    r"""Return `text` with what UTF-8 cannot hold escaped.

    >>> shown("Z\udcfcrich")
    'Z\\udcfcrich'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def said(error: Exception) -> str:
    """Return an error's class and what it says, if it can be made to say it.

    >>> said(KeyError("x"))
    "KeyError: 'x'"
    """
    try:
        return shown(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 - an error that cannot even be shown
        return type(error).__name__
