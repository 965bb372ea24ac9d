"""UCUM units: what is valid, what converts into what, and how products are written."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from engine.errors import EvaluationError
from engine.terminology import make_ucum_table
from engine.terminology.ucum import EXPONENT_LIMIT, TABLE_NAME, Powers
from engine.terminology.units import QUOTIENT_DIGITS, Units, UnknownUnit

UNITS = Units()


@pytest.mark.parametrize(
    "unit",
    (
        "1", "%", "mg/dL", "10*9/L", "10*3/uL", "10*-3", "10*", "{copies}/mL", "{}", "[IU]/mL", "m[IU]/L", "mm[Hg]",
        "cm[H2O]", "U/L", "/uL", "mL/min/{1.73_m2}", "mL/min/(173.10*-2.m2)",
        "kg/m2", "{score}", "100/{cells}", "100{pc}",
        "(8.h){shift}", "cal_[15]", "B[10.nV]", "dB[10.nV]", "[m/s2/Hz^(1/2)]", "[in_i'H2O]", "'", "''", "m+2", "m-1",
        "dar", "dam", "cd", "min", "Pa", "KiBy", "pH", "Cel", "Cel/min", "g%", "1/2", "((m))",
    ),
)  # fmt: skip
def test_valid(unit: str) -> None:
    assert UNITS.valid(unit)


@pytest.mark.parametrize(
    ("unit", "reason"),
    (
        ("", "a unit is missing at character 1"),
        ("x10^9/L", "powers of ten are written 10*9, not 10^9, at character 1"),
        ("10^9/L", "powers of ten are written 10*9, not 10^9, at character 1"),
        ("10^", "powers of ten are written 10*9, not 10^9, at character 1"),
        ("foo", "'foo' is no unit"),
        ("mg/foo", "'foo' is no unit (codes are case sensitive; words go into braces, {like_this}) at character 4"),
        ("KG", "'KG' is no unit"),
        ("MMOL/L", "'MMOL' is no unit"),
        ("days", "'days' is no unit"),
        ("(score)", "'score' is no unit"),
        ("kkg", "'kkg' is no unit"),
        ("mmin", "'mmin' is no unit"),
        ("m2L", "'m2L' is no unit"),
        ("mg dL", "' ' is not expected at character 3"),
        (" mg", "a unit is expected, not ' ', at character 1"),
        ("mg//dL", "a unit is expected, not '/', at character 4"),
        ("mg/", "a unit is missing at character 4"),
        ("m.", "a unit is missing at character 3"),
        ("(m", "a closing parenthesis is missing at character 3"),
        ("m)", "')' is not expected at character 2"),
        ("(m)2", "'2' is not expected at character 4"),
        ("(/m)", "a unit is expected, not '/', at character 2"),
        ("{a b}", "an annotation is {text} without blanks and inner braces, at character 1"),
        ("{a", "an annotation is {text}"),
        ("{a}m", "'m' is not expected at character 4"),
        ("{a}{b}", "'{' is not expected at character 4"),
        ("[IU", "a unit is expected, not '[', at character 1"),
        ("0", "'0' is no unit and no positive number"),
        ("m0", "'m0' is no unit and no positive number"),
        ("10+2", "'10+2' is no unit and no positive number"),
        ("m1000", f"the exponents add up to more than {EXPONENT_LIMIT}"),
        ("m99999999999999", f"the exponents add up to more than {EXPONENT_LIMIT}"),
        ("m600.m-600", f"the exponents add up to more than {EXPONENT_LIMIT}"),
        ("(" * 30 + "m" + ")" * 30, "more than 20 parentheses are nested"),
        ("m." * 300 + "m", "it is longer than 500 characters"),
        ("µg", "'µg' is no unit"),
        ("m²", "'m²' is no unit"),
        ("m٢", "'m٢' is no unit"),
    ),
)
def test_invalid(unit: str, reason: str) -> None:
    assert not UNITS.valid(unit)
    with pytest.raises(UnknownUnit) as caught:
        UNITS.convert(Decimal(1), unit, unit)
    assert reason in str(caught.value)
    assert caught.value.code == "unknown-unit"


def test_unknown_unit_is_an_error_of_the_define_and_a_value_error() -> None:
    assert issubclass(UnknownUnit, EvaluationError)
    assert issubclass(UnknownUnit, ValueError)


@pytest.mark.parametrize(
    ("value", "source", "target", "answer"),
    (
        ("1", "g/dL", "g/L", "10"),
        ("1.10", "g", "mg", "1100"),
        ("1.50", "mg", "mg", "1.50"),
        ("98", "10*9/L", "/uL", "98000"),
        ("100", "10*3/uL", "10*9/L", "100"),
        ("1", "[lb_av]", "kg", "0.45359237"),
        ("72", "[in_i]", "cm", "182.88"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("5", "%", "1", "0.05"),
        ("3", "{score}", "1", "3"),
        ("60", "mL/min/{1.73_m2}", "mL/min", "60"),
        ("1", "wk", "h", "168"),
        ("1", "a", "d", "365.25"),
        ("1", "mo", "d", "30.4375"),
        ("40", "U/L", "umol/min/L", "40"),
        ("1", "[IU]/L", "m[IU]/mL", "1"),
        ("1", "[iU]", "[IU]", "1"),
        ("2", "k[IU]", "[IU]", "2000"),
        ("37", "Cel", "[degF]", "98.6"),
        ("98.6", "[degF]", "Cel", "37"),
        ("-40", "Cel", "[degF]", "-40"),
        ("0", "Cel", "K", "273.15"),
        ("0", "K", "[degF]", "-459.67"),
        ("80", "[degRe]", "Cel", "100"),
        ("491.67", "[degR]", "Cel", "0"),
        ("36600", "mCel", "Cel", "36.6"),
        ("90", "Cel/min", "Cel/s", "1.5"),
        ("25", "dB", "B", "2.5"),
        ("1e-24", "g", "kg", "0.000000000000000000000000001"),
        ("0.1", "mg/dL", "ug/mL", "1"),
        ("-3", "d", "h", "-72"),
        ("1", "mmol/L", "mg/dL", None),
        ("1", "mmol/L", "10*9/L", None),
        ("1", "meq/L", "mmol/L", None),
        ("1", "meq/L", "ueq/mL", "1"),
        ("1", "U/L", "[IU]/L", None),
        ("1", "[IU]", "[arb'U]", None),
        ("1", "[CFU]", "[PFU]", None),
        ("1", "[IU]", "1", None),
        ("1", "Cel/min", "K/min", None),
        ("1", "Cel", "m", None),
        ("7", "[pH]", "mol/L", None),
        ("1", "B", "Np", None),
        ("1", "B[V]", "V", None),
        ("1", "K/uL", "10*3/uL", None),
        ("1", "rad", "1", None),
        ("1", "mL/min", "mL/min/m2", None),
    ),
)
def test_convert(value: str, source: str, target: str, answer: str | None) -> None:
    got = UNITS.convert(Decimal(value), source, target)
    assert (None if got is None else format(got, "f")) == answer
    assert UNITS.commensurable(source, target) is (answer is not None)


def test_a_quotient_without_end_is_rounded_to_the_stated_digits() -> None:
    third = UNITS.convert(Decimal(1), "min", "h")
    assert third is not None
    assert third == Decimal("0.01" + "6" * (QUOTIENT_DIGITS - 2) + "7")


def test_a_quotient_with_an_end_is_never_rounded() -> None:
    value = Decimal("1." + "3" * 200)
    assert UNITS.convert(value, "kg", "g") == Decimal("1333." + "3" * 197)
    tiny = UNITS.convert(Decimal(1), "Ym99", "ym99")
    assert tiny is not None
    assert tiny.adjusted() == 48 * 99


@pytest.mark.parametrize(
    ("left", "left_unit", "right", "right_unit", "answer"),
    (
        ("1.0", "mg/dL", "1.00", "mg/dL", 0),
        ("1.5", "mg/dL", "1.4", "mg/dL", 1),
        ("99", "10*9/L", "100000", "/uL", -1),
        ("100", "10*9/L", "100000", "/uL", 0),
        ("1", "h", "60", "min", 0),
        ("1", "min", "0." + "01" + "6" * 62 + "7", "h", -1),
        ("36.6", "Cel", "97.88", "[degF]", 0),
        ("36.6", "Cel", "97.87999999999999999999999999999999999999999999999999", "[degF]", 1),
        ("1." + "0" * 80 + "1", "g", "1000", "mg", 1),
        ("1." + "0" * 80 + "1", "g", "1", "g", 1),
        ("1", "mmol/L", "1", "mg/dL", None),
        ("1", "[IU]", "1", "{unit}", None),
        ("7.4", "[pH]", "7.3", "[pH]", 1),
    ),
)
def test_compare(left: str, left_unit: str, right: str, right_unit: str, answer: int | None) -> None:
    assert UNITS.compare(Decimal(left), left_unit, Decimal(right), right_unit) == answer
    back = UNITS.compare(Decimal(right), right_unit, Decimal(left), left_unit)
    assert back == (None if answer is None else -answer)


def test_compare_refuses_an_unknown_unit_on_either_side() -> None:
    for left, right in [("foo", "foo"), ("foo", "mg"), ("mg", "foo")]:
        with pytest.raises(UnknownUnit, match="foo"):
            UNITS.compare(Decimal(1), left, Decimal(1), right)


@pytest.mark.parametrize(
    ("source", "target", "answer"),
    (
        ("g/dL", "g/L", Fraction(10)),
        ("min", "h", Fraction(1, 60)),
        ("Cel", "Cel", Fraction(1)),
        ("Cel", "K", None),
        ("Cel", "mCel", None),
        ("[degR]", "K", Fraction(5, 9)),
        ("g", "m", None),
    ),
)
def test_factor(source: str, target: str, answer: Fraction | None) -> None:
    assert UNITS.factor(source, target) == answer


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    (
        ("cm", "cm", "cm2"),
        ("cm2", "cm", "cm3"),
        ("g/L", "L", "g"),
        ("g/L", "l", "g"),
        ("g/mL", "ml", "g"),
        ("1", "mg", "mg"),
        ("{score}", "1", "{score}"),
        ("1", "1", "1"),
        ("10*9/L", "L", "10*9"),
        ("{copies}/mL", "mL", "1"),
        ("m", "kg", "kg.m"),
        ("kg", "m", "kg.m"),
        ("m", "cm", "cm.m"),
        ("mg/kg/d", "kg", "mg/d"),
        ("/h", "h", "1"),
        ("24.h", "2", "48.h"),
        ("m/8", "2.s", "m.s/4"),
        ("k[iU]/L", "L", "k[IU]"),
    ),
)
def test_multiply(left: str, right: str, answer: str) -> None:
    assert UNITS.multiply(left, right) == answer


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    (
        ("cm2", "cm", "cm"),
        ("g", "g", "1"),
        ("g", "L", "g/L"),
        ("1", "uL", "/uL"),
        ("mg", "1", "mg"),
        ("{score}", "1", "{score}"),
        ("kg", "m2", "kg/m2"),
        ("mg/dL", "mg/dL", "1"),
        ("mg", "kg.d", "mg/d/kg"),
        ("1", "24.h", "/24/h"),
        ("mg", "g", "mg/g"),
    ),
)
def test_divide(left: str, right: str, answer: str) -> None:
    assert UNITS.divide(left, right) == answer


@pytest.mark.parametrize(
    ("unit", "exponent", "answer"),
    (("cm", 2, "cm2"), ("m/s", 2, "m2/s2"), ("m", 0, "1"), ("m", -1, "/m"), ("{a}", 1, "{a}"), ("g/L", -1, "L/g")),
)
def test_power(unit: str, exponent: int, answer: str) -> None:
    assert UNITS.power(unit, exponent) == answer


def test_a_power_beyond_all_measure_is_refused() -> None:
    with pytest.raises(UnknownUnit, match="add up to 999 at most"):
        UNITS.power("m", 1000)
    with pytest.raises(UnknownUnit, match="add up to 999 at most"):
        UNITS.power("10", 10**9)
    with pytest.raises(UnknownUnit, match="add up to 999 at most"):
        UNITS.multiply("m999", "m")
    with pytest.raises(UnknownUnit, match="longer than 500 characters"):
        UNITS.power("9" * 400, 900)
    with pytest.raises(UnknownUnit, match="longer than 500 characters"):
        UNITS.multiply("9" * 400, "7" * 400)


@pytest.mark.parametrize(
    ("value", "unit", "answer"),
    (
        ("1", "kg", (Fraction(1000), (("g", 1),))),
        ("1000", "g", (Fraction(1000), (("g", 1),))),
        ("2", "10*9/L", (Fraction(2 * 10**12), (("m", -3),))),
        ("0", "Cel", (Fraction("273.15"), (("K", 1),))),
        ("5", "{score}", (Fraction(5), ())),
        ("1", "N", (Fraction(1000), (("g", 1), ("m", 1), ("s", -2)))),
        ("1", "k[IU]", (Fraction(1000), (("[iU]", 1),))),
    ),
)
def test_base(value: str, unit: str, answer: tuple[Fraction, Powers]) -> None:
    assert UNITS.base(Decimal(value), unit) == answer


def test_neither_ucumvert_nor_pint_is_loaded() -> None:
    program = (
        "import sys; from decimal import Decimal; from engine.terminology.units import Units; units = Units();"
        "assert units.convert(Decimal(37), 'Cel', '[degF]') == Decimal('98.6'); assert not units.valid('foo');"
        "sys.exit(sorted({'pint', 'ucumvert', 'lark'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_committed_table_is_what_the_command_makes() -> None:
    assert make_ucum_table.main(["--check"]) == 0


def test_the_command_writes_and_notices_a_change(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(make_ucum_table, "__file__", str(tmp_path / "make_ucum_table.py"))
    table = tmp_path / TABLE_NAME
    assert make_ucum_table.main([]) == 0
    assert make_ucum_table.main(["--check"]) == 0
    table.write_text(table.read_text().replace('"[in_i]": {"factor": "127/5000"', '"[in_i]": {"factor": "128/5000"'))
    assert make_ucum_table.main(["--check"]) == 1
    assert "run `python -m engine.terminology.make_ucum_table`" in capsys.readouterr().err


def test_no_symbol_can_be_read_in_two_ways() -> None:
    essence = make_ucum_table.Essence(make_ucum_table.ElementTree.parse(make_ucum_table.essence_path()).getroot())
    metric = [code for code, atom in essence.atoms().items() if atom.metric]
    readings = [prefix + code for prefix, code in product(essence.prefixes, metric)]
    assert len(readings) == len(set(readings))
    assert set(readings).isdisjoint(essence.atoms())
