"""UCUM units as the language asks for them: every answer exact, in fractions, never a float.

Source: CQL 1.5.3 author's guide, "Quantities"; UCUM 2.2.  What a unit means stands in `ucum.py`; the rules are

- annotations count as 1: `{score}` is `1`, `mL/min/{1.73_m2}` is `mL/min`;
- an arbitrary unit (`[IU]`, `[arb'U]` …) never turns into another unit, but its prefixes and its product do
  (`[IU]/mL`, `k[IU]/L`);
- amount of substance is no bare number: `mmol/L` does not turn into `10*9/L`, nor into `g/L`; equivalents
  (`meq/L`) do not turn into `mmol/L`, since the unit does not tell the charge of the ion;
- temperatures (`K`, `Cel`, `[degF]`, `[degRe]`) convert exactly, zero point included; inside a product such as
  `Cel/min` the scale is a unit of its own;
- other special units (`[pH]`, `B`, `B[V]`, `Np`, `[hp'_X]`, `%[slope]` …) stand on a logarithm or a tangent: each
  converts only into itself, with prefixes (`dB` into `B`).

Only the committed table is read; ucumvert made it (`make_ucum_table`) and is not imported here: it holds no atom
that the table lacks, and its arithmetic (pint) is in floats.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from fractions import Fraction
from functools import lru_cache
from typing import Final

from engine.terminology.ucum import EXPONENT_LIMIT, LENGTH_LIMIT, Powers, Term, UnknownUnit, measure, parse

__all__ = ["QUOTIENT_DIGITS", "Units", "UnknownUnit"]

QUOTIENT_DIGITS: Final = 64
"""Significant digits of a converted value whose quotient does not terminate (rounded half to even)."""

_UNITY: Final = "1"


class Units:
    """The `units` protocol of the language over UCUM codes, case sensitive.

    Every method but `valid` raises UnknownUnit for a text that is not UCUM; units of different kinds are None,
    never an error. Values are finite Decimals.  Calendar words (`days`) are no UCUM and the language's own matter.
    """

    def valid(self, unit: str) -> bool:
        """Whether the text is well-formed UCUM (section 2) of known symbols; `10^9/L` is not, see `ucum.py`."""
        try:
            parse(unit)
        except UnknownUnit:
            return False
        return True

    def commensurable(self, left: str, right: str) -> bool:
        """Whether the units measure the same kind of thing, so that values convert (UCUM section 3)."""
        return measure(left).dimensions == measure(right).dimensions

    def factor(self, source: str, target: str) -> Fraction | None:
        """What turns `source` into `target` by multiplying; None for another kind, or a scale with another zero."""
        return _factor(source, target)

    def convert(self, value: Decimal, source: str, target: str) -> Decimal | None:
        """The value in another unit, None if not commensurable (CQL 1.5.3 `ConvertQuantity`).

        Exact if the quotient terminates, without trailing zeros after the point; otherwise rounded to
        QUOTIENT_DIGITS digits.
        """
        if source == target:
            parse(source)
            return value
        factor = _factor(source, target)
        if factor is not None:
            numerator, denominator = value.as_integer_ratio()
            return _decimal(Fraction(numerator * factor.numerator, denominator * factor.denominator))
        here, there = measure(source), measure(target)
        if here.dimensions != there.dimensions:
            return None
        return _decimal((Fraction(value) * here.scale + here.zero - there.zero) / there.scale)

    def compare(self, left: Decimal, left_unit: str, right: Decimal, right_unit: str) -> int | None:
        """-1, 0 or 1 as left is less than, equal to or greater than right, never rounded; None if not commensurable."""
        if left_unit == right_unit:
            parse(left_unit)
            return (left > right) - (left < right)
        factor = _factor(left_unit, right_unit)
        if factor is None:
            here, there = measure(left_unit), measure(right_unit)
            if here.dimensions != there.dimensions:
                return None
            first, second = Fraction(left) * here.scale + here.zero, Fraction(right) * there.scale + there.zero
            return (first > second) - (first < second)
        above, below = left.as_integer_ratio()
        other_above, other_below = right.as_integer_ratio()
        mine, other = above * factor.numerator * other_below, other_above * below * factor.denominator
        return (mine > other) - (mine < other)

    def base(self, value: Decimal, unit: str) -> tuple[Fraction, Powers]:
        """The value in base units and its dimensions: the same for equal quantities in whatever units, so a key."""
        worth = measure(unit)
        return Fraction(value) * worth.scale + worth.zero, worth.dimensions

    def multiply(self, left: str, right: str) -> str:
        """The unit of a product, as canonical UCUM: `cm` and `cm` make `cm2`; only equal symbols join.

        `1` leaves the other unit as written; otherwise annotations fall away.
        """
        first, second = parse(left), parse(right)
        if left == _UNITY or right == _UNITY:
            return right if left == _UNITY else left
        return _text(first.times(second))

    def divide(self, left: str, right: str) -> str:
        """The unit of a quotient, as canonical UCUM: `g` by `g` makes `1`, `1` by `uL` makes `/uL`."""
        first, second = parse(left), parse(right)
        return left if right == _UNITY else _text(first.times(second.to_the(-1)))

    def power(self, unit: str, exponent: int) -> str:
        """The unit of a power, as canonical UCUM; 0 gives `1`, a negative exponent the reciprocal."""
        term = parse(unit)
        if abs(exponent) > EXPONENT_LIMIT:
            raise UnknownUnit(f"({unit}) to the power {exponent}", _BEYOND)
        return unit if exponent == 1 else _text(term.to_the(exponent))


_BEYOND: Final = f"the exponents of a unit add up to {EXPONENT_LIMIT} at most"
_TOO_LONG: Final = f"it would be longer than {LENGTH_LIMIT} characters"


def _text(term: Term) -> str:
    """The text of a worked-out unit, refused where `parse` would not read it back."""
    if sum(abs(power) for _, power in term.powers) > EXPONENT_LIMIT:
        raise UnknownUnit(Term(Fraction(1), term.powers).text(), _BEYOND)
    # Four bits a digit: a number that long is not even written out.
    if max(term.number.numerator, term.number.denominator).bit_length() > 4 * LENGTH_LIMIT:
        raise UnknownUnit(Term(Fraction(1), term.powers).text(), _TOO_LONG)
    text = term.text()
    if len(text) > LENGTH_LIMIT:
        raise UnknownUnit(text[:40] + "…", _TOO_LONG)
    return text


@lru_cache(maxsize=4096)
def _factor(source: str, target: str) -> Fraction | None:
    here, there = measure(source), measure(target)
    if here == there:
        return Fraction(1)
    if here.dimensions != there.dimensions or here.zero or there.zero:
        return None
    return here.scale / there.scale


_EXACT: Final = Context(prec=400_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])


def _decimal(value: Fraction) -> Decimal:
    numerator, rest = value.numerator, value.denominator
    twos = (rest & -rest).bit_length() - 1
    rest >>= twos
    fives = 0
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    if rest != 1:
        return Context(prec=QUOTIENT_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN).divide(
            Decimal(numerator), Decimal(value.denominator)
        )
    places = max(twos, fives)
    return _EXACT.scaleb(Decimal(numerator * 2 ** (places - twos) * 5 ** (places - fives)), -places)
