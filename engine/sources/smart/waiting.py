"""How long to wait before trying again: what the server asks for, else longer each time.

Source: RFC 9110 section 10.2.3 (Retry-After); Bulk Data Access, "Bulk Data Status Request".
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same question may be answered."""

FIRST_WAIT = 1.0
_EPOCH_SECONDS = 10**9
_EPOCH_MILLISECONDS = 10**12


def asked_wait(header: str | None, now: float) -> float | None:
    """The seconds that a Retry-After header asks for; None where it is absent or says nothing.

    It holds seconds or a date. One server in use writes the moment as milliseconds since 1970, which as seconds would
    be 50,000 years; a number that great is read as that moment, and one of more than 31 years as a moment in seconds.
    """
    text = (header or "").strip()
    if re.fullmatch(r"\d{1,18}(\.\d{1,9})?", text):
        value = float(text)
        if value >= _EPOCH_MILLISECONDS:
            value = value / 1000 - now
        elif value >= _EPOCH_SECONDS:
            value -= now
        return max(0.0, value)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def wait_before(attempt: int, header: str | None, now: float, cap: float) -> float:
    """The seconds to wait after attempt number ``attempt``: what is asked for, else twice as long each time."""
    asked = asked_wait(header, now)
    return min(cap, FIRST_WAIT * 2.0 ** min(attempt - 1, 30) if asked is None else asked)
