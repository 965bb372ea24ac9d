"""The parameters of a run: JSON by name, bound to the CQL types that the trials' libraries declare (DESIGN 4.11)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.errors import InputError
from engine.language import Program
from engine.language.types.datatype import ChoiceType, DataType, IntervalType, ListType, NamedType, TupleType
from engine.language.values import Code, Date, DateTime, Interval, Long, Quantity, Time, Tuple
from engine.language.values.temporal import CALENDAR_UNITS
from engine.terminology.units import Units
from engine.trials.trial import Trial

SCREENING_DATE = "ScreeningDate"
EVALUATION_TIME = "EvaluationTime"
RESERVED = (SCREENING_DATE, EVALUATION_TIME)
"""Parameters that every run has, whether a trial declares them or not."""

_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run takes place: the screening date, and the evaluation time whose offset is the run's time zone."""

    screening_date: Date
    evaluation_time: DateTime


def moment_of(parameters: Mapping[str, Any], today: Date, offset_minutes: int, source: str) -> Moment:
    """The moment that the parameters ask for; by default the end of the day ``today`` in the site's time zone.

    Raises:
        InputError: ScreeningDate or EvaluationTime are not what they should be; names the parameter.
    """
    date = parameters.get(SCREENING_DATE)
    screening = today if date is None else _value(date, NamedType("System", "Date"), SCREENING_DATE, source)
    if screening.precision != "day":
        raise _wrong(source, SCREENING_DATE, date, "a full date like 2026-03-16")
    given = parameters.get(EVALUATION_TIME)
    if given is None:
        end = DateTime(screening.year, screening.month, screening.day, 23, 59, 59, 999, offset_minutes)
        return Moment(screening, end)
    time = _value(given, NamedType("System", "DateTime"), EVALUATION_TIME, source)
    if time.hour is None:
        raise _wrong(source, EVALUATION_TIME, given, "a full time like 2026-03-16T23:59:59+08:00")
    return Moment(screening, time if time.offset_minutes is not None else time.with_offset(offset_minutes))


def bind_parameters(program: Program, given: Mapping[str, Any], *, source: str = "parameters") -> dict[str, Any]:
    """CQL values of those parameters that the program declares, its included libraries' among them; others are ignored.

    ``given`` is decoded JSON: Date, DateTime, Boolean and String as they stand; a quantity as ``"28 days"`` or
    ``{"value", "unit"}``; lists and objects as lists and tuples; null is null.

    Raises:
        InputError: a value does not fit the declared type; names the parameter and says what was expected.
    """
    bound: dict[str, Any] = {}
    for unit in program.units.values():
        for name, definition in unit.parameters.items():
            if name in given:
                bound[name] = _value(given[name], definition.type, name, source)
    return bound


def check_names(
    trials: Iterable[Trial], given: Mapping[str, Any], *, source: str = "parameters", others: Iterable[str] = ()
) -> None:
    """Refuses a parameter that no trial declares; ``others`` are names known beside theirs.

    Raises:
        InputError: names it, and the nearest that is declared.
    """
    known = {*RESERVED, *others}.union(*(trial.declared for trial in trials))
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(sorted(known))}"
            raise InputError(source, name, f"no trial has a parameter of this name; {hint}")


def _wrong(source: str, place: str, value: Any, wanted: str) -> InputError:
    shown = f"{value!s}" if isinstance(value, Decimal) else repr(value)
    return InputError(source, place, f"is {shown if len(shown) < 80 else shown[:77] + '...'}; expected {wanted}")


def _value(value: Any, datatype: DataType, place: str, source: str) -> Any:
    """The CQL value of decoded JSON; ``place`` names the parameter and the part of it."""
    if value is None:
        return None
    match datatype:
        case ListType():
            if not isinstance(value, list):
                raise _wrong(source, place, value, f"a list ({datatype})")
            return [_value(v, datatype.element, f"{place}[{i}]", source) for i, v in enumerate(value)]
        case TupleType():
            return _tuple(value, datatype, place, source)
        case IntervalType():
            return _interval(value, datatype, place, source)
        case ChoiceType():
            return _choice(value, datatype, place, source)
        case NamedType(model="System", name=name) if name in _READERS:
            try:
                return _READERS[name](value)
            except ValueError as problem:
                raise _wrong(source, place, value, str(problem)) from None
    raise _wrong(source, place, value, f"a value of type {datatype}, which cannot be given as a parameter")


