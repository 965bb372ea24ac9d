"""Age: CalculateAge and CalculateAgeAt (CQL 1.5.3, Appendix B "Clinical Operators").

AgeIn… and AgeIn…At are these with the birth date of the patient, which analysis fills in.
"""

from __future__ import annotations

from engine.language.evaluation.context import Context
from engine.language.operators.registry import operator
from engine.language.values import temporal
from engine.language.values.interval import Uncertainty
from engine.language.values.temporal import Date, DateTime


@operator("CalculateAge(Date) Integer", reference="calculateage", context=True, precision=True)
def calculate_age_date(context: Context, birth: Date, precision: str) -> int | Uncertainty:
    """The age today in whole ``precision``; an Uncertainty when the birth date is not known well enough."""
    return temporal.duration_between(precision, birth, context.now.date)


@operator("CalculateAge(DateTime) Integer", reference="calculateage", context=True, precision=True)
def calculate_age_datetime(context: Context, birth: DateTime, precision: str) -> int | Uncertainty:
    """The age now in whole ``precision``; an Uncertainty when the time of birth is not known well enough."""
    return temporal.duration_between(precision, birth, context.now, context.offset_minutes)


@operator("CalculateAgeAt(Date, Date) Integer", reference="calculateageat", context=True, precision=True)
@operator("CalculateAgeAt(DateTime, DateTime) Integer", reference="calculateageat", context=True, precision=True)
def calculate_age_at(
    context: Context, birth: Date | DateTime, as_of: Date | DateTime, precision: str
) -> int | Uncertainty:
    """The age at ``as_of`` in whole ``precision``; an Uncertainty when either is not known well enough."""
    return temporal.duration_between(precision, birth, as_of, context.offset_minutes)
