"""Checkpoint files: whole or absent, believed or refused, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import errno
import gc
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.clock import MAX_NS, iso
from seatrial.errors import (
    CheckpointError,
    CheckpointLockedError,
    CheckpointVersionError,
    CheckpointWarning,
    InvalidConfigError,
    InvalidTimeError,
)
from seatrial.store import files as store
from seatrial.store.files import LATEST, CheckpointEntry, CheckpointFiles
from seatrial.store.own import read_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ID = "paper-001"
NOW = 1_771_252_200_000_000_123
"""2026-02-16T14:30:00.000000123Z"""
SECOND = 1_000_000_000
SYSTEM_CALLS = ("open", "write", "fsync", "close", "replace", "link", "unlink", "mkdir", "chmod", "ftruncate")
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, links and forks as POSIX has them")


def body(number: int) -> list[bytes]:
    """Return a body in chunks, several lines long, told from others by its number."""
    lines = b",\n".join(b'"order-%04d of %d"' % (n, number) for n in range(20))
    return [b'{"n":%d,\n"orders":[\n' % number, lines, b"\n]}"]


def write(files: CheckpointFiles, *numbers: int, simulator_id: str = ID) -> list[Path]:
    """Write a checkpoint for each number, at that many seconds after NOW."""
    return [files.write(simulator_id, NOW + n * SECOND, 1, body(n)) for n in numbers]


def number(found: tuple[object, bytes]) -> int:
    """Return the number of the body that was read."""
    value = json.loads(found[1])
    assert found[1] == b"".join(body(value["n"]))
    return int(value["n"])


def quiet_newest(files: CheckpointFiles) -> int:
    """Return the number of the newest checkpoint, whatever had to be passed over."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckpointWarning)
        return number(files.newest(ID))


def sealed(text: str) -> bytes:
    """Put a right checksum before any text."""
    rest = b'",' + text.encode("utf-8", "surrogateescape")
    return b'{"checksum":"' + sha256(rest).hexdigest().encode() + rest


def head(**changes: Any) -> str:
    """Return the header of the first checkpoint after its checksum, with some members changed."""
    members: dict[str, Any] = {"format": 1, "simulator_id": ID, "sequence": 1, "timestamp": NOW}
    members |= {"time": iso(NOW), "seatrial": "0.1.0", **changes}
    return json.dumps(members, separators=(",", ":"))[1:-1]


def put(path: Path, content: bytes) -> Path:
    """Put a private file where another may have been; a link is cut first, so that its twin stays as it is."""
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_bytes(content)
    return path


