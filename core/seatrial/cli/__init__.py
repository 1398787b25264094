"""The command line: session files, run directories, and the commands that read and write them."""

from __future__ import annotations

__all__: list[str] = []
