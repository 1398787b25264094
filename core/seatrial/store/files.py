"""Checkpoint files: a write is there whole or not at all, a read is believed or refused.

`ROOT/{simulator_id}/{simulated time}-{sequence}.json` is one checkpoint, `latest.json` beside it the newest once more.
What is inside is no concern of this module: it is handed the body as chunks of JSON and puts a header before it. A file
is one JSON object that opens with the SHA-256 of every byte after its 64 digits, then the other members of
:class:`CheckpointHeader` in their order, all in the first line; a second line begins with `"body":`.

A file is written under a temporary name, synced, renamed, then linked to `latest.json`: a crash at any instant leaves
the old or the new one to be found as the newest, whole. Files are the user's alone (mode 0600) from their first byte.
What others may have put there is neither read nor written beside.
A simulator has one writer at a time, who holds a lock until closed or dead; readers need none.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
import warnings
import weakref
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Self

import msgspec

from seatrial.clock import MAX_NS, iso, to_ns
from seatrial.contracts._expect import expect
from seatrial.contracts._text import PLAIN_NAME, is_plain_name
from seatrial.errors import (
    CheckpointError,
    CheckpointLockedError,
    CheckpointVersionError,
    CheckpointWarning,
    InvalidConfigError,
)
from seatrial.store.own import SAFELY, check_directory, read_own, unread

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["LATEST", "CheckpointEntry", "CheckpointFiles", "CheckpointHeader"]

LATEST = "latest.json"
"""The name under which the newest checkpoint of a simulator is found once more."""

_FRESH = ".fresh.tmp"  # one name does for one writer at a time, and what a crash left is found without a search
_OPENING, _BODY, _END = b'{"checksum":"', b',\n"body":', b"}\n"
_SUMMED = len(_OPENING) + 64
_FILE_NAME = re.compile(r"([0-9]{8}T[0-9]{6})\.([0-9]{9})Z-([0-9]{6,})\.json")
_MENDED = "put back a good copy of one, or begin anew, with another id or directory"
_version = cache(version)  # the distribution's metadata are read once


class CheckpointHeader(msgspec.Struct, frozen=True):
    """What a file says of itself; `timestamp` is the simulation's, in UNIX ns UTC, and `time` the same for people.

    A later format may add members, but keeps these, so that every version can tell which format it has before it.
    """

    checksum: str
    format: int
    simulator_id: str
    sequence: int
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=MAX_NS)]
    time: str
    seatrial: str


class CheckpointEntry(msgspec.Struct, frozen=True):
    """A file that is there, as its name tells it: nothing has been read or checked."""

    path: Path
    simulator_id: str
    sequence: int
    timestamp: int


class CheckpointFiles:
    """The checkpoints of any number of simulators under one directory."""

    def __init__(self, root: str | Path, *, formats: int = 1) -> None:
        """Touch nothing yet; `formats` is the newest format of bodies the caller understands."""
        expect("root", root, str | Path, "a directory, as str or Path")
        expect("formats", formats, int, "an int")
        self.root = Path(root)
        self._formats = formats
        self._mutex = threading.Lock()
        self._locks: dict[str, _Lock] = {}
        weakref.finalize(self, _release, self._locks)

    def write(self, simulator_id: str, timestamp: int, format: int, body: Iterable[bytes]) -> Path:  # noqa: A002 - as in the header
        """Write a checkpoint, wait until the disk has it, and return its path; `body` is one JSON value in chunks.

        The first write for a simulator takes its lock. A failure leaves what was written before as it was.

        :raises CheckpointError: when it cannot be written.
        :raises CheckpointLockedError: when somebody else writes here.
        :raises InvalidConfigError: for a bad id, or a format that could not be read back here.
        :raises InvalidTimeError: for a timestamp outside 1970-2262.
        """
        directory = self._directory(simulator_id)
        timestamp = to_ns(timestamp)
        if not 1 <= format <= self._formats:
            raise InvalidConfigError("format", format, f"give 1 to {self._formats}, which can be read back here")
        value = b"".join(body)
        with self._mutex:
            try:
                lock = self._locked(directory)
                sequence, time, seatrial = lock.sequence + 1, iso(timestamp), _version("seatrial")
                header = CheckpointHeader("0" * 64, format, simulator_id, sequence, timestamp, time, seatrial)
                return _publish(directory, header, value, lock)
            except OSError as error:
                enough = error.errno in {errno.ENOSPC, errno.EDQUOT}
                remedy = "free some space" if enough else "see that this user may write there"
                problem = f"it cannot be written: {error.strerror or error}; {remedy}, or keep checkpoints elsewhere"
                raise CheckpointError(directory, problem) from error

    def newest(self, simulator_id: str) -> tuple[CheckpointHeader, bytes]:
        """Return the header and the body of a simulator's newest good checkpoint.

        A :class:`~seatrial.errors.CheckpointWarning` names what had to be passed over, why, and the file used instead.

        :raises CheckpointError: when there is none, or none that is good.
        :raises CheckpointVersionError: when a newer version of seatrial wrote here.
        """
        directory = self._directory(simulator_id)
        paths = [directory / LATEST, *(entry.path for entry in _entries_in(directory))]
        if len(paths) == 1 and not os.path.lexists(paths[0]):
            there = f"the ids there are {', '.join(ids)}" if (ids := _ids_in(self.root)) else "there is no other id"
            raise CheckpointError(directory, f"no checkpoint of {simulator_id!r} under {self.root}; {there}")
        refused: dict[str, list[str]] = {}
        for path in paths:
            try:
                found = self.read(path)
            except CheckpointVersionError:
                raise
            except CheckpointError as error:
                refused.setdefault(error.problem, []).append(path.name)
                continue
            if refused:
                text = f"checkpoint {directory}: passed over {_summary(refused)}; {path.name} is used instead"
                warnings.warn(CheckpointWarning(text), stacklevel=2)
            return found
        problem = f"none that is there can be believed: {_summary(refused, most=3)}; {_MENDED}"
        raise CheckpointError(directory, problem)

    def read(self, path: str | Path) -> tuple[CheckpointHeader, bytes]:
        """Return the header and the body of exactly this file: whole, unchanged, and in its place.

        A file that others may read is made private, with a :class:`~seatrial.errors.CheckpointWarning`.

        :raises CheckpointError: when it is not there, or not to be believed.
        :raises CheckpointVersionError: when a newer version of seatrial wrote it.
        """
        path = Path(path).absolute()
        # Listed before the file is opened: a writer may come between, and `latest.json` is the newer one then.
        beside = _entries_in(path.parent) if path.name == LATEST else []
        header, body = _opened(path, read_own(path), self._formats)
        name = _file_name(header.timestamp, header.sequence)
        if header.simulator_id != path.parent.name:
            raise CheckpointError(path, f"it belongs to {header.simulator_id!r}")
        if path.name not in {name, LATEST}:
            raise CheckpointError(path, f"its name is not its own: it holds {name}")
        if beside and beside[0].path.name != name and header.sequence <= beside[0].sequence:
            raise CheckpointError(path, f"it holds {name}, which is not the newest there")
        return header, body

    def entries(self, simulator_id: str | None = None) -> tuple[CheckpointEntry, ...]:
        """Return what is there by name, newest first: by sequence, or by simulated time over all simulators."""
        if simulator_id is not None:
            return tuple(_entries_in(self._directory(simulator_id)))
        found = [entry for name in _ids_in(self.root) for entry in _entries_in(self.root / name)]
        return tuple(sorted(found, key=lambda entry: (entry.timestamp, entry.sequence), reverse=True))

    def close(self) -> None:
        """Release the locks; a later write takes them again."""
        with self._mutex:
            _release(self._locks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _directory(self, simulator_id: object) -> Path:
        if not isinstance(simulator_id, str) or not is_plain_name(simulator_id):
            raise InvalidConfigError("simulator_id", simulator_id, f"give a plain file name: {PLAIN_NAME}")
        return self.root / simulator_id

    def _locked(self, directory: Path) -> _Lock:
        lock = self._locks.get(directory.name)
        if lock is None or not lock.holds():
            if lock is not None:
                os.close(self._locks.pop(directory.name).fd)
            lock = self._locks[directory.name] = _Lock(directory)
        return lock


class _Lock:
    """The right to write into one directory, given up when its file is closed, and the last sequence written there."""

    def __init__(self, directory: Path) -> None:
        _make_directory(directory)
        check_directory(directory)
        self._pid = os.getpid()
        self.fd = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | SAFELY, 0o600)
        try:
            self._claim(directory)
            (directory / ".lock").chmod(0o600)
            self.sequence = max((entry.sequence for entry in _entries_in(directory)), default=0)
        except BaseException:
            os.close(self.fd)
            raise

    def _claim(self, directory: Path) -> None:
        try:
            if sys.platform == "win32":
                os.lseek(self.fd, 1 << 30, os.SEEK_SET)  # a locked byte cannot be read: one far behind the pid is taken
                msvcrt.locking(self.fd, msvcrt.LK_NBLCK, 1)
                os.lseek(self.fd, 0, os.SEEK_SET)
            else:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.lseek(self.fd, 0, os.SEEK_SET)
            pid = os.read(self.fd, 32).strip().decode("ascii", "replace")
            itself = "another CheckpointFiles of this " if pid == str(self._pid) else ""
            holder = f"{itself}process {pid}" if pid.isdecimal() else "another process"
            raise CheckpointLockedError(directory, holder) from None
        os.ftruncate(self.fd, 0)
        os.write(self.fd, b"%d\n" % self._pid)

    def holds(self) -> bool:
        """Whether it keeps others out: not in a forked child, nor once the lock file has been removed."""
        return self._pid == os.getpid() and os.fstat(self.fd).st_nlink > 0


def _release(locks: dict[str, _Lock]) -> None:
    while locks:
        os.close(locks.popitem()[1].fd)


def _publish(directory: Path, header: CheckpointHeader, body: bytes, lock: _Lock) -> Path:
    """Write a file, then give it its name, then the name `latest.json`; each step finds the one before it complete."""
    fresh, path = directory / _FRESH, directory / _file_name(header.timestamp, header.sequence)
    content = bytearray().join((_head(header), body, _END))
    content[len(_OPENING) : _SUMMED] = _checksum(content)
    fresh.unlink(missing_ok=True)
    try:
        _create(fresh, content)
        fresh.replace(path)
        lock.sequence = header.sequence
        try:
            fresh.hardlink_to(path)
        except OSError:  # not every file system knows hard links
            _create(fresh, content)
        fresh.replace(directory / LATEST)
        _sync(directory)
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return path


def _create(path: Path, content: bytearray) -> None:
    """Write a new file, the user's alone from its first byte, and wait until the disk has it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFELY, 0o600)
    try:
        path.chmod(0o600)  # the umask may have taken away what the user needs
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _make_directory(directory: Path) -> None:
    """Create a directory, and those it lies in, the user's alone from the first instant."""
    if not directory.is_dir():
        _make_directory(directory.parent)
        with suppress(FileExistsError):
            directory.mkdir(0o700)
            directory.chmod(0o700)
            _sync(directory.parent)