def mode(path: Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(path.lstat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Run with another umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_file_is_one_json_object_that_opens_with_its_checksum(tmp_path: Path) -> None:
    """On disk: a fixed beginning, the digest of all that follows, a header in one line, the body as handed in."""
    with CheckpointFiles(tmp_path / "checkpoints") as files:
        (path,) = write(files, 0)

    content = path.read_bytes()

    assert path == tmp_path / "checkpoints" / ID / "20260216T143000.000000123Z-000001.json"
    assert content.startswith(b'{"checksum":"')
    assert content[13:77].decode() == sha256(content[77:]).hexdigest()
    first, rest = content.split(b"\n", 1)
    assert first[77:].decode() == (
        f'","format":1,"simulator_id":"{ID}","sequence":1,"timestamp":{NOW},'
        f'"time":"2026-02-16T14:30:00.000000123Z","seatrial":"{version("seatrial")}",'
    )
    assert rest == b'"body":' + b"".join(body(0)) + b"}\n"
    assert json.loads(content)["body"]["n"] == 0


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """The newest, and each file by its path, come back byte for byte, with their headers."""
    files = CheckpointFiles(str(tmp_path))
    paths = write(files, 1, 2, 3)

    header, value = files.newest(ID)

    assert value == b"".join(body(3))
    assert (header.format, header.simulator_id, header.sequence) == (1, ID, 3)
    assert (header.timestamp, header.time) == (NOW + 3 * SECOND, iso(NOW + 3 * SECOND))
    assert [number(files.read(path)) for path in paths] == [1, 2, 3]
    assert files.read(paths[0])[0].sequence == 1
    assert files.read(tmp_path / ID / LATEST) == (header, value)


@pytest.mark.parametrize("value", [b"{}", b"null", b"[1,2]", b' {"a" : "\xc3\xa9"}\n', b'"}\\n"', b'{"body":1}'])
def test_any_json_value_makes_a_body(tmp_path: Path, value: bytes) -> None:
    """A body comes back as it is, with its own white space, and whatever in it looks like our own framing."""
    files = CheckpointFiles(tmp_path)

    path = files.write(ID, NOW, 1, iter([value[:1], value[1:]]))

    assert files.newest(ID)[1] == value
    assert json.loads(path.read_bytes())["body"] == json.loads(value)


@pytest.mark.parametrize(("timestamp", "stamp"), [(0, "19700101T000000.000000000Z"), (MAX_NS, iso(MAX_NS))])
def test_earliest_and_latest_times_make_names(tmp_path: Path, timestamp: int, stamp: str) -> None:
    """The whole time line of the simulation can be written and read."""
    files = CheckpointFiles(tmp_path)

    path = files.write(ID, timestamp, 1, body(1))

    assert path.name == f"{stamp.replace('-', '').replace(':', '')}-000001.json"
    assert files.newest(ID)[0].timestamp == timestamp
    assert [entry.timestamp for entry in files.entries(ID)] == [timestamp]


def test_entries_come_from_names_newest_first(tmp_path: Path) -> None:
    """By sequence within a simulator, also where a new run starts earlier; by simulated time over all of them."""
    files = CheckpointFiles(tmp_path)
    first, second, again = write(files, 5, 6, 2)
    (other,) = write(files, 4, simulator_id="other")

    entries = files.entries(ID)

    assert entries[0] == CheckpointEntry(again, ID, 3, NOW + 2 * SECOND)
    assert [entry.path for entry in entries] == [again, second, first]
    assert [entry.path for entry in files.entries()] == [second, first, other, again]
    assert files.entries("nobody") == ()
    assert CheckpointFiles(tmp_path / "nowhere").entries() == ()


def test_sequence_outgrows_its_six_digits(tmp_path: Path) -> None:
    """Sequences are compared as numbers, not as text."""
    files = CheckpointFiles(tmp_path)
    (path,) = write(files, 1)
    put(path.with_name("20260216T143000.000000000Z-999999.json"), b"")

    files.close()
    (big,) = write(files, 2)

    assert big.name.endswith("-1000000.json")
    assert [entry.sequence for entry in files.entries(ID)] == [1_000_000, 999_999, 1]


@pytest.mark.parametrize(
    "name",
    [
        "20260216T143000.000000123Z-0000007.json",
        "20260216T143000.000000123Z-7.json",
        "20261316T143000.000000123Z-000007.json",
        "99990216T143000.000000123Z-000007.json",
        "20260216T143000.000000123-000007.json",
        "20260216T143000.00000012\u0663Z-000007.json",
        "20260216T143000.000000123Z-000007.json.bak",
        "20260216T143000.000000123Z-000007.json\n",
        ".fresh.tmp",
        "notes.txt",
    ],
)
def test_other_names_are_nobodys_checkpoint(tmp_path: Path, name: str) -> None:
    """A file whose name is not exactly one that a checkpoint gets is neither listed, nor counted, nor in the way."""
    files = CheckpointFiles(tmp_path)
    write(files, 1)
    put(tmp_path / ID / name, b"?")
    files.close()

    (path,) = write(files, 2)

    assert path.name.endswith("-000002.json")
    assert [entry.sequence for entry in files.entries()] == [2, 1]


def test_directory_with_a_checkpoints_name_is_skipped(tmp_path: Path) -> None:
    """It is not listed, and the newest file is found as if it were not there."""
    files = CheckpointFiles(tmp_path)
    (path,) = write(files, 1)
    path.with_name("20270101T000000.000000000Z-000009.json").mkdir()

    assert number(files.newest(ID)) == 1
    assert len(files.entries(ID)) == 1


def test_sequences_grow_by_one_also_after_a_restart(tmp_path: Path) -> None:
    """A new object goes on from the highest sequence on disk, even where a file in between was deleted."""
    with CheckpointFiles(tmp_path) as files:
        paths = write(files, 1, 2, 3)
    paths[1].unlink()

    with CheckpointFiles(tmp_path) as files:
        write(files, 4, 5)

        assert [entry.sequence for entry in files.entries(ID)] == [5, 4, 3, 1]


def test_simulators_in_one_root_never_touch_each_other(tmp_path: Path) -> None:
    """Each has its own sequences, lock and newest; the damage of one is not the other's."""
    files = CheckpointFiles(tmp_path)
    write(files, 1, 2)
    (other,) = write(CheckpointFiles(tmp_path), 7, simulator_id="other")

    assert files.newest("other")[0].sequence == 1
    put(other, b"")
    (tmp_path / "other" / LATEST).unlink()

    assert number(files.newest(ID)) == 2
    with pytest.raises(CheckpointError, match="other"):
        files.newest("other")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc",
        ".hidden",
        "dot.",
        "a:b",
        "a b",
        "a\n",
        "a\0",
        "é",
        "*",
        7,
        None,
        b"x",
    ],
)
def test_id_that_is_no_plain_file_name_is_refused_before_anything_happens(tmp_path: Path, name: Any) -> None:
    """Whatever the call, the error names the id, and not even the root has been created."""
    files = CheckpointFiles(tmp_path / "root")
    calls: list[Callable[[], object]] = [lambda: files.write(name, NOW, 1, body(1)), lambda: files.newest(name)]
    if name is not None:
        calls.append(lambda: files.entries(name))

    for call in calls:
        with pytest.raises(InvalidConfigError) as caught:
            call()
        assert (caught.value.setting, caught.value.value) == ("simulator_id", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "-", "_", "a..b", "latest.json", "0" * 200])
def test_plain_file_names_are_accepted(tmp_path: Path, name: str) -> None:
    """Letters, digits, '-', '_' and inner dots make an id, even one that reads like a file of ours."""
    files = CheckpointFiles(tmp_path)

    write(files, 1, simulator_id=name)

    assert files.newest(name)[0].simulator_id == name


def test_nonsense_is_refused_before_anything_happens(tmp_path: Path) -> None:
    """A root that is no path, formats that are no number, and a format or a time that cannot be."""
    files = CheckpointFiles(tmp_path / "root", formats=2)
    nothing: Any = None

    with pytest.raises(InvalidConfigError, match="root"):
        CheckpointFiles(nothing)
    with pytest.raises(InvalidConfigError, match="formats"):
        CheckpointFiles(tmp_path, formats=nothing)
    for bad in (0, 3):
        with pytest.raises(InvalidConfigError, match="format"):
            files.write(ID, NOW, bad, body(1))
    for moment in (-1, MAX_NS + 1, 1.5):
        with pytest.raises(InvalidTimeError):
            files.write(ID, moment, 1, body(1))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_body_that_fails_on_its_way_leaves_no_trace(tmp_path: Path) -> None:
    """An error of the caller's own passes through, and the disk has not been touched."""

    def breaks() -> Iterator[bytes]:
        yield b"{"
        raise LookupError("the caller's own")

    with pytest.raises(LookupError, match="own"):
        CheckpointFiles(tmp_path / "root").write(ID, NOW, 1, breaks())

    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_files_and_directories_are_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    """0600 and 0700 exactly: the umask neither opens them to others nor closes them to the user."""
    with umask(mask):
        write(CheckpointFiles(tmp_path / "deep" / "root"), 1)

    found = {path.name: mode(path) for path in tmp_path.rglob("*")}

    name = "20260216T143001.000000123Z-000001.json"
    assert found == {"deep": 0o700, "root": 0o700, ID: 0o700, name: 0o600, LATEST: 0o600, ".lock": 0o600}


