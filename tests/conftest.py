"""What tests share: how they run a command, and seatrial's own distribution, built once."""

from __future__ import annotations

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
def dist(run: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution, and the wheel from it, in a folder of their own."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-Im", "build", "--outdir", folder, PROJECT, cwd=folder)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """Return the one wheel that was built."""
    [path] = dist.glob("*.whl")
    return path