def _sync(directory: Path) -> None:
    if sys.platform != "win32":  # where a directory cannot be opened
        fd = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _head(header: CheckpointHeader) -> bytes:
    return msgspec.json.encode(header)[:-1] + _BODY


def _checksum(content: bytes | bytearray) -> bytes:
    return sha256(memoryview(content)[_SUMMED:]).hexdigest().encode()


def _opened(path: Path, content: bytes, formats: int) -> tuple[CheckpointHeader, bytes]:
    """Take a file apart, and believe nothing but what `_publish` puts together."""
    if not content.startswith(_OPENING):
        raise CheckpointError(path, "it does not begin as a checkpoint does")
    if content[len(_OPENING) : _SUMMED] != _checksum(content):
        raise CheckpointError(path, "it was cut short or changed: its checksum does not hold")
    end = max(content.find(_BODY), 0)
    body = content[end + len(_BODY) : -len(_END)]
    try:
        header = msgspec.json.decode(content[:end] + b"}", type=CheckpointHeader)
        if header.format > formats:
            raise CheckpointVersionError(path, header.format, formats)
        str(body, "utf-8")
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointError(path, f"its checksum holds, yet it is no checkpoint: {error}") from None
    if not (content.startswith(_head(header)) and content.endswith(_END) and header.time == iso(header.timestamp)):
        raise CheckpointError(path, "its checksum holds, yet its header is not as seatrial writes it")
    return header, body