@posix
def test_files_are_private_from_the_instant_they_are_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is open to others even between its creation and the next call, under a umask that hides nothing."""
    real_open, real_mkdir = os.open, os.mkdir
    seen: dict[str, int] = {}

    def opens(path: str, flags: int, mode_: int = 0o777, **rest: Any) -> int:
        fd = real_open(path, flags, mode_, **rest)
        if flags & os.O_CREAT:
            seen[Path(path).suffix or Path(path).name] = stat.S_IMODE(os.fstat(fd).st_mode)
        return fd

    def makes(path: str, mode_: int = 0o777, **rest: Any) -> None:
        real_mkdir(path, mode_, **rest)
        seen["directory"] = seen.get("directory", 0) | mode(Path(path))

    monkeypatch.setattr(os, "open", opens)
    monkeypatch.setattr(os, "mkdir", makes)

    with umask(0):
        write(CheckpointFiles(tmp_path / "root"), 1)

    assert seen == {".tmp": 0o600, ".lock": 0o600, "directory": 0o700}


class Crash(BaseException):
    """The end of a process, or of the power: no `except OSError` sees it."""


class Machine:
    """Stands between the program and the system's calls: counts them, ends at one, and knows what the disk lacks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ends_at: int = 10**9, *, after: bool = False) -> None:
        self.calls: list[str] = []
        self.ends_at = ends_at
        self.after = after
        self.unsynced: set[int] = set()
        """The inodes of files and directories that were changed and not synced since."""
        for name in SYSTEM_CALLS:
            monkeypatch.setattr(os, name, self.between(name, getattr(os, name)))

    def between(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) >= self.ends_at:
                self.end(name, real, args, kwargs)
            result = real(*args, **kwargs)
            self.note(name, args)
            return result

        return call

    def end(self, name: str, real: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Do the last call or leave it (a write is half done), do no later one (but let go of files), and die."""
        last = len(self.calls) == self.ends_at
        if name == "write":
            args = (args[0], args[1][: len(args[1]) // 2])
        if (self.after and last) or name == "close":
            real(*args, **kwargs)
            self.note(name, args)
        raise Crash

    def note(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "fsync":
            self.unsynced.discard(os.fstat(args[0]).st_ino)
        elif name == "write":
            self.unsynced.add(os.fstat(args[0]).st_ino)
        elif name in {"mkdir", "replace", "link"}:
            self.unsynced.add(Path(args[-1 if name == "replace" else 0]).parent.stat().st_ino)

    def cut_power(self, directory: Path) -> None:
        """Zero the second half of each file that was not synced, as a file system may when the power goes."""
        for path in directory.iterdir():
            if path.stat().st_ino in self.unsynced:
                size = path.stat().st_size
                os.truncate(path, size // 2)
                os.truncate(path, size)


def refuse(number_: int, at: int = 1) -> Callable[..., Any]:
    """Return a system call that fails from its `at`-th call on; before, it says that all has been done."""
    calls: list[int] = []

    def call(*args: Any, **_: Any) -> Any:
        calls.append(1)
        if len(calls) >= at:
            raise OSError(number_, os.strerror(number_))
        return len(args[1]) if len(args) > 1 else None

    return call


def crash(files: CheckpointFiles, ends_at: int, *, after: bool) -> tuple[Machine, bool]:
    """Write number 2 on a machine that ends at a certain call; return it, and whether the write came to its end."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        machine = Machine(monkeypatch, ends_at, after=after)
        try:
            write(files, 2)
        except Crash:
            return machine, False
    return machine, True


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("links", [False, True])
def test_crash_between_any_two_calls_leaves_the_old_or_the_new_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool, power: bool, after: bool
) -> None:
    """Die at each system call of a write in turn: what is found is whole, and the next write succeeds and cleans up."""
    if not links:
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    met: list[str] = []
    outcomes: list[int] = []
    for ends_at in range(1, 100):
        root = tmp_path / str(ends_at)
        with CheckpointFiles(root) as files:
            write(files, 1)
        machine, done = crash(files, ends_at, after=after)
        files.close()
        if power:
            machine.cut_power(root / ID)
        met.append(machine.calls[min(ends_at, len(machine.calls)) - 1])

        found = quiet_newest(CheckpointFiles(root))
        (path,) = write(CheckpointFiles(root), 3)

        assert found in ((2,) if done else (1, 2))
        assert number(CheckpointFiles(root).newest(ID)) == 3
        assert path.name.endswith(f"-{found + 1:06d}.json")
        left = {item.name for item in path.parent.iterdir()}
        assert left == {".lock", LATEST, *(entry.path.name for entry in files.entries(ID))}
        outcomes.append(found)
        if done:
            break
    assert outcomes == sorted(outcomes)
    assert {1, 2} == set(outcomes)
    assert {"open", "write", "fsync", "close", "replace", "link", "ftruncate"} <= set(met)


def test_crash_of_the_first_write_leaves_it_or_nothing(tmp_path: Path) -> None:
    """Where there was no checkpoint there is none or a whole one, and no half-made directory is in the way."""
    outcomes: list[int] = []
    done = False
    while not done:
        root = tmp_path / str(len(outcomes)) / "root"
        files = CheckpointFiles(root)
        _, done = crash(files, len(outcomes) + 1, after=False)
        files.close()

        if files.entries(ID):
            outcomes.append(quiet_newest(files))
        else:
            outcomes.append(0)
            with pytest.raises(CheckpointError, match="no checkpoint of"):
                files.newest(ID)

        with CheckpointFiles(root) as later:
            write(later, 3)
            assert number(later.newest(ID)) == 3

    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {0, 2}


