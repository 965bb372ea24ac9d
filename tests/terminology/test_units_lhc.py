"""A second opinion on units: LHC-UCUM (npm `@lhncbc/ucum-lhc`), over 300 pairs and more; each difference has its rule.

Skipped where node or the package is absent: `npm install` in this folder brings it.
"""

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from engine.terminology.units import Units

HERE = Path(__file__).parent
VALUE = Decimal("3")

# Every unit of a group with every other of it, both ways.
KINDS = {
    "mass": ["kg", "g", "mg", "ug", "ng", "pg", "t", "[lb_av]", "[oz_av]", "[gr]"],
    "length": ["m", "km", "cm", "mm", "um", "nm", "[in_i]", "[ft_i]", "[mi_i]", "Ao"],
    "area": ["m2", "cm2", "mm2", "[sft_i]"],
    "volume": ["L", "l", "dL", "mL", "uL", "fL", "m3", "cm3", "[gal_us]", "[foz_us]"],
    "time": ["s", "ms", "min", "h", "d", "wk", "mo", "a", "a_g"],
    "mass concentration": ["g/L", "g/dL", "mg/dL", "mg/L", "ug/mL", "ng/mL", "pg/mL", "kg/m3", "g%"],
    "number concentration": ["10*9/L", "10*3/uL", "10*6/mL", "10*12/L", "/uL", "/L", "{cells}/uL"],
    "amount concentration": ["mol/L", "mmol/L", "umol/L", "nmol/L", "pmol/mL", "mosm/L"],
    "catalysis": ["U/L", "kU/L", "ukat/L", "nkat/mL", "umol/min/L"],
    "pressure": ["mm[Hg]", "kPa", "Pa", "bar", "atm", "cm[H2O]", "[psi]"],
    "temperature": ["K", "Cel", "[degF]", "[degR]", "mCel"],
    "number": ["1", "%", "[ppm]", "[ppth]", "10*-3", "{score}", "[pi]"],
    "energy": ["J", "kJ", "cal", "kcal", "[Btu]", "N.m", "W.s"],
    "clearance": ["mL/min", "L/h", "mL/s", "mL/min/{1.73_m2}"],
    "rate": ["/min", "/h", "s-1", "Hz", "{beats}/min"],
    "dose": ["mg/kg/d", "ug/kg/min", "mg/(kg.d)", "mg/(8.h.kg)"],
    "radiation": ["Gy", "cGy", "RAD", "J/kg", "Sv"],
    "activity": ["Bq", "MBq", "Ci", "mCi"],
    "angle": ["rad", "deg", "gon", "'"],
    "body": ["kg/m2", "g/cm2", "[lb_av]/[sft_i]"],
}
# One unit of a kind is nothing in another kind.
STRANGERS = [
    ("mg/dL", "mmol/L"), ("mmol/L", "/L"), ("mol", "1"), ("g", "L"), ("U/L", "[IU]/L"), ("[IU]", "1"),
    ("[IU]", "[arb'U]"),
    ("[CFU]", "[PFU]"), ("[pH]", "mol"), ("10*9/L", "%"), ("mL/min", "mL"), ("kg/m2", "kg"), ("B", "K"), ("Cel", "m"),
    ("%[slope]", "%"), ("[hp'_X]", "1000"), ("B[V]", "A"), ("mm[Hg]", "mm"), ("d", "m"), ("meq/L", "g/L"),
    ("meq/L", "mmol/L"),
]  # fmt: skip

ARBITRARY = "LHC-UCUM refuses every conversion of an arbitrary unit; here its own prefixes and spelling count."
LOGARITHM = "LHC-UCUM computes logarithms in floats; here a value is exact or not converted."
TANGENT = "LHC-UCUM computes tangents in floats; here a value is exact or not converted."
REAUMUR = "LHC-UCUM takes K = (n + 273.15) * 5/4, which has water freeze at -54.6; here K = n * 5/4 + 273.15."
ROOT = "LHC-UCUM squares the special unit; here a special unit converts into itself alone."
CONSTANT = "LHC-UCUM keeps the measured constants of before the SI of 2019; here they are those of UCUM 2.2."
FIELD = "UCUM defines [LPF] as 100; LHC-UCUM counts it as 1."
RECIPROCAL = "LHC-UCUM turns a power of a lens into its focal length; here a unit and its reciprocal are two kinds."
PRODUCT = "LHC-UCUM converts no product with a special unit; here such a unit is a dimension of its own in a product."
DIFFERENCES = {
    ("eV", "J"): CONSTANT,
    ("u", "g"): CONSTANT,
    ("C", "[e]"): CONSTANT,
    ("[m_p]", "g"): CONSTANT,
    ("[h]", "J.s"): CONSTANT,
    ("1", "[LPF]"): FIELD,
    ("[diop]", "m"): RECIPROCAL,
    ("Cel/min", "Cel/h"): PRODUCT,
    ("[IU]", "k[IU]"): ARBITRARY,
    ("[IU]/L", "m[IU]/mL"): ARBITRARY,
    ("[iU]", "[IU]"): ARBITRARY,
    ("[CFU]/mL", "[CFU]/L"): ARBITRARY,
    ("B", "Np"): LOGARITHM,
    ("B[V]", "B[mV]"): LOGARITHM,
    ("B[V]", "V"): LOGARITHM,
    ("bit_s", "1"): LOGARITHM,
    ("[degRe]", "K"): REAUMUR,
    ("[degRe]", "Cel"): REAUMUR,
    ("[degF]", "[degRe]"): REAUMUR,
    ("%[slope]", "deg"): TANGENT,
    ("[m/s2/Hz^(1/2)]", "m2/s4/Hz"): ROOT,
}

