"""Expression text → tree shape, printed as s-expressions without spans."""

from dataclasses import fields
from typing import Any

import pytest

from engine.language.syntax import parse_expression, tree


def show(value: Any) -> str:
    """A node as text: operators as `(op operands)`, leaves as written, the rest as `Class(field=value …)`."""
    match value:
        case tree.Identifier(name=name):
            return name
        case tree.NumberLiteral(kind="Long", text=text):
            return f"{text}L"
        case tree.NumberLiteral(text=text):
            return text
        case tree.StringLiteral(value=text):
            return repr(text)
        case tree.NullLiteral():
            return "null"
        case tree.BooleanLiteral(value=truth):
            return str(truth).lower()
        case tree.QuantityLiteral(text=text, unit=unit):
            return text if unit is None else f"{text}_{unit}"
        case tree.NamedTypeSpecifier(name=name):
            return ".".join(name)
        case tree.Member(target=target, name=name):
            return f"{show(target)}.{name}"
        case tree.Operation(operator=operator, operands=operands):
            return f"({operator} {' '.join(show(operand) for operand in operands)})"
        case tree.Node():
            shown = [(f.name, getattr(value, f.name)) for f in fields(value) if f.name != "span"]
            parts = [f"{name}={show(field)}" for name, field in shown if field not in (None, (), False)]
            return f"{type(value).__name__}({' '.join(parts)})"
        case tuple():
            return f"[{' '.join(show(part) for part in value)}]"
        case _:
            return str(value)