@pytest.mark.parametrize("honest", [True, False])
def test_what_a_write_has_returned_survives_the_power_being_cut(tmp_path: Path, honest: bool) -> None:
    """Once the path is in the caller's hands every byte is on the disk; a twin whose syncs do nothing is caught."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        machine = Machine(monkeypatch)
        if not honest:
            monkeypatch.setattr(os, "fsync", lambda _: None)
        with CheckpointFiles(tmp_path / "deep" / "root") as files:
            write(files, 1, 2)
    directory = tmp_path / "deep" / "root" / ID
    machine.cut_power(directory)

    if honest:
        assert machine.unsynced == {(directory / ".lock").stat().st_ino}
        assert number(files.newest(ID)) == 2
    else:
        assert {path.stat().st_ino for path in (tmp_path, directory)} <= machine.unsynced
        with pytest.raises(CheckpointError, match="checksum"):
            files.newest(ID)


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_full_disk_is_one_clear_error_and_changes_nothing(tmp_path: Path, call: str) -> None:
    """The error says what to do; no temporary file stays, the newest is what it was, and the next write succeeds."""
    files = CheckpointFiles(tmp_path)
    write(files, 1)
    before = {path.name: path.read_bytes() for path in (tmp_path / ID).iterdir()}

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, call, refuse(errno.ENOSPC))
        with pytest.raises(CheckpointError) as caught:
            write(files, 2)

    assert caught.value.path == str(tmp_path / ID)
    assert caught.value.problem == (
        "it cannot be written: No space left on device; free some space, or keep checkpoints elsewhere"
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / ID).iterdir()} == before
    (path,) = write(files, 3)
    assert path.name.endswith("-000002.json")
    assert number(files.newest(ID)) == 3


def test_disk_that_fills_up_before_the_last_step_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    """Without links `latest.json` needs room of its own: when there is none the named file is there, and is found."""
    files = CheckpointFiles(tmp_path)
    write(files, 1)
    real = os.fsync

    with pytest.MonkeyPatch.context() as monkeypatch:
        syncs: list[int] = []

        def sync(fd: int) -> None:
            syncs.append(fd)
            if len(syncs) > 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(fd)

        monkeypatch.setattr(os, "link", refuse(errno.EPERM))
        monkeypatch.setattr(os, "fsync", sync)
        with pytest.raises(CheckpointError, match="free some space"):
            write(files, 2)

    with pytest.warns(CheckpointWarning, match="not the newest"):
        assert number(files.newest(ID)) == 2
    (path,) = write(files, 3)
    assert path.name.endswith("-000003.json")


@pytest.mark.parametrize("problem", [errno.EACCES, errno.EROFS, errno.EIO])
def test_disk_that_cannot_be_written_is_one_clear_error(tmp_path: Path, problem: int) -> None:
    """The first write of all: the reason is the system's own words, and a later write is free to succeed."""
    files = CheckpointFiles(tmp_path / "root")

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "mkdir", refuse(problem))
        with pytest.raises(CheckpointError, match="see that this user may write there") as caught:
            write(files, 1)

    assert os.strerror(problem) in caught.value.problem
    write(files, 1)
    assert number(files.newest(ID)) == 1


def test_root_that_is_a_file_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing can be written below a file, and nothing about the file changes."""
    root = tmp_path / "root"
    root.write_text("mine")
    before = root.stat()

    for call in (lambda: write(CheckpointFiles(root), 1), lambda: CheckpointFiles(root).entries()):
        with pytest.raises(CheckpointError, match="Not a directory"):
            call()

    assert root.read_text() == "mine"
    assert root.stat().st_mode == before.st_mode


def test_write_goes_on_where_the_system_took_only_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that writes seven bytes at a time gets the whole file nevertheless."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))

    files = CheckpointFiles(tmp_path)
    write(files, 1)

    assert number(files.newest(ID)) == 1


def test_latest_is_written_a_second_time_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a file of its own then, with the same bytes, and private too."""
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    files = CheckpointFiles(tmp_path)

    path = write(files, 1, 2)[-1]

    latest = tmp_path / ID / LATEST
    assert not latest.samefile(path)
    assert latest.read_bytes() == path.read_bytes()
    assert mode(latest) == mode(path)
    assert number(files.newest(ID)) == 2


def corrupt(rng: random.Random, good: bytes, others: list[bytes]) -> bytes:
    """Return something else than `good` that a disk, a copy or a hand may have made of it."""
    a, b = sorted(rng.sample(range(len(good) + 1), 2))
    size = rng.choice((1, 1, 2, 8, 512))
    bit = 1 << rng.randrange(8)
    chunk = good[a : a + size]
    made = rng.choice(
        (
            lambda: good[:a] + bytes([good[a] ^ bit]) + good[a + 1 :],
            lambda: good[:a],
            lambda: good[:a] + good[b:],
            lambda: good[:b] + good[a:b] + good[b:],
            lambda: good[:b] + chunk + good[b:],
            lambda: good[:a] + rng.randbytes(size) + good[a:],
            lambda: good[:a] + b" " + good[a:],
            lambda: good + rng.choice((b" ", b"\n", b"}", b"\0", good)),
            lambda: good[:a] + bytes(len(good) - a),
            lambda: good[:a] + bytes(b - a) + good[b:],
            lambda: good[:13] + rng.randbytes(32).hex().encode() + good[77:],
            lambda: good.replace(b"order-00", b"order-10", rng.randrange(1, 20)),
            lambda: good[:13] + good[13:77].upper() + good[77:],
            lambda: rng.choice(others),
            lambda: good[:a] + rng.choice(others)[a:],
        )
    )()
    return made if made != good else good[:-1]


