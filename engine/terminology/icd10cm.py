"""The hierarchy of ICD-10-CM by prefix.

ICD-10-CM writes its hierarchy into the code: a category has three characters (``C18``), each further character
subdivides it (``C18.9``). So every code that extends another is below it. Records come with and without the dot after
the category; the dot carries no meaning and is ignored everywhere in this system: ``C189`` and ``C18.9`` are one code.

Source: ICD-10-CM Official Guidelines for Coding and Reporting, section I.A.2 and I.B.2 (format and level of detail).
"""

from __future__ import annotations

import re

SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"

# Category (a letter, a digit, a digit or letter), then up to four characters of subdivision.
_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
_RANGE = re.compile(r"([A-Z][0-9][0-9A-Z])-([A-Z][0-9][0-9A-Z])")
_DIGITS = "0123456789"
_ORDER = _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _ORDER[10:]


def is_code(code: str) -> bool:
    """True for text in the form of an ICD-10-CM code, with or without its dot; a bare dot at the end is not."""
    return _CODE.fullmatch(code) is not None


def key(code: str) -> str:
    """The code as it is compared: without its dot. Text that is no code of this system stays as it is."""
    return code.replace(".", "") if is_code(code) else code


def is_below(code: str, ancestor: str) -> bool:
    """True when ``code`` is ``ancestor`` or extends it: C18.9 and C18 are below C18, C22.0 is not below C18."""
    return is_code(code) and key(code).startswith(key(ancestor))


def range_pattern(categories: str) -> str:
    """The pattern of all codes in a range of categories such as ``C00-C96``, both ends included.

    Categories are ordered by their characters, letters after digits, as the chapters list them: C7A and C7B lie
    between C79 and C80 and belong to C00-C96. The pattern uses alternatives and character classes only.

    Raises:
        ValueError: the text is no range, or the range is empty.
    """
    match = _RANGE.fullmatch(categories)
    if match is None or match[1] > match[2]:
        raise ValueError(f"{categories!r} is not a range of ICD-10-CM categories such as C00-C96")
    blocks = "|".join(_blocks(match[1], match[2]))
    return rf"(?:{blocks})(?:\.?[0-9A-Z]{{1,4}})?"


def _blocks(first: str, last: str) -> list[str]:
    """One alternative for each run of categories that share letter and second character, equal runs merged."""
    blocks: list[str] = []
    for letter in _LETTERS[_LETTERS.index(first[0]) : _LETTERS.index(last[0]) + 1]:
        runs: dict[str, list[str]] = {}
        for digit in _DIGITS:
            low = first[2] if letter + digit == first[:2] else "0"
            high = last[2] if letter + digit == last[:2] else "Z"
            if first[:2] <= letter + digit <= last[:2] and low <= high:
                runs.setdefault(_characters(low, high), []).append(digit)
        blocks += [f"{letter}{_characters(d[0], d[-1])}{third}" for third, d in runs.items() for d in _adjacent(d)]
    return blocks


def _adjacent(digits: list[str]) -> list[list[str]]:
    """Digits split into runs without gaps."""
    runs: list[list[str]] = []
    for digit in digits:
        if runs and int(digit) == int(runs[-1][-1]) + 1:
            runs[-1].append(digit)
        else:
            runs.append([digit])
    return runs


def _characters(low: str, high: str) -> str:
    """A character class of everything from ``low`` to ``high`` in the order digits, letters."""
    if low == high:
        return low
    if (low in _DIGITS) == (high in _DIGITS):
        return f"[{low}-{high}]"
    digits = low if low == "9" else f"{low}-9"
    letters = high if high == "A" else f"A-{high}"
    return f"[{digits}{letters}]"
