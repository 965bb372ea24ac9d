"""Random CQL expressions of a wanted type, the same for the same seed."""

from __future__ import annotations

from random import Random

INTEGERS = ("0", "1", "-1", "2", "3", "7", "12", "-5", "100", "(null as Integer)")
DECIMALS = ("0.0", "1.5", "-2.25", "3.0", "0.125", "10.75", "(null as Decimal)")
LONGS = ("0L", "5L", "-3L", "4000000000L")
STRINGS = ("''", "'a'", "'abc'", "'Abc'", "'b,c'", "' x '", "(null as String)")
BOOLEANS = ("true", "false", "(null as Boolean)")
DATES = ("@2024", "@2024-02", "@2024-02-29", "@2023-12-31", "@2024-01-31", "@2024-03-01", "@2025-01", "(null as Date)")
DATETIMES = (
    "@2024T",
    "@2024-02-29T",
    "@2024-02-29T10Z",
    "@2024-02-29T10:30:00.000+00:00",
    "@2024-02-29T23:30:00.000-05:00",
    "@2024-03-01T00:15:00.000+02:00",
    "@2023-12-31T23:59:59.999+00:00",
    "@2024-01-31T12:00:00.000Z",
)
TIMES = ("@T10:30:00.000", "@T23:59:59.999", "@T10", "@T10:30", "@T00:00:00.000")
QUANTITIES = ("1 'g'", "500 'mg'", "2.5 'cm'", "3 'mg'", "1 'm'", "10 '1'", "(null as Quantity)")
PERIODS = ("1 day", "2 months", "1 year", "13 months", "3 weeks", "0 days")
PRECISIONS = ("year", "month", "day")
CLOCK = ("hour", "minute", "second", "millisecond")
POINTS = ("Integer", "Decimal", "Date", "DateTime")