def test_no_corruption_is_believed(tmp_path: Path) -> None:
    """A thousand damaged or foreign files under a good name: each refused, although many still are JSON with a body."""
    files = CheckpointFiles(tmp_path)
    old, path = write(files, 1, 2)
    foreign = write(files, 1, 2, simulator_id="paper-002")
    good, others = path.read_bytes(), [file.read_bytes() for file in (old, *foreign)]
    would_pass = 0

    for seed in range(1_000):
        bad = corrupt(random.Random(seed), good, others)
        put(path, bad)
        with pytest.raises(CheckpointError):
            files.read(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                would_pass += "n" in json.loads(bad)["body"]
            except (ValueError, LookupError):
                continue

    assert would_pass > 200
    put(path, good)
    assert number(files.read(path)) == 2


@pytest.mark.parametrize("where", ["named", "latest", "both"])
def test_newest_good_file_is_found_behind_any_corruption(tmp_path: Path, where: str) -> None:
    """Damage to either name costs a warning that tells both files; damage to both costs the newest checkpoint."""
    files = CheckpointFiles(tmp_path)
    old, path = write(files, 1, 2)
    foreign = write(files, 1, 2, simulator_id="paper-002")
    latest = path.with_name(LATEST)
    good, others = path.read_bytes(), [file.read_bytes() for file in (old, *foreign)]

    for seed in range(60):
        bad = corrupt(random.Random(seed), good, others)
        put(path, good if where == "latest" else bad)
        put(latest, good if where == "named" else bad)

        if where == "named":
            assert number(files.newest(ID)) == 2
            continue
        with pytest.warns(CheckpointWarning) as caught:
            found = number(files.newest(ID))

        used = path if where == "latest" else old
        assert found == (2 if where == "latest" else 1)
        (text,) = [str(warning.message) for warning in caught]
        assert text.startswith(f"checkpoint {tmp_path / ID}: passed over {LATEST}")
        assert text.endswith(f"; {used.name} is used instead")
        assert (path.name in text) == (where in {"latest", "both"})
        assert "\n" not in text


def test_warning_names_each_file_passed_over_and_why(tmp_path: Path) -> None:
    """Reasons of several kinds, each with the files that share it, and the one used in the end; one warning in all."""
    files = CheckpointFiles(tmp_path)
    used, foreign, torn = write(files, 1, 2, 3)
    (other,) = write(files, 9, simulator_id="other")
    put(torn, torn.read_bytes()[:-5])
    put(foreign, other.read_bytes())
    (tmp_path / ID / LATEST).unlink()

    with pytest.warns(CheckpointWarning) as caught:
        assert number(files.newest(ID)) == 1

    (text,) = [str(warning.message) for warning in caught]
    assert text == (
        f"checkpoint {tmp_path / ID}: passed over latest.json (it is not there); "
        f"{torn.name} (it was cut short or changed: its checksum does not hold); "
        f"{foreign.name} (it belongs to 'other'); {used.name} is used instead"
    )
    assert caught[0].filename == __file__


def test_nothing_good_is_one_error_with_every_reason(tmp_path: Path) -> None:
    """It names the directory, and for each reason the files."""
    files = CheckpointFiles(tmp_path)
    first, second = write(files, 1, 2)
    put(first, b"")
    put(second, second.read_bytes() + b"\n")

    put(tmp_path / ID / LATEST, b"{}")

    with pytest.raises(CheckpointError) as caught:
        files.newest(ID)

    assert caught.value.path == str(tmp_path / ID)
    assert caught.value.problem == (
        f"none that is there can be believed: latest.json, {first.name} (it does not begin as a checkpoint does); "
        f"{second.name} (it was cut short or changed: its checksum does not hold); "
        "put back a good copy of one, or begin anew, with another id or directory"
    )


def test_many_that_are_not_good_are_not_all_named(tmp_path: Path) -> None:
    """Three of a kind show what to look at."""
    files = CheckpointFiles(tmp_path)
    for path in (*write(files, *range(9)), tmp_path / ID / LATEST):
        put(path, b"")

    with pytest.raises(CheckpointError) as caught:
        files.newest(ID)

    assert caught.value.problem.count(".json") == 3
    assert "000008.json and 7 more (it does not begin as a checkpoint does); put back" in caught.value.problem


def test_unknown_id_is_told_which_there_are(tmp_path: Path) -> None:
    """The error lists the ids under the root, or says that there are none; asking creates nothing."""
    with pytest.raises(CheckpointError) as caught:
        CheckpointFiles(tmp_path / "root").newest(ID)
    assert caught.value.problem == f"no checkpoint of '{ID}' under {tmp_path / 'root'}; there is no other id"
    assert list(tmp_path.iterdir()) == []

    files = CheckpointFiles(tmp_path)
    write(files, 1, simulator_id="b")
    write(files, 1, simulator_id="a")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError) as caught:
        files.newest(ID)
    assert caught.value.problem == f"no checkpoint of '{ID}' under {tmp_path}; the ids there are a, b"


def test_latest_alone_is_enough(tmp_path: Path) -> None:
    """A directory with nothing but a good `latest.json`, copied from elsewhere, yields it."""
    files = CheckpointFiles(tmp_path / "here")
    (path,) = write(files, 1)
    (tmp_path / "there" / ID).mkdir(parents=True)
    put(tmp_path / "there" / ID / LATEST, path.read_bytes())

    assert number(CheckpointFiles(tmp_path / "there").newest(ID)) == 1


def test_older_latest_is_passed_over(tmp_path: Path) -> None:
    """A crash, or a hand, left `latest.json` behind the newest file: the newest is taken, and the warning says so."""
    files = CheckpointFiles(tmp_path)
    old, new = write(files, 1, 2)
    latest = put(tmp_path / ID / LATEST, old.read_bytes())

    with pytest.raises(CheckpointError, match="not the newest"):
        files.read(latest)
    with pytest.warns(
        CheckpointWarning, match=f"it holds {old.name}, which is not the newest there.*{new.name} is used"
    ):
        assert number(files.newest(ID)) == 2


def test_latest_outlives_the_file_it_was(tmp_path: Path) -> None:
    """It is the newest checkpoint once more, whole: that its other name was deleted is no reason to go back."""
    files = CheckpointFiles(tmp_path)
    *_, new = write(files, 1, 2, 3)
    new.unlink()

    assert number(files.newest(ID)) == 3
    assert number(files.read(tmp_path / ID / LATEST)) == 3