def _summary(refused: dict[str, list[str]], most: int | None = None) -> str:
    """Return why files were refused, and which, naming at most so many for each reason."""
    found: list[str] = []
    for problem, names in refused.items():
        more = len(names) - len(names[:most])
        found.append(f"{', '.join(names[:most])}{f' and {more} more' if more else ''} ({problem})")
    return "; ".join(found)


def _file_name(timestamp: int, sequence: int) -> str:
    return f"{iso(timestamp).replace('-', '').replace(':', '')}-{sequence:06d}.json"


def _entry(directory: Path, name: str) -> CheckpointEntry | None:
    """Return what a name tells, or None unless it is exactly a name that a checkpoint gets."""
    match = _FILE_NAME.fullmatch(name)
    with suppress(ValueError):
        if match:
            timestamp, sequence = to_ns(datetime.fromisoformat(f"{match[1]}Z")) + int(match[2]), int(match[3])
            if name == _file_name(timestamp, sequence):
                return CheckpointEntry(directory / name, directory.name, sequence, timestamp)
    return None


def _entries_in(directory: Path) -> list[CheckpointEntry]:
    """Return what is there by name, newest first; a link is listed too, so that reading it refuses it aloud."""
    names = [item.name for item in _scan(directory) if not item.is_dir(follow_symlinks=False)]
    entries = [entry for name in names if (entry := _entry(directory, name))]
    return sorted(entries, key=lambda entry: (entry.sequence, entry.timestamp), reverse=True)


def _ids_in(root: Path) -> list[str]:
    return sorted(item.name for item in _scan(root) if item.is_dir() and is_plain_name(item.name))


def _scan(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as found:
            return list(found)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError(directory, unread(error)) from error
