"""Jitter follows from the seed: not from the run, the process, the version of Python or that of NautilusTrader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

PROGRAM = Path(__file__).parent / "rig" / "jitter.py"
DIGESTS = {
    "NETTING quotes": "dcf95395a6f7cdff7f066fb2555561b5a0ef1046003121040324821aeea021b8",
    "HEDGING quotes": "040a6c2e424cb8ec0409b628d5fe0d08dc947f0d4d55e97fe73c4aa8435071f2",
    "NETTING books": "df749145a942ff54c8a7f25df232a69b9d1b4def1f6b6b44c803719a12c0ea73",
}
"""SHA-256 of each log, as of NautilusTrader 1.221 on Python 3.11 and of 1.231 on 3.12 and 3.13."""


def _digests(hash_seed: str) -> dict[str, str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    result = subprocess.run(
        [sys.executable, str(PROGRAM)], env=environment, check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, str] = json.loads(result.stdout)
    return found


def test_a_jittered_log_is_the_same_to_the_byte_wherever_it_is_made() -> None:
    """What happened at the venue and when it was told is what it was on every other version, in every process.

    Orders of all kinds, brackets among them, which versions match differently, give one log under any hash seed.
    """
    one, other = _digests("1"), _digests("2")

    assert one == other
    assert {case: one[case] for case in DIGESTS} == DIGESTS