def test_deleting_both_names_goes_back(tmp_path: Path) -> None:
    """Whoever deletes the newest checkpoint under both its names gets the one before it."""
    files = CheckpointFiles(tmp_path)
    *_, new = write(files, 1, 2, 3)
    new.unlink()
    (tmp_path / ID / LATEST).unlink()

    with pytest.warns(CheckpointWarning, match="passed over latest.json"):
        assert number(files.newest(ID)) == 2


def test_latest_of_a_sequence_that_was_written_anew_is_passed_over(tmp_path: Path) -> None:
    """A crash before the new file became the latest: the one that is listed is the newer of the two."""
    files = CheckpointFiles(tmp_path)
    (old,) = write(files, 1)
    latest = (tmp_path / ID / LATEST).read_bytes()
    old.unlink()
    files.close()
    new = files.write(ID, NOW + 5, 1, [b"5"])
    put(tmp_path / ID / LATEST, latest)

    with pytest.warns(CheckpointWarning, match=f"{new.name} is used instead"):
        header, body = files.newest(ID)

    assert (header.sequence, body) == (1, b"5")


@pytest.mark.parametrize("before", [True, False])
def test_write_in_the_midst_of_a_read_does_not_confuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """A reader needs no lock: it gets what `latest.json` held when it was opened, and no warning."""
    files = CheckpointFiles(tmp_path)
    write(files, 1)
    real = read_own

    def content(path: Path) -> bytes:
        monkeypatch.undo()
        if before:
            write(files, 2)
            return real(path)
        found = real(path)
        write(files, 2)
        return found

    monkeypatch.setattr(store, "read_own", content)

    assert number(files.newest(ID)) == (2 if before else 1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (head() + ',\n"body":{"n":1,}}\n', "trailing comma"),
        (head() + ',\n"body":{"n":1}}}\n', "trailing characters"),
        (head() + ',\n"body":1,"format":1}\n', "trailing characters"),
        (head() + ',\n"body":}\n', "truncated"),
        (head() + ',\n"body":"\udcff"}\n', "utf-8"),
        (head() + ',\n"body":' + "[" * 100_000 + "]" * 100_000 + "}\n", "recursion"),
        (head() + ',"body":{"n":1}}\n', "no checkpoint"),
        (head() + ',\n"body":{"n":1}} ', "header"),
        (head() + ',\n"body":{"n":1}}\n\n', "no checkpoint"),
        (head(time=iso(NOW + 1)) + ',\n"body":1}\n', "header"),
        (head(more=1) + ',\n"body":1}\n', "header"),
        (head(format="1") + ',\n"body":1}\n', "Expected `int`"),
        (head(timestamp=-1) + ',\n"body":1}\n', "Expected `int`"),
        (head(timestamp=10**30) + ',\n"body":1}\n', "Expected `int`"),
        (head(timestamp=NOW + 1, time=iso(NOW + 1)) + ',\n"body":1}\n', "its name is not its own"),
        (head(sequence=2) + ',\n"body":1}\n', "its name is not its own"),
        (head(simulator_id="paper-002") + ',\n"body":1}\n', "belongs to 'paper-002'"),
        ("", "no checkpoint"),
        ("}\n", "no checkpoint"),
    ],
)
def test_right_checksum_alone_makes_no_checkpoint(tmp_path: Path, text: str, problem: str) -> None:
    """What seatrial would never have written is refused, although its checksum holds."""
    (tmp_path / ID).mkdir()
    path = put(tmp_path / ID / "20260216T143000.000000123Z-000001.json", sealed(text))

    with pytest.raises(CheckpointError, match=problem):
        CheckpointFiles(tmp_path).read(path)

    put(path, sealed(head() + ',\n"body":{"n":1}}\n'))
    assert CheckpointFiles(tmp_path).read(path)[1] == b'{"n":1}'


def test_file_under_a_name_of_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """A copy under another name has no place to check it against; a path that is not there says so."""
    files = CheckpointFiles(tmp_path)
    (path,) = write(files, 1)
    copy = put(path.with_name("copy.json"), path.read_bytes())

    with pytest.raises(CheckpointError, match=f"its name is not its own: it holds {path.name}"):
        files.read(copy)
    with pytest.raises(CheckpointError, match="it is not there"):
        files.read(str(path) + "x")


def test_relative_paths_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root and a path may be relative to the working directory, also from inside the simulator's own."""
    monkeypatch.chdir(tmp_path)
    files = CheckpointFiles("checkpoints")
    (path,) = write(files, 1)

    assert path == Path("checkpoints", ID, path.name)
    assert number(files.newest(ID)) == number(files.read(path)) == 1
    monkeypatch.chdir(tmp_path / "checkpoints" / ID)
    assert number(files.read(path.name)) == number(files.read(LATEST)) == 1


def test_newer_format_is_refused_and_never_passed_over(tmp_path: Path) -> None:
    """A newer program wrote here: an older one says so, both formats named, though older files are there and good."""
    newer = CheckpointFiles(tmp_path, formats=2)
    (old,) = write(newer, 1)
    new = newer.write(ID, NOW + 9 * SECOND, 2, body(2))
    files = CheckpointFiles(tmp_path)

    for latest in (new.read_bytes(), b"torn"):
        put(tmp_path / ID / LATEST, latest)
        with pytest.raises(CheckpointVersionError) as caught:
            files.newest(ID)
        assert (caught.value.version, caught.value.supported) == (2, 1)
    with pytest.raises(CheckpointVersionError):
        files.read(new)
    assert number(files.read(old)) == number(newer.read(old)) == 1
    assert newer.read(new)[0].format == 2


def test_newer_format_may_add_members_to_its_header(tmp_path: Path) -> None:
    """Its header and body are the newer program's affair; the format is all an older one needs to refuse it."""
    (tmp_path / ID).mkdir()
    put(tmp_path / ID / LATEST, sealed(head(format=7, compressed=True) + ',\n"body":\udcff}\n'))

    with pytest.raises(CheckpointVersionError) as caught:
        CheckpointFiles(tmp_path).newest(ID)

    assert caught.value.version == 7


