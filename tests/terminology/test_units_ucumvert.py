"""The examples that UCUM publishes, read beside ucumvert: the same units, and the same factors to six digits."""

import csv
from itertools import groupby

import pytest

from engine.terminology.make_ucum_table import essence_path
from engine.terminology.ucum import measure
from engine.terminology.units import Units

UNDEFINED = {"Torr"}  # in the table of examples, but defined nowhere in UCUM

BASE = {"m", "s", "g", "rad", "K", "C", "cd", "mol"}  # arbitrary and special units are no matter of factors
MERCURY = "pint measures the column of mercury as 133.322387415 Pa a millimetre; UCUM writes 133.3220."
WATER = "pint takes water at 60 degF, 248.84 Pa an inch; UCUM writes 9.80665 kPa a metre."
FIELD = "UCUM defines the low power field as 100; ucumvert reads it as 1."
DIFFERENCES = {
    "[in_i'H2O]": WATER,
    "mm[Hg]": MERCURY,
    "cm[Hg]": MERCURY,
    "[LPF]": FIELD,
    "{#}/[LPF]": FIELD,
    "/[LPF]": FIELD,
}


@pytest.fixture(scope="module")
def examples() -> list[str]:
    with (essence_path().parent / "ucum_examples.tsv").open(encoding="utf-8") as table:
        codes = {row["UCUM_CODE"] for row in csv.DictReader(table, delimiter="\t")}
    return sorted(codes)


def test_every_example_of_ucum_is_valid(examples) -> None:
    units = Units()
    assert len(examples) > 800
    assert {code for code in examples if not units.valid(code)} == UNDEFINED


def test_factors_agree_with_ucumvert(examples) -> None:
    ucumvert = pytest.importorskip("ucumvert")
    registry = ucumvert.PintUcumRegistry()
    worths = {code: measure(code) for code in examples if code not in UNDEFINED}
    plain = {code for code, worth in worths.items() if not worth.zero and BASE.issuperset(dict(worth.dimensions))}
    linear = sorted(plain, key=lambda code: (worths[code].dimensions, code))
    compared, different = 0, set()
    for _, kind in groupby(linear, key=lambda code: worths[code].dimensions):
        read = {code: registry.from_ucum(code) for code in kind}
        # a lone annotation comes back as its text
        read = {code: registry.from_ucum("1") if isinstance(it, str) else it for code, it in read.items()}
        first = next(code for code in read if code not in DIFFERENCES)
        for code in read:
            theirs = (read[code] / read[first]).to_base_units()
            ours = worths[code].scale / worths[first].scale
            compared += 1
            if not theirs.dimensionless or abs(theirs.magnitude / float(ours) - 1) > 1e-6:
                different.add(code)
    assert compared > 700
    assert different == set(DIFFERENCES)
