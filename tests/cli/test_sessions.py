"""A session file becomes the scenario it describes, exactly."""

from __future__ import annotations

import tomllib
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from seatrial import (
    LATENCY_NORMAL,
    AccountType,
    Constant,
    Convention,
    DrawdownLimitRule,
    Empirical,
    ExposureLimitRule,
    FeeSchedule,
    LimitFill,
    Lognormal,
    NamedRule,
    PositionLimitRule,
    RiskAction,
    Uniform,
)
from seatrial.cli.new import SESSION
from seatrial.cli.problems import SessionError
from seatrial.cli.quantities import duration_to_ns
from seatrial.cli.scenarios import Overrides, as_scenario, read_session
from seatrial.cli.session import SessionFile
from seatrial.cli.sessions import session_schema
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.latency import Leg, Named
from seatrial.contracts.scenario import DataKind, TapeFile
from seatrial.contracts.venue import NamedFees, PriceImprovement

if TYPE_CHECKING:
    from seatrial.contracts.scenario import Scenario

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sessions.md"
LEAST = '[tape]\nsample = "ibm_daily"\n[strategy]\npath = "s.py:S"\n'
WHOLE = """\
[session]
name = "whole"
engine = "native"
seed = 9
initial_cash = 0.1
checkpoint_every = 60
stop = 2024-03-01T16:00:00-05:00
simulator_id = "paper-1"
observers = ["tally"]
engine_params = { depth = 5 }

[[instruments]]
symbol = "ACME"
tick_size = 0.05
lot_size = 10
multiplier = "2.5"
currency = "EUR"
calendar = { zone = "America/New_York", opens = 09:30:00, closes = "16:00", days = ["mon", "Friday", 2] }

[tape]
repair = true

[[tape.files]]
path = "data/x.csv"
kind = "quotes"
symbol = "ACME"
columns = { bid = "Bid" }
unit = "ms"
zone = "Europe/Paris"

[strategy]
path = "own/s.py:S"
params = { size = 10, share = 0.5, day = 2024-03-01 }
strategy_id = "X"

[latency]
profile = "normal"
submit = "1.5ms"
ack = { distribution = "uniform", low = "1us", high = "1 s" }
fill = { distribution = "lognormal", median = "8ms", sigma = 0.4, least = "2ms" }
cancel = { distribution = "empirical", delays = ["3ms", "1ms"] }
modify = { distribution = "named", name = "fibre", params = { km = 100 } }

[risk]
position_limit = { max_shares = 100, max_value = 5000.5, action = "halt" }
exposure_limit = { max_gross_exposure_pct = 80 }
drawdown_limit = { max_daily_drawdown_pct = 2.5 }
trading_enabled = false
rules = ["kill_switch", { name = "mine", params = { limit = 1.5 } }]
day_boundary = 17:00:00
day_zone = "America/New_York"
max_price_age = "90s"

[costs]
per_share = 0.005
bps = 1
minimum = 1.0
slippage_bps = 2

[venue]
account = "margin"
leverage = 2
participation = 0.1
bar_theta = 0
convention = "next"
limit_fill = "through"
price_improvement = "always"
"""


