"""Literals, selectors, queries and timing phrases, with an example and its answer each, which the tests evaluate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the language, an expression that has it, and the value of that expression."""

    title: str
    example: str
    answer: str


LITERALS: tuple[Form, ...] = (
    Form("null", "null", "null"),
    Form("Boolean", "true", "true"),
    Form("Integer", "123", "123"),
    Form("Long", "123L", "123L"),
    Form("Decimal; its digits are kept", "1.50", "1.50"),
    Form("String with escapes", "'a\\'b\\u0063'", "'a\\'bc'"),
    Form("Date, cut anywhere", "@2012-02", "@2012-02"),
    Form("DateTime, cut anywhere; without an offset it takes that of the run", "@2012T", "@2012T"),
    Form("DateTime with offset", "@2012-02-01T10:00:00.000+01:00", "@2012-02-01T10:00:00.000+01:00"),
    Form("Time, cut anywhere", "@T10:30", "@T10:30"),
    Form("Quantity with a UCUM unit", "5 'mg'", "5 'mg'"),
    Form("Quantity with a calendar word", "3 months", "3 'months'"),
    Form("Ratio", "1 'mg' : 2 'mL'", "1 'mg' : 2 'mL'"),
    Form("Interval selector", "Interval[1, 10)", "Interval[1, 10)"),
    Form("List selector", "{ 1, 2 }", "{1, 2}"),
    Form("List selector with a type", "List<Decimal>{ 1.0 }", "{1.0}"),
    Form("Tuple selector", "Tuple { a: 1 }", "Tuple {a: 1}"),
    Form("Tuple selector in short", "{ a: 1 }", "Tuple {a: 1}"),
    Form("Instance selector", "Quantity { value: 5, unit: 'mg' }", "5 'mg'"),
    Form("Code", "Code { code: 'a', system: 'urn:s' }", "Code {code: 'a', system: 'urn:s'}"),
)

QUERIES: tuple[Form, ...] = (
    Form("one source, `where`, `return`", "({ 1, 2, 3 }) N where N > 1 return N * 2", "{4, 6}"),
    Form("several sources", "from ({ 1, 2 }) A, ({ 3, 4 }) B return A + B", "{4, 5, 6}"),
    Form("`let`", "({ 1, 2 }) N let D: N * 2 return D", "{2, 4}"),
    Form("`with … such that`", "({ 1, 2, 3 }) N with ({ 2, 3 }) M such that M = N", "{2, 3}"),
    Form("`without … such that`", "({ 1, 2, 3 }) N without ({ 2, 3 }) M such that M = N", "{1}"),
    Form("no `return`: duplicates go", "({ 1, 1, 2 }) N", "{1, 2}"),
    Form("`return`: duplicates go", "({ 1, 1, 2 }) N return N", "{1, 2}"),
    Form("`return all`", "({ 1, 1, 2 }) N return all N", "{1, 1, 2}"),
    Form("`sort asc`, `sort desc`", "({ 3, 1, 2 }) N sort desc", "{3, 2, 1}"),
    Form("`sort by` an element", "({ { a: 2 }, { a: 1 } }) T sort by a", "{Tuple {a: 1}, Tuple {a: 2}}"),
    Form("`sort by` an expression", "({ { a: 2 }, { a: 1 } }) T sort by 0 - a", "{Tuple {a: 2}, Tuple {a: 1}}"),
    Form("`aggregate`", "({ 1, 1, 3 }) N aggregate S starting 0: S + N", "5"),
    Form("`aggregate distinct`", "({ 1, 1, 3 }) N aggregate distinct S starting 0: S + N", "4"),
    Form("a source that is no list", "(4) N return N + 1", "5"),
    Form("`$this`", "({ 1, 2, 3 }) N where $this > 1", "{2, 3}"),
)

CONDITIONALS: tuple[Form, ...] = (
    Form("`if`", "if 1 > 2 then 'a' else 'b'", "'b'"),
    Form("`case`", "case when 1 > 2 then 'a' else 'b' end", "'b'"),
    Form("`case` with a comparand", "case 2 when 1 then 'a' when 2 then 'b' else 'c' end", "'b'"),
)

TIMING: tuple[Form, ...] = (
    Form("relation with an offset", "@2012-01-01 3 days or more before @2012-01-10", "true"),
    Form("offset with `less than`", "@2012-01-09 less than 3 days before @2012-01-10", "true"),
    Form("`within … of`", "@2012-01-08 within 3 days of @2012-01-10", "true"),
    Form("to a precision", "@2012-01-01 same month or before @2012-01-10", "true"),
    Form("`during` to a precision", "@2012-01-09T during day of Interval[@2012-01-01T, @2012-02-01T]", "true"),
    Form("boundaries", "Interval[1, 4] starts Interval[1, 10]", "true"),
    Form(
        "boundary phrases", "Interval[@2012-01-01, @2012-01-05] ends before start Interval[@2012-02-01, null]", "true"
    ),
)

ALIASES: tuple[Form, ...] = (
    Form("`|` is union", "{ 1, 2 } | { 2, 3 }", "{1, 2, 3}"),
    Form("`&` takes null for ''", "'a' & null", "'a'"),
    Form("indexer", "'abc'[1]", "'b'"),
    Form("methods of FHIRPath", "{ 1, 2, 3 }.skip(1)", "{2, 3}"),
    Form("methods of FHIRPath with a criterion", "{ 1, 2, 3 }.where($this > 1)", "{2, 3}"),
    Form("power", "2 ^ 3", "8"),
)
