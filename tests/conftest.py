"""What tests share: how they run a command, and seatrial's own distribution, built and installed once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Return what runs a command in the folder `cwd`, gives what it prints, and shows that when it fails."""

    def run(*command: str | Path, cwd: Path) -> str:
        result = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout

    return run


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return what makes a folder of a name, fills it with `make`, and gives it; for all workers together."""
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = common / name, common / f"{name}.done"
        with (common / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def dist(run: Callable[..., str], once: Callable[..., Path]) -> Path:
    """Build the source distribution, and the wheel from it, in a folder of their own."""
    return once("dist", lambda folder: run(sys.executable, "-Im", "build", "--outdir", folder, PROJECT, cwd=folder))


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """Return the one wheel that was built."""
    [path] = dist.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def alone(run: Callable[..., str], once: Callable[..., Path], wheel: Path) -> Path:
    """Return an environment in which the wheel is installed, and nothing else; copy it before you change it."""

    def install(folder: Path) -> None:
        run(sys.executable, "-Im", "venv", "env", cwd=folder)
        python = folder / "env" / "bin" / "python"
        run(python, "-Im", "pip", "install", "-qq", "--disable-pip-version-check", wheel, cwd=folder)

    return once("alone", install) / "env"
