"""Text as UTF-8 can hold it: a string of Python's may hold half a character, which no file takes.

`os.fsdecode` makes such halves (lone surrogates) of file names that are not UTF-8.
"""

from __future__ import annotations

import re

__all__ = ["PLAIN_NAME", "REMEDY", "holds", "is_plain_name", "said", "shown", "words"]

REMEDY = "give text without lone surrogates, for example text.encode('utf-8', 'backslashreplace').decode()"


PLAIN_NAME = "letters, digits, '-', '_' and '.', the last neither first nor last"
"""What :func:`is_plain_name` wants."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")


def is_plain_name(text: str) -> bool:
    """Return whether `text` can name a file or folder anywhere, and leads out of none.

    >>> is_plain_name("paper-001"), is_plain_name("../paper")
    (True, False)
    """
    return _PLAIN_NAME.fullmatch(text) is not None


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


def words(error: Exception) -> str:
    """Return what an error says; its class, where it cannot be made to say anything."""
    try:
        return shown(str(error))
    except Exception:  # noqa: BLE001 - an error that cannot even be shown
        return type(error).__name__


def said(error: Exception) -> str:
    """Return an error's class and what it says.

    >>> said(KeyError("x"))
    "KeyError: 'x'"
    """
    return f"{shown(type(error).__name__)}: {words(error)}"
