"""seatrial: the execution layer between a trading strategy and any engine that runs it."""

from __future__ import annotations

from seatrial.contracts.checkpoint import ExecutionCheckpoint
from seatrial.contracts.engine import Capability, EngineSpec, RunRecord
from seatrial.contracts.events import OrderExecution
from seatrial.contracts.latency import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    Constant,
    Empirical,
    LatencyConfig,
    Lognormal,
    Uniform,
)
from seatrial.contracts.market import Bar, Instrument, Quote, Trade
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.risk import (
    DrawdownLimitRule,
    ExposureLimitRule,
    NamedRule,
    PositionLimitRule,
    RiskAction,
    RiskConfig,
    RiskViolation,
)
from seatrial.contracts.scenario import Scenario
from seatrial.contracts.terms import Liquidity, OrderSide, OrderStatus, OrderType, TimeInForce, TradingState
from seatrial.contracts.venue import AccountType, Convention, FeeSchedule, LimitFill, VenueConfig
from seatrial.errors import SeatrialError
from seatrial.store.checkpoints import CheckpointManager
from seatrial.venue.simulator import ExecutionSimulator

__all__ = [
    "LATENCY_FAST",
    "LATENCY_INSTANT",
    "LATENCY_NORMAL",
    "LATENCY_SLOW",
    "AccountType",
    "Bar",
    "Capability",
    "CheckpointManager",
    "Constant",
    "Convention",
    "DrawdownLimitRule",
    "Empirical",
    "EngineSpec",
    "ExecutionCheckpoint",
    "ExecutionSimulator",
    "ExposureLimitRule",
    "FeeSchedule",
    "Instrument",
    "LatencyConfig",
    "LimitFill",
    "Liquidity",
    "Lognormal",
    "NamedRule",
    "Order",
    "OrderExecution",
    "OrderSide",
    "OrderStatus",
    "OrderType",
    "PositionLimitRule",
    "Quote",
    "Rejection",
    "RejectionReason",
    "RiskAction",
    "RiskConfig",
    "RiskViolation",
    "RunRecord",
    "Scenario",
    "SeatrialError",
    "TimeInForce",
    "Trade",
    "TradingState",
    "Uniform",
    "VenueConfig",
]
