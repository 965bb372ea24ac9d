"""Run-time values of CQL: small, frozen, exact; null is ``None``.

| CQL | Python |
|---|---|
| Boolean, String | ``bool``, ``str`` |
| Integer | ``int`` |
| Long | :class:`Long`, an ``int`` that keeps its type |
| Decimal | ``decimal.Decimal``, never ``float`` |
| Date, DateTime, Time | :class:`Date`, :class:`DateTime`, :class:`Time` with their precision |
| Quantity, Ratio, Code, Concept | the classes of those names |
| Interval, Tuple | :class:`Interval`, :class:`Tuple` |
| List | ``list``, never changed after it was made |
| a result that is only known to lie in a range | :class:`Uncertainty` |
"""

from engine.language.values.clinical import Code, CodeSystem, Concept, Quantity, Ratio, ValueSet
from engine.language.values.interval import Interval, Uncertainty
from engine.language.values.numbers import Long
from engine.language.values.structured import Tuple
from engine.language.values.temporal import Date, DateTime, Time

__all__ = [
    "Code",
    "CodeSystem",
    "Concept",
    "Date",
    "DateTime",
    "Interval",
    "Long",
    "Quantity",
    "Ratio",
    "Time",
    "Tuple",
    "Uncertainty",
    "ValueSet",
]