def scenario_of(folder: Path, text: str, overrides: Overrides = Overrides()) -> Scenario:  # noqa: B008 - frozen
    """Return the scenario of a session file with this text."""
    path = folder / "s.toml"
    path.write_text(text, "utf-8")
    return as_scenario(read_session(path), path, overrides)


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    """A file that gives every key yields a scenario with each of the values, amounts exact."""
    scenario = scenario_of(tmp_path, WHOLE)

    execution, venue, latency = scenario.execution, scenario.execution.venue, scenario.execution.latency
    assert execution.seed == 9
    assert execution.initial_cash == Decimal("0.1")
    assert execution.checkpoint_every == 60
    assert execution.simulator_id == "paper-1"
    assert execution.observers == ("tally",)
    assert scenario.engine_params == {"depth": 5}
    assert scenario.stop == 1_709_326_800_000_000_000
    [acme] = scenario.instruments
    assert (acme.symbol, acme.tick_size, acme.lot_size) == ("ACME", Decimal("0.05"), Decimal(10))
    assert (acme.multiplier, acme.currency) == (Decimal("2.5"), "EUR")
    assert acme.calendar == WeeklyCalendar("America/New_York", time(9, 30), time(16), (0, 4, 2))
    assert scenario.tape.repair
    assert scenario.tape.files == (
        TapeFile(
            path=str(tmp_path / "data/x.csv"),
            kind=DataKind.QUOTES,
            symbol="ACME",
            columns={"bid": "Bid"},
            unit="ms",
            zone="Europe/Paris",
        ),
    )
    assert scenario.strategy is not None
    assert scenario.strategy.path == f"{tmp_path / 'own/s.py'}:S"
    assert scenario.strategy.params == {"size": 10, "share": 0.5, "day": "2024-03-01"}
    assert scenario.strategy.strategy_id == "X"
    assert latency.submit == Constant(1_500_000)
    assert latency.ack == Uniform(1_000, 1_000_000_000)
    assert latency.fill == Lognormal(8_000_000, 0.4, 2_000_000)
    assert latency.cancel == Empirical((1_000_000, 3_000_000))
    assert latency.modify == Named("fibre", {"km": 100})
    assert venue.fees == FeeSchedule(per_share=Decimal("0.005"), bps=Decimal(1), minimum=Decimal("1.0"))
    assert (venue.account_type, venue.leverage, venue.slippage_bps) == (AccountType.MARGIN, Decimal(2), Decimal(2))
    assert (venue.participation, venue.bar_theta) == (Decimal("0.1"), Decimal(0))
    assert (venue.convention, venue.limit_fill) == (Convention.NEXT, LimitFill.THROUGH)
    assert venue.price_improvement is PriceImprovement.ALWAYS
    risk = execution.risk
    assert risk is not None
    assert risk.position_limit == PositionLimitRule(Decimal(100), Decimal("5000.5"), RiskAction.HALT)
    assert risk.exposure_limit == ExposureLimitRule(Decimal(80))
    assert risk.drawdown_limit == DrawdownLimitRule(Decimal("2.5"))
    assert not risk.trading_enabled
    assert risk.rules == (NamedRule("kill_switch"), NamedRule("mine", {"limit": 1.5}))
    assert (risk.day_boundary, risk.day_zone) == (time(17), "America/New_York")
    assert risk.max_price_age == timedelta(seconds=90)


def test_scenario_survives_json(tmp_path: Path) -> None:
    """What a session file describes can be written as JSON and read again without a change."""
    scenario = scenario_of(tmp_path, WHOLE)

    assert msgspec.json.decode(msgspec.json.encode(scenario), type=type(scenario)) == scenario


def test_two_tables_are_enough(tmp_path: Path) -> None:
    """A file that names a tape and a strategy gets the defaults for everything else."""
    scenario = scenario_of(tmp_path, LEAST)

    assert scenario.tape.sample == "ibm_daily"
    assert scenario.execution.initial_cash == Decimal(100_000)
    assert scenario.execution.risk is None
    assert scenario.instruments == ()


def test_module_of_a_strategy_is_left_as_it_is(tmp_path: Path) -> None:
    """A strategy in an importable module has no path to resolve."""
    scenario = scenario_of(tmp_path, LEAST.replace("s.py:S", "package.module:S"))

    assert scenario.strategy is not None
    assert scenario.strategy.path == "package.module:S"


def test_profile_holds_where_no_leg_is_given(tmp_path: Path) -> None:
    """One leg of one's own leaves the rest of the profile as it was."""
    latency = scenario_of(tmp_path, LEAST + '[latency]\nprofile = "normal"\nack = "7ms"\n').execution.latency

    assert latency.leg(Leg.ACK) == Constant(7_000_000)
    assert [latency.leg(leg) for leg in (Leg.SUBMIT, Leg.FILL)] == [
        LATENCY_NORMAL.leg(leg) for leg in (Leg.SUBMIT, Leg.FILL)
    ]


def test_measured_delays_come_from_a_file_beside_the_session(tmp_path: Path) -> None:
    """An empirical leg reads its file, in its unit, relative to the session file."""
    (tmp_path / "delays.txt").write_text("2\n1  # the fastest\n", "utf-8")
    text = LEAST + '[latency]\nfill = { distribution = "empirical", file = "delays.txt", unit = "us" }\n'

    assert scenario_of(tmp_path, text).execution.latency.fill == Empirical((1_000, 2_000))


