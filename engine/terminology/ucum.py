"""Reads UCUM terms, case sensitive, into exact magnitudes: no float and no units library is involved.

Source: The Unified Code for Units of Measure, version 2.2, sections 2 (grammar), 3 (semantics) and 4 (tables).  The
tables are in `ucum_atoms.json`, written by `python -m engine.terminology.make_ucum_table`.

The grammar is UCUM's, with the one reading that its own table of examples needs: an annotation may also follow a
number or a closing parenthesis (`100{pc}`, `(8.h){shift}`).

    unit       = ["/"] term
    term       = component { ("." | "/") component }                read from left to right
    component  = annotation | ( symbol [exponent] | number | "(" term ")" ) [annotation]
    symbol     = atom | prefix atom[metric]

Three rules of this project, beyond the grammar:

- The symbol `10^` is refused.  UCUM knows it beside `10*`, but records carry it in typed text ("x10^9/L", "10^9/L")
  whose unit the trials' conventions hold for unknown.  Unknown is the safe reading; the error says to write
  `10*9/L`.
- Numbers and exponents are positive digits without leading zero (`0` is no unit, `m0` no power), as ucumvert reads
  them.
- The exponents of one unit add up to 999 at most, so that no text can ask for a number too large to hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from typing import Final, Protocol

from engine.errors import EvaluationError

TABLE_NAME: Final = "ucum_atoms.json"
EXPONENT_LIMIT: Final = 999
LENGTH_LIMIT: Final = 500
DEPTH_LIMIT: Final = 20
REFUSED_ATOM: Final = "10^"

_SPELLING: Final = {"l": "L", "[iU]": "[IU]"}
"""One spelling for atoms that UCUM has twice, so that `g/L` times `l` is `g`."""

_ONE: Final = Fraction(1)
_SYMBOL: Final = re.compile(r"(?:\[[^\[\]{}\s]*\]|[^\[\]{}()./\s])+")
_ANNOTATION: Final = re.compile(r"\{[!-z|~]*\}")
_SPLIT: Final = re.compile(r"(?P<symbol>.*[^0-9+-])(?P<exponent>[+-]?[1-9][0-9]*)?", re.DOTALL)
_NUMBER: Final = re.compile(r"[1-9][0-9]*")

Powers = tuple[tuple[str, int], ...]
"""Sorted pairs of a symbol or dimension and its exponent, never zero."""


class UnknownUnit(EvaluationError, ValueError):
    """A text that is not a UCUM unit; `unit` is that text, `reason` says what is wrong where.

    The code of the error is `unknown-unit`. Source: UCUM 2.2 section 2.
    """

    def __init__(self, unit: str, reason: str) -> None:
        super().__init__(f"unit {unit!r} is not valid UCUM: {reason}", code="unknown-unit")
        self.unit = unit
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Offset:
    """A special unit on a linear scale: base value = number * `scale` + `zero`, in the unit `of` (UCUM section 3)."""

    of: str
    scale: Fraction
    zero: Fraction


@dataclass(frozen=True, slots=True)
class Atom:
    """A unit atom: `factor` of the product of `dimensions`; `metric` atoms take prefixes (UCUM 2.2 sections 3 and 4).

    Base units, `mol`, `eq`, arbitrary units and special units are each a dimension of their own.
    """

    factor: Fraction
    dimensions: Powers
    metric: bool
    offset: Offset | None = None


class Symbols(Protocol):
    """Where the parser looks symbols up."""

    def atom(self, code: str) -> Atom | None: ...

    def prefix(self, code: str) -> Fraction | None: ...


@dataclass(frozen=True, slots=True)
class Term:
    """A unit as read: its numbers multiplied and the power of each symbol, annotations left out (they count as 1)."""

    number: Fraction
    powers: Powers

    def text(self) -> str:
        """The canonical UCUM text: numerators joined by `.`, each denominator after a slash; `1` if nothing is left."""
        above = [_power_text(symbol, exponent) for symbol, exponent in self.powers if exponent > 0]
        below = [_power_text(symbol, -exponent) for symbol, exponent in self.powers if exponent < 0]
        if self.number.numerator != 1:
            above.insert(0, str(self.number.numerator))
        if self.number.denominator != 1:
            below.insert(0, str(self.number.denominator))
        return ".".join(above) + "".join("/" + part for part in below) or "1"

    def times(self, other: Term) -> Term:
        """The product."""
        return Term(self.number * other.number, merge([*self.powers, *other.powers]))

    def to_the(self, exponent: int) -> Term:
        """The power; `exponent` may be negative or zero."""
        if exponent == 0:
            return Term(_ONE, ())
        return Term(self.number**exponent, tuple((symbol, power * exponent) for symbol, power in self.powers))


@dataclass(frozen=True, slots=True)
class Measure:
    """What a unit is worth: a number n of it is n * `scale` + `zero` of the product of `dimensions`."""

    scale: Fraction
    zero: Fraction
    dimensions: Powers


def merge(powers: Iterable[tuple[str, int]]) -> Powers:
    """Adds the exponents of equal symbols; what comes to zero falls away."""
    total: dict[str, int] = {}
    for symbol, exponent in powers:
        total[symbol] = total.get(symbol, 0) + exponent
    return tuple(sorted((symbol, exponent) for symbol, exponent in total.items() if exponent))


def _power_text(symbol: str, exponent: int) -> str:
    return symbol if exponent == 1 else f"{symbol}{exponent}"


def split(symbol: str, symbols: Symbols) -> tuple[str, str] | None:
    """Prefix (or "") and atom of a symbol, or None; no symbol of UCUM can be read in two ways.

    Source: UCUM 2.2 section 2, prefixes stand only before metric atoms.
    """
    if symbols.atom(symbol) is not None:
        return "", symbol
    for length in (1, 2):
        prefix, code = symbol[:length], symbol[length:]
        atom = symbols.atom(code)
        if atom is not None and atom.metric and symbols.prefix(prefix) is not None:
            return prefix, code
    return None


class _Reader:
    """A descent over one text; `exponents` is the budget spent so far."""

    def __init__(self, text: str, symbols: Symbols) -> None:
        self.text = text
        self.symbols = symbols
        self.at = 0
        self.depth = 0
        self.exponents = 0

    def wrong(self, reason: str) -> UnknownUnit:
        return UnknownUnit(self.text, f"{reason} at character {self.at + 1}")

    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def unit(self) -> Term:
        if self.next() != "/":
            return self.term(".")
        self.at += 1
        return self.term("/")

    def term(self, operator: str) -> Term:
        result = Term(_ONE, ())
        while True:
            component = self.component()
            result = result.times(component if operator == "." else component.to_the(-1))
            operator = self.next()
            if operator not in (".", "/"):
                return result
            self.at += 1

    def component(self) -> Term:
        result = Term(_ONE, ()) if self.next() == "{" else self.unannotated()
        if self.next() == "{":
            self.annotation()
        return result

    def unannotated(self) -> Term:
        if self.next() == "(":
            return self.parenthesis()
        found = _SYMBOL.match(self.text, self.at)
        if found is None:
            raise self.wrong(f"a unit is expected, not {self.next()!r}," if self.next() else "a unit is missing")
        simple = self.simple(found.group())
        self.at = found.end()
        return simple

    def annotation(self) -> None:
        found = _ANNOTATION.match(self.text, self.at)
        if found is None:
            raise self.wrong("an annotation is {text} without blanks and inner braces,")
        self.at = found.end()

    def parenthesis(self) -> Term:
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise self.wrong(f"more than {DEPTH_LIMIT} parentheses are nested")
        self.at += 1
        inner = self.term(".")
        if self.next() != ")":
            raise self.wrong("a closing parenthesis is missing")
        self.at += 1
        self.depth -= 1
        return inner

    def simple(self, text: str) -> Term:
        if _NUMBER.fullmatch(text):
            return Term(Fraction(int(text)), ())
        parts = _SPLIT.fullmatch(text)
        if parts is None:
            raise self.wrong(f"{text!r} is no unit and no positive number")
        symbol, exponent = parts["symbol"], int(parts["exponent"][:6]) if parts["exponent"] else 1
        if REFUSED_ATOM in symbol:
            raise self.wrong("powers of ten are written 10*9, not 10^9,")
        if split(symbol, self.symbols) is None:
            raise self.wrong(f"{symbol!r} is no unit (codes are case sensitive; words go into braces, {{like_this}})")
        self.exponents += abs(exponent)
        if self.exponents > EXPONENT_LIMIT:
            raise self.wrong(f"the exponents add up to more than {EXPONENT_LIMIT}")
        return Term(_ONE, ((symbol, exponent),))


def read(text: str, symbols: Symbols) -> Term:
    """Reads a UCUM term with the given symbols; raises UnknownUnit."""
    if len(text) > LENGTH_LIMIT:
        raise UnknownUnit(text[:40] + "…", f"it is longer than {LENGTH_LIMIT} characters")
    reader = _Reader(text, symbols)
    result = reader.unit()
    if reader.at < len(text):
        raise reader.wrong(f"{reader.next()!r} is not expected")
    return result


def _resolve(symbol: str, symbols: Symbols) -> tuple[Fraction, Atom]:
    prefix, code = split(symbol, symbols) or ("", symbol)
    atom = symbols.atom(code)
    scale = symbols.prefix(prefix) if prefix else _ONE
    if atom is None or scale is None:
        raise UnknownUnit(symbol, "no such symbol")
    return scale, atom


def weigh(term: Term, symbols: Symbols) -> Measure:
    """The worth of a term in base dimensions.

    A temperature scale standing alone (Cel, mCel, 2.[degF]) is a temperature with its zero; within a product it is
    a unit of its own, since UCUM (section 3, special units) gives such products no meaning in kelvin.
    """
    factor, dimensions = term.number, []
    for symbol, exponent in term.powers:
        prefix, atom = _resolve(symbol, symbols)
        factor *= (prefix * atom.factor) ** exponent
        dimensions += [(name, power * exponent) for name, power in atom.dimensions]
    vector = merge(dimensions)
    if len(vector) == 1 and vector[0][1] == 1:
        single = symbols.atom(vector[0][0])
        if single is not None and single.offset is not None:
            return Measure(factor * single.offset.scale, single.offset.zero, ((single.offset.of, 1),))
    return Measure(factor, Fraction(0), vector)


@dataclass(frozen=True, slots=True)
class Table:
    """The committed table of atoms and prefixes."""

    atoms: Mapping[str, Atom]
    prefixes: Mapping[str, Fraction]

    def atom(self, code: str) -> Atom | None:
        return self.atoms.get(code)

    def prefix(self, code: str) -> Fraction | None:
        return self.prefixes.get(code)


@lru_cache(maxsize=1)
def _table() -> Table:
    content = json.loads(resources.files(__package__).joinpath(TABLE_NAME).read_text(encoding="ascii"))
    prefixes = {code: Fraction(value) for code, value in content["prefixes"].items()}
    return Table({code: _atom(row) for code, row in content["atoms"].items()}, prefixes)


def _atom(row: Mapping[str, object]) -> Atom:
    dimensions, offset = row["dimensions"], row.get("offset")
    if not isinstance(dimensions, dict):
        raise TypeError(f"{TABLE_NAME}: dimensions must be an object, not {dimensions!r}; write the table anew")
    zero = None
    if isinstance(offset, dict):
        zero = Offset(offset["of"], Fraction(offset["scale"]), Fraction(offset["zero"]))
    return Atom(Fraction(str(row["factor"])), merge(dimensions.items()), row["metric"] is True, zero)


def _spelt(symbol: str, table: Table) -> str:
    prefix, code = split(symbol, table) or ("", symbol)
    return prefix + _SPELLING.get(code, code)


@lru_cache(maxsize=4096)
def parse(unit: str) -> Term:
    """Reads a unit with the committed table; raises UnknownUnit. Remembered."""
    table = _table()
    term = read(unit, table)
    return Term(term.number, merge((_spelt(symbol, table), exponent) for symbol, exponent in term.powers))


@lru_cache(maxsize=4096)
def measure(unit: str) -> Measure:
    """The exact worth of a unit; raises UnknownUnit. Remembered."""
    return weigh(parse(unit), _table())
