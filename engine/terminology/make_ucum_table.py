"""Writes `ucum_atoms.json` from the UCUM essence that ucumvert carries.

    python -m engine.terminology.make_ucum_table [--check]

Every atom becomes an exact fraction over the base dimensions; pi and the measured constants are the decimal texts
of the essence. `--check` writes nothing and ends with 1 when the committed table differs.

Dimensions: the seven base units of UCUM (section 4.2), and by rule of this project

- `mol`: UCUM defines it as a bare number (6.02214076 10*23), which would let `mmol/L` turn into a count of cells a
  litre. ucumvert (through pint) and LHC-UCUM hold amount of substance apart, and so do we; `osm`, `kat` and `U`
  build on it.
- `eq`: UCUM defines it as one mol, which is right for ions of one charge only: 1 mmol of calcium is 2 meq. The
  unit does not say which ion it counts, so equivalents convert among themselves alone, as in LHC-UCUM.
- each arbitrary unit (section 3: they convert into no other unit); `[IU]` is `[iU]` by definition;
- each special unit (section 3: defined by a function, not a factor).  The temperature scales carry their exact
  line into kelvin; logarithms and tangents have no exact fraction and so compare with themselves alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from fractions import Fraction
from importlib import metadata, util
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from engine.terminology.ucum import TABLE_NAME, Atom, Offset, merge, read, weigh

_ESSENCE: Final = {"u": "http://unitsofmeasure.org/ucum-essence"}
_NOTICE: Final = (
    "This table is derived from the UCUM table, UCUM codes and UCUM definitions, subject to a license from "
    "Regenstrief Institute, Inc. and The UCUM Organization. UCUM is copyright 1999-2024 Regenstrief Institute, Inc. "
    "All rights reserved. License: https://ucum.org/license. The UCUM table is provided as is; any express or implied "
    "warranties are disclaimed."
)
_APART: Final = ("mol", "eq")
# The functions of the essence are names only; the specification gives their lines: kelvin = (number + shift) * scale.
_SHIFTS: Final = {"Cel": Fraction("273.15"), "degF": Fraction("459.67"), "degRe": Fraction("218.52")}


class Essence:
    """The essence as symbols: an atom is worked out from its definition when it is first asked for."""

    def __init__(self, root: ElementTree.Element) -> None:
        self.version = f"{root.get('version')} ({root.get('revision-date')})"
        self.prefixes = {
            _code(item): Fraction(_required(_value(item), "value")) for item in root.findall("u:prefix", _ESSENCE)
        }
        self._units = {_code(item): item for item in root.findall("u:unit", _ESSENCE)}
        self._atoms = {
            _code(item): Atom(Fraction(1), ((_code(item), 1),), True) for item in root.findall("u:base-unit", _ESSENCE)
        }

    def prefix(self, code: str) -> Fraction | None:
        return self.prefixes.get(code)

    def atom(self, code: str) -> Atom | None:
        if code not in self._atoms and code in self._units:
            self._atoms[code] = self._define(code, self._units[code])
        return self._atoms.get(code)

    def atoms(self) -> Mapping[str, Atom]:
        """All atoms, base units first."""
        for code in self._units:
            self.atom(code)
        return self._atoms

    def _define(self, code: str, unit: ElementTree.Element) -> Atom:
        metric, value = unit.get("isMetric") == "yes", _value(unit)
        own = ((code, 1),)
        if unit.get("isSpecial") == "yes":
            return Atom(Fraction(1), own, metric, self._offset(value))
        arbitrary = unit.get("isArbitrary") == "yes" and _required(value, "Unit") == "1"
        if arbitrary or code in _APART:
            return Atom(Fraction(1), own, metric)
        worth = weigh(read(_required(value, "Unit"), self), self)
        return Atom(Fraction(_required(value, "value")) * worth.scale, worth.dimensions, metric)

    def _offset(self, value: ElementTree.Element) -> Offset | None:
        function = value.find("u:function", _ESSENCE)
        if function is None or function.get("name") not in _SHIFTS:
            return None
        shift = _SHIFTS[_required(function, "name")]
        worth = weigh(read(_required(function, "Unit"), self), self)
        scale = Fraction(_required(function, "value")) * worth.scale
        if worth.dimensions != (("K", 1),):
            raise ValueError(
                f"the temperature scale {function.attrib} is not defined in kelvin; the essence has changed"
            )
        return Offset("K", scale, shift * scale)


def _code(item: ElementTree.Element) -> str:
    return _required(item, "Code")


def _value(item: ElementTree.Element) -> ElementTree.Element:
    value = item.find("u:value", _ESSENCE)
    if value is None:
        raise ValueError(f"{item.attrib} has no value; the essence has changed")
    return value


def _required(item: ElementTree.Element, name: str) -> str:
    text = item.get(name)
    if text is None:
        raise ValueError(f"{item.tag} {item.attrib} has no {name}; the essence has changed")
    return text


def essence_path() -> Path:
    """Where ucumvert keeps the essence, found without importing it (which would import pint)."""
    spec = util.find_spec("ucumvert")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("ucumvert is not installed; install the project's dependencies to write the table")
    return Path(spec.submodule_search_locations[0]) / "vendor" / "ucum-essence.xml"


def table_text(path: Path) -> str:
    """The table as JSON text, one atom a line."""
    essence = Essence(ElementTree.parse(path).getroot())
    source = f"UCUM essence {essence.version}, as bundled with ucumvert {metadata.version('ucumvert')}"
    lines = [f'  "source": {json.dumps(source)},', f'  "notice": {json.dumps(_NOTICE)},']
    lines.append(f'  "prefixes": {json.dumps({code: str(value) for code, value in essence.prefixes.items()})},')
    rows = [f"    {json.dumps(code)}: {json.dumps(_row(atom))}" for code, atom in sorted(essence.atoms().items())]
    lines.append('  "atoms": {\n' + ",\n".join(rows) + "\n  }")
    return "{\n" + "\n".join(lines) + "\n}\n"


def _row(atom: Atom) -> dict[str, object]:
    row: dict[str, object] = {
        "factor": str(atom.factor),
        "dimensions": dict(merge(atom.dimensions)),
        "metric": atom.metric,
    }
    if atom.offset is not None:
        row["offset"] = {"of": atom.offset.of, "scale": str(atom.offset.scale), "zero": str(atom.offset.zero)}
    return row


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 when the table was written, or is as it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.terminology.make_ucum_table", description="Write the table of UCUM atoms."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the committed table differs")
    options = parser.parse_args(arguments)
    target = Path(__file__).with_name(TABLE_NAME)
    text = table_text(essence_path())
    if not options.check:
        target.write_text(text, encoding="ascii")
        return 0
    if target.read_text(encoding="ascii") == text:
        return 0
    print(
        f"{target} differs from the essence of ucumvert; run `python -m engine.terminology.make_ucum_table`",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