class Expressions:
    """Makes expressions; ``depth`` bounds how operators nest."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def make(self, wanted: str, depth: int) -> str:
        """An expression of type ``wanted``."""
        if depth <= 0 or self.random.random() < 0.15:
            return self.leaf(wanted)
        if wanted.startswith("Interval<"):
            return self.interval(wanted[9:-1], depth)
        if wanted.startswith("List<"):
            return self.list_(wanted[5:-1], depth)
        return getattr(self, wanted.lower())(depth - 1)  # type: ignore[no-any-return]

    def pick(self, *templates: str) -> str:
        return self.random.choice(templates)

    def leaf(self, wanted: str) -> str:
        if wanted.startswith("Interval<"):
            return self.interval(wanted[9:-1], 0)
        if wanted.startswith("List<"):
            inner = wanted[5:-1]
            return "{ " + ", ".join(self.leaf(inner) for _ in range(self.random.randint(1, 4))) + " }"
        table = {
            "Integer": INTEGERS,
            "Decimal": DECIMALS,
            "Long": LONGS,
            "String": STRINGS,
            "Boolean": BOOLEANS,
            "Date": DATES,
            "DateTime": DATETIMES,
            "Time": TIMES,
            "Quantity": QUANTITIES,
        }
        return self.random.choice(table[wanted])

    def fill(self, template: str, depth: int) -> str:
        """Replaces ``<Type>`` by expressions of that type; ``<<`` stands for a real ``<``."""
        out, rest = [], template
        while "«" in rest:
            before, _, rest = rest.partition("«")
            name, _, rest = rest.partition("»")
            out += [before, "(", self.make(name, depth), ")"]
        return "".join([*out, rest])

    def integer(self, depth: int) -> str:
        return self.fill(
            self.pick(
                "«Integer» + «Integer»",
                "«Integer» - «Integer»",
                "«Integer» * «Integer»",
                "«Integer» div «Integer»",
                "«Integer» mod «Integer»",
                "-«Integer»",
                "Abs(«Integer»)",
                "Truncate(«Decimal»)",
                "Floor(«Decimal»)",
                "Ceiling(«Decimal»)",
                "Length(«String»)",
                "Length(«List<Integer>»)",
                "Count(«List<String>»)",
                "Sum(«List<Integer>»)",
                "Min(«List<Integer>»)",
                "Max(«List<Integer>»)",
                "First(«List<Integer>»)",
                "Last(«List<Integer>»)",
                "IndexOf(«List<Integer>», «Integer»)",
                "PositionOf(«String», «String»)",
                "LastPositionOf(«String», 'abcabc')",
                "«Integer» ^ 2",
                "Length(Split('a,' + «String», ','))",
                "case «Integer» when 1 then «Integer» when «Integer» then 7 else «Integer» end",
                "(«List<Integer>») X aggregate R starting 0: R + Coalesce(X, 1)",
                "Tuple { a: «Integer», b: «String» }.a",
                "Coalesce(«Integer», «Integer»)",
                "if «Boolean» then «Integer» else «Integer»",
                "year from «Date»",
                "month from «Date»",
                "hour from «DateTime»",
                "days between «Date» and «Date»",
                "start of «Interval<Integer>»",
                "end of «Interval<Integer>»",
                "width of «Interval<Integer>»",
                "months between «Date» and «Date»",
                "difference in months between «Date» and «Date»",
                "years between «DateTime» and «DateTime»",
                "difference in days between «DateTime» and «DateTime»",
                "ToInteger(«String»)",
                "successor of «Integer»",
                "hours between «DateTime» and «DateTime»",
                "«List<Integer>»[«Integer»]",
                "weeks between «Date» and «Date»",
            ),
            depth,
        )

    def long(self, depth: int) -> str:
        return self.fill(self.pick("«Long» + «Long»", "«Long» * «Long»", "«Long» - «Long»", "ToLong(«Integer»)"), depth)

    def decimal(self, depth: int) -> str:
        return self.fill(
            self.pick(
                "«Decimal» + «Decimal»",
                "«Decimal» - «Decimal»",
                "«Decimal» * «Decimal»",
                "«Integer» + «Decimal»",
                "Round(«Decimal», 2)",
                "Abs(«Decimal»)",
                "Avg(«List<Decimal>»)",
                "Median(«List<Decimal>»)",
                "-«Decimal»",
                "Sum(«List<Decimal>»)",
                "«Quantity».value",
                "ToDecimal(«Integer»)",
                "Max(«List<Decimal>»)",
                "start of «Interval<Decimal>»",
                "Coalesce(«Decimal», «Integer»)",
            ),
            depth,
        )

    def string(self, depth: int) -> str:
        return self.fill(
            self.pick(
                "«String» + «String»",
                "«String» & «String»",
                "Upper(«String»)",
                "Lower(«String»)",
                "ToString(«Integer»)",
                "Substring(«String», «Integer»)",
                "Combine(«List<String>», '-')",
                "Combine(Split('a,' + «String», ','), '+')",
                "Substring(«String», 1, 2)",
                "First(«List<String>»)",
                "ToString(«Boolean»)",
                "«String»[«Integer»]",
                "Coalesce(«String», 'z')",
                "case when «Boolean» then «String» else «String» end",
                "ReplaceMatches(«String», 'b', '_')",
                "ToString(«Date»)",
            ),
            depth,
        )

    def boolean(self, depth: int) -> str:
        point = self.random.choice(POINTS)
        other = self.random.choice(["Integer", "Decimal", "String", "Date", "DateTime", "Quantity", "Time", "Long"])
        precision = self.random.choice(PRECISIONS)
        clock = self.random.choice(PRECISIONS + CLOCK)
        relation = self.pick("before", "after", "same", "same or before", "same or after")
        same = {
            "same": f"same {clock} as",
            "same or before": f"same {clock} or before",
            "same or after": f"same {clock} or after",
            "before": f"before {clock} of",
            "after": f"after {clock} of",
        }[relation]
        allen = self.pick(
            "includes",
            "included in",
            "properly includes",
            "properly included in",
            "overlaps",
            "overlaps before",
            "overlaps after",
            "meets",
            "meets before",
            "meets after",
            "starts",
            "ends",
            "before",
            "after",
            "=",
            "~",
        )
        return self.fill(
            self.pick(
                "«Boolean» and «Boolean»",
                "«Boolean» or «Boolean»",
                "«Boolean» xor «Boolean»",
                "not «Boolean»",
                "«Boolean» implies «Boolean»",
                "«Boolean» is true",
                "«Boolean» is not false",
                "«Boolean» is null",
                *(f"«{other}» {o} «{other}»" for o in ("=", "<", "<=", ">", ">=", "!=", "~", "!~")),
                f"«Interval<{point}>» {allen} «Interval<{point}>»",
                f"«{point}» in «Interval<{point}>»",
                f"«Interval<{point}>» contains «{point}»",
                f"«Date» {same.replace(clock, precision)} «Date»",
                f"«DateTime» {same} «DateTime»",
                f"«Interval<Date>» {allen} «Interval<Date>»",
                "«Integer» in «List<Integer>»",
                "exists «List<Integer>»",
                "exists («List<Integer>» A with «List<Integer>» B such that A = B)",
                "exists («List<Integer>» A without «List<Integer>» B such that A = B)",
                "exists (from («List<Integer>») A, («List<Integer>») B where A > B)",
                "«List<Integer>» = «List<Integer>»",
                "«List<Integer>» ~ «List<Integer>»",
                "«List<Integer>» includes «List<Integer>»",
                "AllTrue(«List<Boolean>»)",
                "AnyTrue(«List<Boolean>»)",
                "StartsWith(«String», «String»)",
                "EndsWith(«String», «String»)",
                f"«Date» during {precision} of «Interval<Date>»",
                "«Integer» between «Integer» and «Integer»",
                "«Integer» is Integer",
                "Matches(«String», '[a-c]+')",
                f"«{point}» is null",
            ),
            depth,
        )

    def date(self, depth: int) -> str:
        period, precision = self.random.choice(PERIODS), self.random.choice(PRECISIONS)
        del precision
        return self.fill(
            self.pick(
                f"«Date» + {period}",
                f"«Date» - {period}",
                "date from «DateTime»",
                "start of «Interval<Date>»",
                "end of «Interval<Date>»",
                "Min(«List<Date>»)",
                "First(«List<Date>»)",
                "Coalesce(«Date», «Date»)",
                "predecessor of «Date»",
                "ToDate(«DateTime»)",
            ),
            depth,
        )

    def datetime(self, depth: int) -> str:
        period = self.random.choice((*PERIODS, "36 hours", "90 minutes"))
        return self.fill(
            self.pick(
                f"«DateTime» + {period}",
                f"«DateTime» - {period}",
                "start of «Interval<DateTime>»",
                "Max(«List<DateTime>»)",
                "Coalesce(«DateTime», «DateTime»)",
                "ToDateTime(«Date»)",
            ),
            depth,
        )

    def time(self, depth: int) -> str:
        return self.fill(self.pick("«Time» + 1 hour", "«Time» - 30 minutes", "Max(«List<Time>»)"), depth)

    def quantity(self, depth: int) -> str:
        return self.fill(
            self.pick(
                "«Quantity» + «Quantity»",
                "«Quantity» - «Quantity»",
                "«Quantity» * «Decimal»",
                "-«Quantity»",
                "Abs(«Quantity»)",
                "Max(«List<Quantity>»)",
                "convert «Quantity» to 'mg'",
            ),
            depth,
        )

    def interval(self, point: str, depth: int) -> str:
        if depth > 0 and self.random.random() < 0.4:
            operator = self.pick("union", "intersect", "except")
            return self.fill(f"«Interval<{point}>» {operator} «Interval<{point}>»", depth - 1)
        low, high = self.leaf(point), self.leaf(point)
        opening, closing = self.pick("[", "("), self.pick("]", ")")
        return f"Interval{opening}{low}, {high}{closing}"

    def list_(self, element: str, depth: int) -> str:
        templates = [
            f"«List<{element}>» union «List<{element}>»",
            f"«List<{element}>» intersect «List<{element}>»",
            f"«List<{element}>» except «List<{element}>»",
            f"distinct «List<{element}>»",
            f"Skip(«List<{element}>», 1)",
            f"Take(«List<{element}>», 2)",
            f"Tail(«List<{element}>»)",
            f"flatten {{ «List<{element}>», «List<{element}>» }}",
            f"{{ «{element}», «{element}» }}",
            f"«List<{element}>» X where X is not null",
        ]
        if element == "Integer":
            templates += [
                "«List<Integer>» X return X + 1",
                "«List<Integer>» X return all X * X sort desc",
                "«List<Integer>» X where X > 1 sort asc",
                "expand «Interval<Integer>»",
            ]
        return self.fill(self.pick(*templates), depth - 1)