def _tuple(value: Any, datatype: TupleType, place: str, source: str) -> Tuple:
    names = [name for name, _ in datatype.elements]
    if not isinstance(value, dict):
        raise _wrong(source, place, value, f"an object with {', '.join(names)}")
    for name in value:
        if name not in names:
            raise InputError(source, f"{place}.{name}", f"there is no such element; expected {', '.join(names)}")
    return Tuple({n: _value(value.get(n), t, f"{place}.{n}", source) for n, t in datatype.elements})


def _interval(value: Any, datatype: IntervalType, place: str, source: str) -> Interval:
    if not isinstance(value, dict) or not {"low", "high"} & set(value):
        raise _wrong(source, place, value, "an object with low and high (and lowClosed, highClosed)")
    low, high = (_value(value.get(n), datatype.point, f"{place}.{n}", source) for n in ("low", "high"))
    closed = []
    for name in ("lowClosed", "highClosed"):
        flag = value.get(name, True)
        if not isinstance(flag, bool):
            raise _wrong(source, f"{place}.{name}", flag, "true or false")
        closed.append(flag)
    point = datatype.point.name if isinstance(datatype.point, NamedType) else None
    return Interval(low, high, closed[0], closed[1], point)


def _choice(value: Any, datatype: ChoiceType, place: str, source: str) -> Any:
    for alternative in datatype.alternatives:
        try:
            return _value(value, alternative, place, source)
        except InputError:
            continue
    raise _wrong(source, place, value, f"a value of type {datatype}")


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise ValueError("a whole number")
    return value


def _long(value: Any) -> Long:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
        return Long(int(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number")
    return Long(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("a number")
    return Decimal(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _quantity(value: Any) -> Quantity:
    wanted = 'a quantity like "28 days" or {"value": 1.5, "unit": "10*9/L"}'
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        if match is None:
            raise ValueError(wanted)
        number, unit = Decimal(match[1]), match[2].strip("'")
    elif isinstance(value, dict) and set(value) <= {"value", "unit", "code", "system"} and "value" in value:
        try:
            number = _decimal(value["value"])
        except ValueError:
            raise ValueError(wanted) from None
        unit = value.get("code") or value.get("unit") or ""
    else:
        raise ValueError(wanted)
    unit = unit or "1"
    if not isinstance(unit, str) or (unit not in CALENDAR_UNITS and not Units().valid(unit)):
        raise ValueError(f"a quantity whose unit is UCUM or a calendar word; {unit!r} is neither")
    return Quantity(number, unit)


def _code(value: Any) -> Code:
    if not isinstance(value, dict) or not isinstance(value.get("code"), str):
        raise ValueError('a code like {"system": "http://loinc.org", "code": "2951-2"}')
    return Code(value["code"], value.get("system"), value.get("version"), value.get("display"))


def _date(value: Any) -> Date:
    try:
        return Date.parse(_string(value))
    except ValueError:
        raise ValueError("a date like 2026-03-16") from None


def _datetime(value: Any) -> DateTime:
    try:
        return DateTime.parse(_string(value))
    except ValueError:
        raise ValueError("a time like 2026-03-16T23:59:59+08:00") from None


def _time(value: Any) -> Time:
    try:
        return Time.parse(_string(value))
    except ValueError:
        raise ValueError("a time of day like 08:30:00") from None


_READERS: dict[str, Any] = {
    "Boolean": _boolean, "Integer": _integer, "Long": _long, "Decimal": _decimal, "String": _string,
    "Quantity": _quantity, "Code": _code, "Date": _date, "DateTime": _datetime, "Time": _time,
}  # fmt: skip
