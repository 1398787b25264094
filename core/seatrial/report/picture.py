"""Equity and drawdown as a picture: an HTML file that needs no network, or a PNG.

Plotly draws it, and is imported only here and only then; a PNG also takes kaleido, which draws with a Chrome browser.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from seatrial.clock import from_ns
from seatrial.contracts.engine import RunRecord
from seatrial.errors import SeatrialError
from seatrial.report.words import money, per_cent
from seatrial.store.whole import write_whole

__all__ = ["PictureError", "check_picture", "draw", "save_picture"]

_COLOURS = {"equity": "#1f77b4", "drawdown": "#d62728"}


class PictureError(SeatrialError):
    """A picture that cannot be drawn or written."""

    def __init__(self, what: object, problem: str) -> None:
        """Keep the file or the library, and the problem with it."""
        super().__init__(f"no picture: {what} {problem}")
        self.what = str(what)
        self.problem = problem


def check_picture(path: str | Path) -> Path:
    """Return where a picture is to be, after everything that can be checked before there is anything to draw.

    :raises PictureError: for a name that ends in neither `.html` nor `.png`, or when a library is missing.
    """
    target = Path(path)
    if target.suffix.lower() not in {".html", ".png"}:
        raise PictureError(target, "ends in neither .html nor .png; give a name that does")
    _need("plotly", "pip install 'seatrial[plot]'")
    if target.suffix.lower() == ".png":
        _need("kaleido", "pip install kaleido, or give a name that ends in .html")
    return target


def save_picture(record: RunRecord, path: str | Path) -> Path:
    """Write the picture of a run and return where it is; the name's ending, `.html` or `.png`, says what it becomes.

    The same record gives the same HTML, to the byte.

    :raises PictureError: when plotly (or, for a PNG, kaleido) is missing, or the file cannot be written.
    """
    target = check_picture(path)
    figure = draw(record)
    content = _png(figure) if target.suffix.lower() == ".png" else _html(figure)
    try:
        write_whole(target, content)
    except OSError as error:
        raise PictureError(target, f"cannot be written ({error.strerror or error})") from None
    return target


def draw(record: RunRecord) -> Any:
    """Return the picture of a run as a plotly figure: equity in currency above, the fall from its peak in % below.

    :raises PictureError: when plotly is missing.
    """
    _need("plotly", "pip install 'seatrial[plot]'")
    plots = importlib.import_module("plotly.subplots")
    shapes = importlib.import_module("plotly.graph_objects")
    times = [f"{from_ns(point.ts):%Y-%m-%d %H:%M:%S.%f}" for point in record.equity]
    equity = [float(point.equity) for point in record.equity]
    figure = plots.make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    line = {"width": 1.5, "shape": "hv"}
    figure.add_trace(
        shapes.Scatter(x=times, y=equity, name="equity", mode="lines", line={**line, "color": _COLOURS["equity"]}),
        row=1,
        col=1,
    )
    figure.add_trace(
        shapes.Scatter(
            x=times,
            y=_falls(record),
            name="drawdown",
            mode="lines",
            fill="tozeroy",
            line={**line, "color": _COLOURS["drawdown"]},
        ),
        row=2,
        col=1,
    )
    figure.update_layout(
        title={"text": _title(record)}, template="plotly_white", hovermode="x unified", showlegend=False
    )
    figure.update_yaxes(title_text="equity", row=1, col=1)
    figure.update_yaxes(title_text="drawdown, %", row=2, col=1)
    figure.update_xaxes(title_text="UTC", row=2, col=1)
    return figure


def _need(library: str, command: str) -> None:
    if find_spec(library) is None:
        raise PictureError(library, f"is not installed; run: {command}")


def _title(record: RunRecord) -> str:
    account = record.account
    name = record.scenario.execution.simulator_id.replace("&", "&amp;").replace("<", "&lt;")
    ends = f"{money(account.initial_cash)} to {money(account.equity)}"
    return f"{name}: {ends}, deepest drawdown {per_cent(record.max_drawdown_pct)}"


def _falls(record: RunRecord) -> list[float]:
    """Return how far each sample lies below the highest before it, in per cent, as a number of zero or less."""
    falls: list[float] = []
    peak = None
    for point in record.equity:
        if peak is None or point.equity > peak:
            peak = point.equity
        falls.append(float((point.equity - peak) * 100 / peak) if peak > 0 else 0.0)
    return falls


def _html(figure: Any) -> bytes:
    text: str = figure.to_html(include_plotlyjs=True, full_html=True, div_id="seatrial", config={"displaylogo": False})
    return text.encode()


def _png(figure: Any) -> bytes:
    try:
        content: bytes = figure.to_image(format="png", width=1_200, height=700, scale=2)
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise PictureError("kaleido", f"cannot draw a PNG ({reason}); give a name that ends in .html") from error
    return content