def shape(text: str) -> str:
    node, diagnostics = parse_expression(text)
    assert not diagnostics, [found.render() for found in diagnostics]
    return show(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("1 + 2 * 3", "(+ 1 (* 2 3))"),
        ("1 + 2 + 3", "(+ 1 2 3)"),
        ("1 + 2 - 3", "(- (+ 1 2) 3)"),
        ("1 - (2 - 3)", "(- 1 (- 2 3))"),
        ("2 ^ 3 ^ 2", "(^ (^ 2 3) 2)"),
        ("-2 ^ 2", "(^ (negate 2) 2)"),
        ("-x.y[0]", "(negate Index(target=x.y index=0))"),
        ("+ - 1", "(positive (negate 1))"),
        ("8 div 2 mod 3", "(mod (div 8 2) 3)"),
        ("'a' & 'b' & 'c'", "(& 'a' 'b' 'c')"),
        ("a and b and c or d", "(or (and a b c) d)"),
        ("a or b and c xor d", "(xor (or a (and b c)) d)"),
        ("a implies b implies c", "(implies (implies a b) c)"),
        ("not a = b", "(= (not a) b)"),
        ("not a is null", "(not (is null a))"),
        ("not not a", "(not (not a))"),
        ("a and not b or c", "(or (and a (not b)) c)"),
        ("exists a and exists b", "(and (exists a) (exists b))"),
        ("exists a union b", "(union (exists a) b)"),
        ("not exists a", "(not (exists a))"),
        ("a | b union c", "(union a b c)"),
        ("a union b intersect c", "(intersect (union a b) c)"),
        ("a = b != c", "(!= (= a b) c)"),
        ("a < b = c > d", "(= (< a b) (> c d))"),
        ("a ~ b and c !~ d", "(and (~ a b) (!~ c d))"),
        ("a is not null", "(is not null a)"),
        ("a is true or b is not false", "(or (is true a) (is not false b))"),
        ("a is Integer", "TypeTest(operand=a type=Integer)"),
        ("a as List<FHIR.Quantity> = b", "(= Cast(operand=a type=ListTypeSpecifier(element=FHIR.Quantity)) b)"),
        ("cast a + 1 as Integer", "Cast(operand=(+ a 1) type=Integer strict=True)"),
        ("cast a as Any as Integer", "Cast(operand=Cast(operand=a type=Any strict=True) type=Integer)"),
        ("x between 1 and 2 and y", "(and Between(operand=x low=1 high=2) y)"),
        ("x properly between 1 and 2 + 3", "Between(operand=x low=1 high=(+ 2 3) properly=True)"),
        ("a in b", "Membership(operator=in left=a right=b)"),
        ("a in day of b", "Membership(operator=in left=a right=b precision=day)"),
        ("a contains month of b", "Membership(operator=contains left=a right=b precision=month)"),
        ("x in year from y", "Membership(operator=in left=x right=ComponentFrom(component=year operand=y))"),
        ("a = b in c", "Membership(operator=in left=(= a b) right=c)"),
    ),
)
def test_operators_and_their_precedence(text: str, expected: str) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("null", "null"),
        ("true", "true"),
        ("5", "5"),
        ("-2147483648", "(negate 2147483648)"),
        ("1.50", "1.50"),
        ("1L", "1L"),
        (r"'it\'s \"x\" \u0041\n\\'", repr('it\'s "x" A\n\\')),
        (r"'\uD83D\uDE00'", repr("😀")),
        (r"'\d'", repr("\\d")),
        ("5 'mg'", "5_mg"),
        ("3 days", "3_days"),
        ("1 year", "1_year"),
        ("1 'mg' : 2 'mL'", "RatioLiteral(numerator=1_mg denominator=2_mL)"),
        ("1:2", "RatioLiteral(numerator=1 denominator=2)"),
        ("@2014", "TemporalLiteral(kind=Date text=2014)"),
        ("@2014-01-25", "TemporalLiteral(kind=Date text=2014-01-25)"),
        ("@2014T", "TemporalLiteral(kind=DateTime text=2014T)"),
        (
            "@2014-01-25T14:30:14.559-07:00",
            "TemporalLiteral(kind=DateTime text=2014-01-25T14:30:14.559-07:00)",
        ),
        ("@2014-01-25T14:30Z", "TemporalLiteral(kind=DateTime text=2014-01-25T14:30Z)"),
        ("@T14:30", "TemporalLiteral(kind=Time text=14:30)"),
        ("Interval[1, 2)", "IntervalSelector(low=1 high=2 low_closed=True)"),
        ("Interval(1, null]", "IntervalSelector(low=1 high=null high_closed=True)"),
        ("{}", "ListSelector()"),
        ("{ 1, a }", "ListSelector(elements=[1 a])"),
        ("List<Integer> { 1 }", "ListSelector(element_type=Integer elements=[1])"),
        ("List { }", "ListSelector()"),
        ("{ : }", "TupleSelector()"),
        ("{ a: 1, b: 2 }", "TupleSelector(elements=[ElementSelector(name=a value=1) ElementSelector(name=b value=2)])"),
        ('Tuple { "code": 1 }', "TupleSelector(elements=[ElementSelector(name=code value=1)])"),
        (
            "Quantity { value: 1.0, unit: 'g' }",
            "InstanceSelector(type=Quantity elements=[ElementSelector(name=value value=1.0) "
            "ElementSelector(name=unit value='g')])",
        ),
        ("System.Code { : }", "InstanceSelector(type=System.Code)"),
        ("Code { code: 'a' }", "InstanceSelector(type=Code elements=[ElementSelector(name=code value='a')])"),
        ("Code '1' from \"LOINC\" display 'x'", "CodeSelector(code=1 system=LOINC display=x)"),
        ("Code '1' from Lib.LOINC", "CodeSelector(code=1 system=Lib.LOINC)"),
        ("Concept { Code '1' from A }", "ConceptSelector(codes=[CodeSelector(code=1 system=A)])"),
        ("Concept { Code '1' from A } display 'd'", "ConceptSelector(codes=[CodeSelector(code=1 system=A)] display=d)"),
        ("Concept { codes: x }", "InstanceSelector(type=Concept elements=[ElementSelector(name=codes value=x)])"),
        ("%resource", "ExternalConstant(name=resource)"),
        ("%'a b'", "ExternalConstant(name=a b)"),
        ("$this", "SpecialIdentifier(name=this)"),
        ("$index + $total", "(+ SpecialIdentifier(name=index) SpecialIdentifier(name=total))"),
    ),
)
def test_literals_and_selectors(text: str, expected: str) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ('"a b"."c d"', "a b.c d"),
        ("`a b`", "a b"),
        ("code.display", "code.display"),
        ("start", "start"),
        ("date", "date"),
        ("x.start.end", "x.start.end"),
        ("timezone", "timezone"),
        ("f(1, g())", "FunctionCall(name=f arguments=[1 FunctionCall(name=g)])"),
        ("x.f(1).y", "FunctionCall(target=x name=f arguments=[1]).y"),
        ("x.all(y)", "FunctionCall(target=x name=all arguments=[y])"),
        ("x.exists()", "FunctionCall(target=x name=exists)"),
        ("x[0][1]", "Index(target=Index(target=x index=0) index=1)"),
        ("(a + b).c", "(+ a b).c"),
        ("or_else or orbit", "(or or_else orbit)"),
        ("a or onset", "(or a onset)"),
        ("a or beforehand", "(or a beforehand)"),
    ),
)
def test_names_and_invocations(text: str, expected: str) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("start of x + 1", "(+ (start of x) 1)"),
        ("end of x.y", "(end of x.y)"),
        ("width of x", "(width of x)"),
        ("predecessor of successor of 5", "(predecessor (successor 5))"),
        ("singleton from {1}", "(singleton from ListSelector(elements=[1]))"),
        ("point from x", "(point from x)"),
        ("year from x", "ComponentFrom(component=year operand=x)"),
        ("date from start of x", "ComponentFrom(component=date operand=(start of x))"),
        ("timezoneoffset from x", "ComponentFrom(component=timezoneoffset operand=x)"),
        ("timezone from x", "ComponentFrom(component=timezone operand=x)"),
        ("duration in days of x", "ElapsedOf(kind=duration precision=day operand=x)"),
        ("difference in months of x", "ElapsedOf(kind=difference precision=month operand=x)"),
        ("days between a and b > 5", "(> ElapsedBetween(kind=duration precision=day low=a high=b) 5)"),
        ("duration in weeks between a and b", "ElapsedBetween(kind=duration precision=week low=a high=b)"),
        (
            "difference in years between a and b and c",
            "(and ElapsedBetween(kind=difference precision=year low=a high=b) c)",
        ),
        ("minimum Integer", "Extreme(kind=minimum type=Integer)"),
        ("maximum System.Date", "Extreme(kind=maximum type=System.Date)"),
        ("convert '1' to Integer", "Conversion(operand='1' type=Integer)"),
        ("convert x to 'mg'", "Conversion(operand=x unit=mg)"),
        ("convert x to days", "Conversion(operand=x unit=days)"),
        ("distinct a union b", "(distinct (union a b))"),
        ("flatten {a}", "(flatten ListSelector(elements=[a]))"),
        ("collapse x", "SetOperation(operator=collapse operand=x)"),
        ("expand x per day", "SetOperation(operator=expand operand=x per=1_day)"),
        ("expand x per 2 days", "SetOperation(operator=expand operand=x per=2_days)"),
        ("if a then b else c or d", "Conditional(condition=a then=b otherwise=(or c d))"),
        ("1 + if a then b else c", "(+ 1 Conditional(condition=a then=b otherwise=c))"),
        ("case when a then 1 when b then 2 else 3 end", "Case(items=[[a 1] [b 2]] otherwise=3)"),
        ("case x when 1 then 'a' else 'b' end", "Case(comparand=x items=[[1 'a']] otherwise='b')"),
    ),
)
def test_keyword_forms(text: str, expected: str) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize(
    ("phrase", "expected"),
    (
        ("same day as", "ConcurrentPhrase(precision=day relation=as)"),
        ("same or before", "ConcurrentPhrase(relation=or before)"),
        (
            "starts same month or after start",
            "ConcurrentPhrase(precision=month left=start right=start relation=or after)",
        ),
        ("occurs same as end", "ConcurrentPhrase(right=end relation=as)"),
        ("includes", "InclusionPhrase(operator=includes)"),
        (
            "properly includes day of start",
            "InclusionPhrase(precision=day operator=includes properly=True right=start)",
        ),
        ("during", "InclusionPhrase(operator=included in)"),
        ("included in year of", "InclusionPhrase(precision=year operator=included in)"),
        ("ends properly during hour of", "InclusionPhrase(precision=hour operator=included in properly=True left=end)"),
        ("before", "BeforeOrAfterPhrase(direction=before)"),
        ("on or after day of", "BeforeOrAfterPhrase(precision=day direction=after inclusive=True)"),
        ("before or on", "BeforeOrAfterPhrase(direction=before inclusive=True)"),
        ("on  or\n before start", "BeforeOrAfterPhrase(direction=before inclusive=True right=start)"),
        ("starts before end", "BeforeOrAfterPhrase(direction=before left=start right=end)"),
        (
            "starts 3 days or more before start",
            "BeforeOrAfterPhrase(direction=before left=start right=start offset=3_days offset_relation=or more)",
        ),
        ("3 days before", "BeforeOrAfterPhrase(direction=before offset=3_days offset_relation=exactly)"),
        ("more than 3 days after", "BeforeOrAfterPhrase(direction=after offset=3_days offset_relation=more than)"),
        (
            "ends less than 2 'h' on or before",
            "BeforeOrAfterPhrase(direction=before inclusive=True left=end offset=2_h offset_relation=less than)",
        ),
        ("1 year or less after", "BeforeOrAfterPhrase(direction=after offset=1_year offset_relation=or less)"),
        ("within 3 days of", "WithinPhrase(offset=3_days)"),
        ("occurs within 3 days of", "WithinPhrase(offset=3_days)"),
        ("starts properly within 1 month of end", "WithinPhrase(properly=True offset=1_month left=start right=end)"),
        ("meets", "MeetsPhrase()"),
        ("meets before day of", "MeetsPhrase(precision=day direction=before)"),
        ("overlaps after", "OverlapsPhrase(direction=after)"),
        ("overlaps month of", "OverlapsPhrase(precision=month)"),
        ("starts", "StartsPhrase()"),
        ("ends day of", "EndsPhrase(precision=day)"),
    ),
)
def test_timing_phrases(phrase: str, expected: str) -> None:
    assert shape(f"a {phrase} b") == f"Timing(left=a phrase={expected} right=b)"


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("a before start of b", "Timing(left=a phrase=BeforeOrAfterPhrase(direction=before) right=(start of b))"),
        ("a before start", "Timing(left=a phrase=BeforeOrAfterPhrase(direction=before) right=start)"),
        (
            "start of a during b and c",
            "(and Timing(left=(start of a) phrase=InclusionPhrase(operator=included in) right=b) c)",
        ),
        ("a during b = c", "(= Timing(left=a phrase=InclusionPhrase(operator=included in) right=b) c)"),
        ("a < b during c", "Timing(left=(< a b) phrase=InclusionPhrase(operator=included in) right=c)"),
    ),
)
def test_timing_phrases_among_other_operators(text: str, expected: str) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("[Observation]", "Retrieve(type=Observation)"),
        ('[FHIR.Observation: "A"]', "Retrieve(type=FHIR.Observation terminology=A)"),
        ('[Observation: code in "A"]', "Retrieve(type=Observation code_path=code comparator=in terminology=A)"),
        (
            "[Observation: value.code ~ L.A]",
            "Retrieve(type=Observation code_path=value.code comparator=~ terminology=L.A)",
        ),
        (
            "[Condition: code = A union B]",
            "Retrieve(type=Condition code_path=code comparator== terminology=(union A B))",
        ),
        ("[Condition: a[0].b in A]", "Retrieve(type=Condition code_path=a[0].b comparator=in terminology=A)"),
        ("[Condition: A union B]", "Retrieve(type=Condition terminology=(union A B))"),
        ("[Condition: f(A)]", "Retrieve(type=Condition terminology=FunctionCall(name=f arguments=[A]))"),
        (
            '["Patient with X" -> "Observation": "code"]',
            "Retrieve(type=Observation context=Patient with X terminology=code)",
        ),
        ("[Lib.Mother -> Observation]", "Retrieve(type=Observation context=Lib.Mother)"),
    ),
)
def test_retrieves(text: str, expected: str) -> None:
    assert shape(text) == expected


