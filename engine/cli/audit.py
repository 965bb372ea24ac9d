"""``eligibility audit``: is the audit whole, and the audit as FHIR AuditEvent."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import BinaryIO

from engine.cli.inputs import complain
from engine.errors import EligibilityError, InputError

WHOLE = 0
BROKEN = 1
UNUSABLE = 2


def check_command(head: str | None) -> int:
    """Recomputes the chain: 0 when it is whole, 1 when anything was changed, 2 when it cannot be read."""
    from engine.service.deployment import deployment
    from engine.service.storage import Storage

    try:
        known = None if head is None else _head(head)
        settings = deployment()
        storage = Storage(settings.database_url.get_secret_value(), settings.audit_key)
        try:
            found, (number, digest) = storage.audit.broken(known), storage.audit.head()
        finally:
            storage.close()
    except EligibilityError as problem:
        complain(problem)
        return UNUSABLE
    for sentence in found:
        print(sentence)
    if found:
        return BROKEN
    print(
        f"The audit is whole: {number} entries. Note its head elsewhere, to check against it later: {number}:{digest}"
    )
    return WHOLE


def export_command(output: Path | None) -> int:
    """Writes the entries as NDJSON of AuditEvent; 2 when that cannot be done."""
    from engine.service.audit import exported
    from engine.service.deployment import deployment
    from engine.service.storage import Storage

    try:
        settings = deployment()
        storage = Storage(settings.database_url.get_secret_value(), settings.audit_key)
        try:
            stream: BinaryIO = sys.stdout.buffer if output is None else output.open("wb")
            with stream:
                stream.writelines(exported(storage))
        finally:
            storage.close()
    except EligibilityError as problem:
        complain(problem)
        return UNUSABLE
    except OSError as problem:
        complain(f"{output}: cannot be written: {problem.strerror}")
        return UNUSABLE
    return WHOLE


def _head(text: str) -> tuple[int, str]:
    match = re.fullmatch(r"(\d{1,12}):([0-9a-f]{64})", text)
    if match is None:
        raise InputError("--head", "", "is no head of an audit; write it as `eligibility audit check` prints it")
    return int(match[1]), match[2]