@posix
@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604])
def test_file_that_others_can_read_is_made_private_and_used(tmp_path: Path, bits: int) -> None:
    """One warning names the file and its mode; the second read is silent."""
    files = CheckpointFiles(tmp_path)
    (path,) = write(files, 1)
    path.chmod(bits)

    with pytest.warns(CheckpointWarning) as caught:
        assert number(files.read(path)) == 1

    text = f"checkpoint {path}: others could read it (mode {bits:04o}, now 0600)"
    assert [str(warning.message) for warning in caught] == [text]
    assert caught[0].filename == __file__
    assert mode(path) == 0o600
    assert number(files.newest(ID)) == 1


@posix
def test_readable_file_that_cannot_be_made_private_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only disk the warning shows that the mode is what it was."""
    files = CheckpointFiles(tmp_path)
    (path,) = write(files, 1)
    path.chmod(0o644)
    monkeypatch.setattr(os, "fchmod", refuse(errno.EROFS))

    with pytest.warns(CheckpointWarning, match="mode 0644, now 0644"):
        assert number(files.read(path)) == 1


@posix
@pytest.mark.parametrize("bits", [0o620, 0o602, 0o666, 0o777])
def test_file_that_others_can_write_is_not_believed(tmp_path: Path, bits: int) -> None:
    """Somebody else may have written it: it is passed over, as it is."""
    files = CheckpointFiles(tmp_path)
    old, new = write(files, 1, 2)
    new.chmod(bits)

    with pytest.raises(CheckpointError, match=f"others may have written it .mode {bits:04o}"):
        files.read(new)
    with pytest.warns(CheckpointWarning, match=f"{old.name} is used instead"):
        assert number(files.newest(ID)) == 1
    assert mode(new) == bits


@posix
def test_file_of_another_user_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However private: whoever owns it has written it."""
    files = CheckpointFiles(tmp_path)
    (path,) = write(files, 1)
    uid = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)

    told = rf"it belongs to another user .uid {uid}, not {uid + 1}.: look, then copy it or chown it"
    with pytest.raises(CheckpointError, match=told):
        files.read(path)
    with pytest.raises(CheckpointError, match=f"none that is there can be believed: .*{told}"):
        files.newest(ID)


@posix
@pytest.mark.parametrize("bits", [0o777, 0o770, 0o702])
def test_directory_that_others_can_write_is_not_believed(tmp_path: Path, bits: int) -> None:
    """They may have put an older file in a newer one's place; so nothing is written there either."""
    files = CheckpointFiles(tmp_path)
    (path,) = write(files, 1)
    files.close()
    (tmp_path / ID).chmod(bits)

    told = f"others may write in its directory .mode {bits:04o}.: look, then chmod 700 {tmp_path / ID}"
    with pytest.raises(CheckpointError, match=told):
        files.read(path)
    with pytest.raises(CheckpointError, match=told):
        files.newest(ID)
    with pytest.raises(CheckpointError, match=told):
        write(files, 2)
    assert [entry.sequence for entry in files.entries(ID)] == [1]


@posix
@pytest.mark.parametrize("bits", [0o1777, 0o755, 0o711])
def test_directory_in_which_only_owners_replace_files_is_used(tmp_path: Path, bits: int) -> None:
    """A sticky one, such as /tmp, lets others add files, which are not believed since they own them."""
    files = CheckpointFiles(tmp_path)
    write(files, 1)
    files.close()
    (tmp_path / ID).chmod(bits)

    write(files, 2)

    assert number(files.newest(ID)) == 2


REFUSALS = {
    "link": "symbolic",
    "dangling": "symbolic",
    "loop": "symbolic",
    "pipe": "no regular",
    "directory": "Is a dir",
}


@posix
@pytest.mark.parametrize("kind", REFUSALS)
def test_only_a_regular_file_is_read(tmp_path: Path, kind: str) -> None:
    """No link is followed, even to a good file; a pipe holds nobody up; the file before is used instead."""
    files = CheckpointFiles(tmp_path)
    _, new = write(files, 1, 2)
    latest = tmp_path / ID / LATEST
    elsewhere = put(tmp_path / "elsewhere", new.read_bytes())
    for path in (new, latest):
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path, 0o600)
        elif kind == "directory":
            path.mkdir()
        else:
            path.symlink_to({"link": elsewhere, "dangling": tmp_path / "gone", "loop": path}[kind])

        with pytest.raises(CheckpointError, match=REFUSALS[kind]):
            files.read(path)

    with pytest.warns(CheckpointWarning, match=LATEST if kind == "directory" else f"{LATEST}, {new.name} .it is"):
        assert number(files.newest(ID)) == 1


@posix
def test_links_in_the_way_of_a_write_are_not_followed(tmp_path: Path) -> None:
    """Links laid under our own names lead no write elsewhere: they are replaced, or refused."""
    target = tmp_path / "target"
    target.write_text("mine")
    with CheckpointFiles(tmp_path) as files:
        write(files, 1)
    for name in (".fresh.tmp", LATEST):
        (tmp_path / ID / name).unlink(missing_ok=True)
        (tmp_path / ID / name).symlink_to(target)

    write(files, 2)
    files.close()
    (tmp_path / ID / ".lock").unlink()
    (tmp_path / ID / ".lock").symlink_to(target)
    with pytest.raises(CheckpointError, match="cannot be written"):
        write(files, 3)

    assert number(files.newest(ID)) == 2
    assert target.read_text() == "mine"