def source(expression: str, alias: str) -> str:
    return f"AliasedSource(expression={expression} alias={alias})"


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("A a", f"Query(sources=[{source('A', 'a')}])"),
        ("L.A a where a.x", f"Query(sources=[{source('L.A', 'a')}] where=a.x)"),
        ("(1 + 2) a return all a", f"Query(sources=[{source('(+ 1 2)', 'a')}] returns=ReturnClause(expression=a))"),
        ("A a return a", f"Query(sources=[{source('A', 'a')}] returns=ReturnClause(expression=a distinct=True))"),
        (
            "A a return distinct a",
            f"Query(sources=[{source('A', 'a')}] returns=ReturnClause(expression=a distinct=True))",
        ),
        ("from A a, (B) b", f"Query(sources=[{source('A', 'a')} {source('B', 'b')}])"),
        ("A a, [B] b where c", f"Query(sources=[{source('A', 'a')} {source('Retrieve(type=B)', 'b')}] where=c)"),
        (
            "A a let x: 1, y: x + 1",
            f"Query(sources=[{source('A', 'a')}] "
            "lets=[LetItem(name=x expression=1) LetItem(name=y expression=(+ x 1))])",
        ),
        (
            "A a with B b such that c without D d such that e",
            f"Query(sources=[{source('A', 'a')}] relationships=[Relationship(source={source('B', 'b')} condition=c) "
            f"Relationship(source={source('D', 'd')} condition=e negated=True)])",
        ),
        ("A a sort desc", f"Query(sources=[{source('A', 'a')}] sort=[SortItem(descending=True)])"),
        (
            "A a sort by x.y, f(z) descending",
            f"Query(sources=[{source('A', 'a')}] sort=[SortItem(expression=x.y) "
            "SortItem(expression=FunctionCall(name=f arguments=[z]) descending=True)])",
        ),
        (
            "A a aggregate r starting 1: r * a",
            f"Query(sources=[{source('A', 'a')}] aggregate=AggregateClause(name=r starting=1 expression=(* r a)))",
        ),
        (
            "A a aggregate all r: r",
            f"Query(sources=[{source('A', 'a')}] aggregate=AggregateClause(name=r expression=r))",
        ),
        (
            "A a aggregate distinct r starting (1 + 1): r",
            f"Query(sources=[{source('A', 'a')}] "
            "aggregate=AggregateClause(name=r starting=(+ 1 1) expression=r distinct=True))",
        ),
        ("exists A a where b and c", f"(exists Query(sources=[{source('A', 'a')}] where=(and b c)))"),
        ("(A a) union (B b)", f"(union Query(sources=[{source('A', 'a')}]) Query(sources=[{source('B', 'b')}]))"),
        (
            "{ A a where b, 1 }",
            f"ListSelector(elements=[Query(sources=[{source('A', 'a')}] where=b) 1])",
        ),
    ),
)
def test_queries(text: str, expected: str) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize("operator", ("and", "or", "xor", "+", "-", "*", "union", "except", "&"))
def test_a_chain_of_one_operator_is_one_node(operator: str) -> None:
    node, diagnostics = parse_expression(f" {operator} ".join(["a"] * 3000))
    assert not diagnostics
    assert isinstance(node, tree.Operation)
    assert len(node.operands) == 3000


@pytest.mark.parametrize(
    ("text", "locator"),
    (
        ("1 + 1", "1:1-1:5"),
        ("  (1 + 1) * 2", "1:3-1:13"),
        ("a\n  and b", "1:1-2:7"),
        ("'a\nb'", "1:1-2:2"),
        ("[A] x\n where x.y is null", "1:1-2:18"),
        ("not a", "1:1-1:5"),
    ),
)
def test_spans(text: str, locator: str) -> None:
    node, _ = parse_expression(text)
    assert node is not None
    assert node.span.locator == locator