def test_fee_model_is_named(tmp_path: Path) -> None:
    """A fee model of a plugin takes the place of the schedule."""
    scenario = scenario_of(tmp_path, LEAST + '[costs]\nmodel = "flat"\nparams = { fee = "1.50" }\n')

    assert scenario.execution.venue.fees == NamedFees("flat", {"fee": "1.50"})


def test_command_line_goes_before_the_file(tmp_path: Path) -> None:
    """A latency profile replaces the whole table, and a seed the file's."""
    overrides = Overrides(latency="normal", seed=4)

    execution = scenario_of(tmp_path, WHOLE, overrides).execution

    assert execution.latency == LATENCY_NORMAL
    assert execution.seed == 4


@pytest.mark.parametrize(
    ("text", "ns"),
    [("10ms", 10_000_000), ("1.5 s", 1_500_000_000), ("0.5us", 500), ("2min", 120_000_000_000), ("1h", 3_600 * 10**9)],
)
def test_durations_are_exact(text: str, ns: int) -> None:
    """A number with a unit is a whole number of nanoseconds."""
    assert duration_to_ns(text) == ns


def test_duration_below_a_nanosecond_is_refused(tmp_path: Path) -> None:
    """What no clock here can tell is not rounded in silence."""
    with pytest.raises(SessionError, match=r"latency\.ack: '0.5ns' is no whole number of nanoseconds; round it"):
        scenario_of(tmp_path, LEAST + '[latency]\nack = "0.5ns"\n')


def test_new_session_is_the_example_it_claims_to_be(tmp_path: Path) -> None:
    """Every commented line of the session that `seatrial new` writes can be uncommented."""
    text = SESSION.format(session="s.toml", strategy="s.py")
    lines = [line[2:] if line.startswith("# ") and "=" in line else line for line in text.splitlines()]
    lines = [line[2:] if line.startswith("# [[") else line for line in lines]
    lines = [line for line in lines if not line.startswith(("sample", "# "))]

    scenario = scenario_of(tmp_path, "\n".join(lines))

    assert scenario.stop is not None
    assert scenario.tape.files[0].symbol == "ACME"
    assert isinstance(scenario.instruments[0].calendar, WeeklyCalendar)
    assert scenario.execution.risk is not None
    assert scenario.execution.risk.rules == (NamedRule("my_rule", {"limit": 5}),)


# -- the schema and the page -------------------------------------------------------------------------------------------


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Return every key that a session file may have, wherever it stands."""
    tables = cast("dict[str, dict[str, Any]]", schema["$defs"])
    return {key for table in tables.values() for key in table.get("properties", {})}


def test_schema_knows_every_key_of_the_whole_file() -> None:
    """Each key of the file above stands in the schema for editors, and the schema refuses others."""
    schema = session_schema()
    whole = tomllib.loads(WHOLE)

    keys = keys_of(schema)
    assert set(whole) <= keys
    assert {
        key for name in ("session", "tape", "strategy", "latency", "risk", "costs", "venue") for key in whole[name]
    } <= (keys)
    assert not any(table.get("additionalProperties", False) for table in schema["$defs"].values())


def test_schema_takes_amounts_as_numbers_and_as_strings() -> None:
    """An editor accepts `0.1` and `"0.1"` for money."""
    properties = session_schema()["$defs"]["HeadTable"]["properties"]

    assert properties["initial_cash"]["type"] == ["number", "string"]
    assert properties["initial_cash"]["description"]


def test_page_names_every_key() -> None:
    """The page about sessions leaves out no table and no key."""
    page = PAGE.read_text("utf-8")
    tables = [name for name in SessionFile.__struct_fields__ if f"[{name}]" not in page]
    defs = session_schema()["$defs"]
    names = ["Head", "Instrument", "Calendar", "File", "Tape", "Strategy", "Latency", "Rule", "Risk", "Costs", "Venue"]
    missing = [key for name in names for key in defs[f"{name}Table"]["properties"] if key not in page]

    assert tables == []
    assert missing == []


@pytest.mark.parametrize("block", PAGE.read_text("utf-8").split("```toml\n")[1:])
def test_examples_of_the_page_are_sessions(block: str, tmp_path: Path) -> None:
    """Each TOML block of the page is a whole session."""
    assert scenario_of(tmp_path, block.partition("```")[0]).strategy is not None