def program(code: str, *args: object) -> subprocess.Popen[str]:
    """Start another interpreter."""
    opening = (
        f"import os, sys\nfrom seatrial.errors import *\nfrom seatrial.store.files import *\nID, NOW = {ID!r}, {NOW}\n"
    )
    command = [sys.executable, "-I", "-c", opening + code, *map(str, args)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


HOLD = """
files = CheckpointFiles(sys.argv[1])
print(files.write(ID, NOW, 1, [b'{"n":1}']).name, flush=True)
sys.stdin.readline()
"""
LOOP = """
files = CheckpointFiles(sys.argv[1])
for n in range(10**9):
    files.write(ID, NOW + n, 1, [b'{"n":%d,"pad":"' % n, b"x" * 10_000, b'"}'])
    print(n, flush=True)
"""
FORK = """
files = CheckpointFiles(sys.argv[1])
files.write(ID, NOW, 1, [b"1"])
child = os.fork()
if not child:
    try:
        files.write(ID, NOW, 1, [b"2"])
    except CheckpointLockedError as error:
        files.close()
        os._exit(7 if f"process {os.getppid()} " in str(error) else 1)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    CheckpointFiles(sys.argv[1]).write(ID, NOW, 1, [b"3"])
except CheckpointLockedError:
    print("still locked")
print(files.write(ID, NOW, 1, [b"4"]).name)
"""


@pytest.mark.parametrize("how", ["ends", "is killed"])
def test_second_process_is_kept_out_until_the_first_is_gone(tmp_path: Path, how: str) -> None:
    """The error names the process that writes and what to do; reading needs no lock; the lock dies with its holder."""
    files = CheckpointFiles(tmp_path)
    with program(HOLD, tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline().endswith("-000001.json\n")

        with pytest.raises(CheckpointLockedError) as caught:
            write(files, 2)
        assert json.loads(files.newest(ID)[1]) == {"n": 1}
        write(files, 2, simulator_id="other")
        if how == "is killed":
            other.kill()
    assert other.returncode == (0 if how == "ends" else -signal.SIGKILL)

    assert caught.value.holder == f"process {other.pid}"
    assert str(caught.value).startswith(f"checkpoint {tmp_path / ID}: process {other.pid} writes here; stop it, or ")
    (path,) = write(files, 2)
    assert path.name.endswith("-000002.json")


def test_second_object_of_one_process_is_kept_out(tmp_path: Path) -> None:
    """Also under another spelling of the root; the error tells that it is this very process."""
    files = CheckpointFiles(tmp_path)
    second = CheckpointFiles(tmp_path / "x" / "..")
    (tmp_path / "x").mkdir()
    write(files, 1)

    with pytest.raises(
        CheckpointLockedError, match=f"another CheckpointFiles of this process {os.getpid()} writes here"
    ):
        write(second, 2)
    files.close()

    write(second, 2)
    with pytest.raises(CheckpointLockedError):
        write(files, 3)


def test_lock_is_released_by_close_by_a_with_statement_and_by_the_collector(tmp_path: Path) -> None:
    """Each lets the next object write, and leaves no file open behind; closing twice does no harm."""

    def open_files() -> set[Path]:
        return {path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}

    with CheckpointFiles(tmp_path) as files:
        write(files, 1)
    closed = CheckpointFiles(tmp_path)
    write(closed, 2)
    closed.close()
    closed.close()
    write(CheckpointFiles(tmp_path), 3)
    gc.collect()

    last = CheckpointFiles(tmp_path)
    write(last, 4)

    assert number(last.newest(ID)) == 4
    last.close()
    if sys.platform == "linux":
        assert not {path for path in open_files() if tmp_path in path.parents}


def test_unreadable_holder_is_another_process(tmp_path: Path) -> None:
    """A lock whose holder has not yet written its number is a lock all the same."""
    files = CheckpointFiles(tmp_path)
    write(files, 1)
    (tmp_path / ID / ".lock").write_bytes(b"")

    with pytest.raises(CheckpointLockedError) as caught:
        write(CheckpointFiles(tmp_path), 2)

    assert caught.value.holder == "another process"


@posix
def test_forked_child_is_another_writer(tmp_path: Path) -> None:
    """It is kept out like any other process, and what it closes leaves its parent's lock alone."""
    with program(FORK, tmp_path) as parent:
        out, _ = parent.communicate()

    assert out.splitlines() == ["7", "still locked", "20260216T143000.000000123Z-000002.json"]


@posix
def test_lock_file_that_was_removed_is_taken_anew(tmp_path: Path) -> None:
    """A lock on a deleted file keeps nobody out: the next write locks the directory again, or finds itself kept out."""
    first, second = CheckpointFiles(tmp_path), CheckpointFiles(tmp_path)
    write(first, 1)
    (tmp_path / ID / ".lock").unlink()

    write(second, 2)

    with pytest.raises(CheckpointLockedError):
        write(first, 3)
    second.close()
    (path,) = write(first, 3)
    assert path.name.endswith("-000003.json")


def test_directory_that_was_removed_is_made_again(tmp_path: Path) -> None:
    """A session whose checkpoints were deleted under it goes on to save, from sequence one."""
    files = CheckpointFiles(tmp_path)
    directory = write(files, 1)[0].parent
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()

    (path,) = write(files, 2)

    assert path.name.endswith("-000001.json")
    assert number(files.newest(ID)) == 2


def test_threads_of_one_writer_take_turns(tmp_path: Path) -> None:
    """Writes from four threads at once yield twenty whole files with twenty sequences."""
    files = CheckpointFiles(tmp_path)
    threads = [threading.Thread(target=write, args=(files, *range(5))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    entries = files.entries(ID)
    assert [entry.sequence for entry in entries] == list(range(20, 0, -1))
    assert sorted(number(files.read(entry.path)) for entry in entries) == sorted([*range(5)] * 4)


@posix
@pytest.mark.parametrize("acknowledged", [1, 7, 20, 60])
def test_killed_process_loses_nothing_it_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    """Kill -9 in the midst of a loop of writes: what was reported as written is found, or something newer."""
    with program(LOOP, tmp_path) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            writer.stdout.readline()
        writer.kill()
        said = [int(line) for line in writer.stdout if line.endswith("\n")]

    files = CheckpointFiles(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckpointWarning)
        header, value = files.newest(ID)

    found = json.loads(value)["n"]
    assert found >= max([acknowledged - 1, *said])
    assert header.sequence == found + 1
    write(files, 1)
    assert files.newest(ID)[0].sequence == header.sequence + 1
    assert not (tmp_path / ID / ".fresh.tmp").exists()
