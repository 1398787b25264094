"""Whether what lies on the disk is the user's own work: only a file that nobody else can have written is read.

:raises CheckpointError: for what is not there, is no regular file, or may be somebody else's, saying how to mend it.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from seatrial.errors import CheckpointError, CheckpointWarning

__all__ = ["SAFELY", "check_directory", "read_own", "unread"]

# Links are not followed, and a pipe that bears a checkpoint's name does not hold its reader up.
SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags to open any file with."""

_OTHERS_WRITE, _OTHERS_READ = 0o022, 0o044


def read_own(path: Path) -> bytes:
    """Return the bytes of a regular file of this user's that nobody else can have written, nor put in its place."""
    try:
        check_directory(path.parent)
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | SAFELY)) as file:
            status = os.fstat(file.fileno())
            mode = stat.S_IMODE(status.st_mode) if os.name == "posix" else 0o600
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(path, "it is no regular file")
            if sys.platform != "win32" and status.st_uid != os.geteuid():
                owner = f"it belongs to another user (uid {status.st_uid}, not {os.geteuid()})"
                raise CheckpointError(path, f"{owner}: look, then copy it or chown it")
            if mode & _OTHERS_WRITE:
                raise CheckpointError(path, f"others may have written it (mode {mode:04o}): look, then chmod 600")
            if sys.platform != "win32" and mode & _OTHERS_READ:
                with suppress(OSError):
                    os.fchmod(file.fileno(), 0o600)
                now = f"mode {mode:04o}, now {stat.S_IMODE(os.fstat(file.fileno()).st_mode):04o}"
                warnings.warn(CheckpointWarning(f"checkpoint {path}: others could read it ({now})"), stacklevel=3)
            return file.read()
    except OSError as error:
        raise CheckpointError(path, unread(error)) from error


def check_directory(directory: Path) -> None:
    """Refuse a directory in which others may replace what lies there; a sticky one, such as /tmp, keeps them from it.

    :raises OSError: when it is not there.
    """
    mode = stat.S_IMODE(directory.stat().st_mode)
    if os.name == "posix" and mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
        problem = f"others may write in its directory (mode {mode:04o}): look, then chmod 700 {directory}"
        raise CheckpointError(directory, problem)


def unread(error: OSError) -> str:
    """Return why something could not be read."""
    known = {errno.ENOENT: "it is not there", errno.ELOOP: "it is a symbolic link"}
    return known.get(error.errno or 0, f"it cannot be read: {error.strerror or error}")
