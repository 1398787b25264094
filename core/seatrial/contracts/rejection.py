"""Why an order, a cancel or a modify was refused: typed, with who refused and the numbers compared."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

__all__ = ["RefusedBy", "Rejection", "RejectionReason"]


class RejectionReason(StrEnum):
    """What was wrong; stable names, safe to match on and to store."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    INVALID_QUANTITY = "invalid_quantity"
    INVALID_PRICE = "invalid_price"
    INVALID_SYMBOL = "invalid_symbol"
    MARKET_CLOSED = "market_closed"
    DUPLICATE_ORDER = "duplicate_order"
    RISK_POSITION_LIMIT = "risk_position_limit"
    RISK_EXPOSURE_LIMIT = "risk_exposure_limit"
    RISK_DRAWDOWN_LIMIT = "risk_drawdown_limit"
    RISK_TRADING_DISABLED = "risk_trading_disabled"
    RISK_REDUCE_ONLY = "risk_reduce_only"
    RISK_PRICE_MISSING = "risk_price_missing"
    RISK_PRICE_STALE = "risk_price_stale"
    RISK_RULE = "risk_rule"
    RISK_RULE_ERROR = "risk_rule_error"
    TOO_LATE_TO_CANCEL = "too_late_to_cancel"
    TOO_LATE_TO_MODIFY = "too_late_to_modify"
    UNKNOWN_ORDER = "unknown_order"
    UNSUPPORTED = "unsupported"
    WOULD_NOT_REDUCE = "would_not_reduce"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    GROUP_REFUSED = "group_refused"
    GROUP_ENDED = "group_ended"
    NOT_FILLED = "not_filled"
    UNKNOWN = "unknown"


class RefusedBy(StrEnum):
    """Who refused: our side of the wire, or the far one."""

    GATE = "gate"
    VENUE = "venue"


class Rejection(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One refusal: the reason, who refused, and, where numbers were compared, the rule, the value and the limit.

    `value` and `limit` are in the unit of the check named in `message` (shares, currency, per cent).
    """

    reason: RejectionReason
    message: str
    refused_by: RefusedBy
    rule: str | None = None
    value: Decimal | None = None
    limit: Decimal | None = None