VALID = [
    "mg/dL",
    "10*9/L",
    "{copies}/mL",
    "[IU]/mL",
    "%",
    "1",
    "mm[Hg]",
    "/uL",
    "10*-3",
    "dB[10.nV]",
    "m+2",
    "dar",
    "24.h",
]
INVALID = [
    "x10^9/L",
    "foo",
    "days",
    "(score)",
    "kkg",
    "mg dL",
    "mg//dL",
    "m.",
    "(m",
    "m)",
    "(m)2",
    "(/m)",
    "10+2",
    "KG",
    "{a}{b}",
    "{a}m",
]
TEN_CARET = "UCUM has 10^ beside 10*; records carry it in typed text, whose unit the trials hold for unknown."
ZERO = "A number or a power of zero is no unit here, as in ucumvert: nothing can be divided by it, or it says nothing."
PREFIX = "UCUM has prefixes before metric units alone; LHC-UCUM reads them before any."
BLANK = "UCUM terms have no blanks; LHC-UCUM cuts off those around a term."
INSIDE = "LHC-UCUM takes no special unit into a product; UCUM only gives such a product no meaning in other units."
NEWER = "A unit of UCUM 2.2 that LHC-UCUM does not have yet."
VALIDITY_DIFFERENCES = {
    "10^9/L": TEN_CARET, "10^3": TEN_CARET, "0": ZERO, "m0": ZERO, "mg/010.L": ZERO,
    "Kiwk": PREFIX, "m10*": PREFIX, "p[EU]": PREFIX, "kmin-1": PREFIX, "mg ": BLANK, " mg": BLANK,
    "Cel/min": INSIDE, "[pH].m": INSIDE, "nHz/bit_s": INSIDE, "[FNU]": NEWER, "[NTU]": NEWER,
}  # fmt: skip


def pairs() -> list[tuple[str, str]]:
    inside = [(one, other) for units in KINDS.values() for one in units for other in units if one != other]
    return inside + STRANGERS + [(other, one) for one, other in STRANGERS]


@pytest.fixture(scope="module")
def ask_lhc():
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node, which is not installed")
    if not (HERE / "node_modules" / "@lhncbc" / "ucum-lhc").is_dir():
        pytest.skip("needs @lhncbc/ucum-lhc; run `npm install` in tests/terminology")

    def ask(asked_pairs, codes=()):
        question = {"pairs": [[float(VALUE), one, other] for one, other in asked_pairs], "codes": list(codes)}
        command = [node, str(HERE / "lhc_answers.cjs")]
        done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=True, cwd=HERE)
        return json.loads(done.stdout)

    return ask


def same(ours: Decimal | None, theirs: float | None) -> bool:
    """Whether nine digits agree: LHC-UCUM counts in floats."""
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return abs(ours - Decimal(theirs)) <= abs(ours) * Decimal("1e-9")


def test_there_are_at_least_300_pairs():
    assert len(set(pairs())) >= 300


def test_conversions_agree(ask_lhc):
    units = Units()
    theirs = ask_lhc(pairs())["pairs"]
    ours = [units.convert(VALUE, one, other) for one, other in pairs()]
    different = [
        (pair, one, other) for pair, one, other in zip(pairs(), ours, theirs, strict=True) if not same(one, other)
    ]
    assert different == []


def test_each_listed_difference_is_one(ask_lhc):
    units = Units()
    theirs = ask_lhc(DIFFERENCES)["pairs"]
    ours = [units.convert(VALUE, one, other) for one, other in DIFFERENCES]
    agreed = [pair for pair, one, other in zip(DIFFERENCES, ours, theirs, strict=True) if same(one, other)]
    assert agreed == []


def test_validity_agrees(ask_lhc):
    units = Units()
    codes = [*VALID, *INVALID, *VALIDITY_DIFFERENCES]
    theirs = dict(zip(codes, ask_lhc((), codes)["codes"], strict=True))
    ours = {code: units.valid(code) for code in codes}
    assert {code for code in codes if ours[code] != theirs[code]} == set(VALIDITY_DIFFERENCES)
    assert [code for code in (*VALID, *INVALID) if ours[code]] == VALID
