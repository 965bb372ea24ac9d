"""String operators (CQL 1.5.3, Appendix B, "String Operators").

Characters are Unicode code points and positions count from 0. Upper and lower case follow Unicode, whatever the locale.

Regular expressions run in linear time (google-re2). The dialect is that of RE2, close to PCRE but without look-around
and back references; a pattern it refuses is an error that names the pattern, never null. As the specification asks,
matching is partial, case-sensitive and in single line mode: ``.`` matches a line end too, and ``^`` and ``$`` stand
for the ends of the whole string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from engine.errors import EvaluationError, LimitExceeded
from engine.language.evaluation.context import Context
from engine.language.operators.registry import operator


@operator("Combine(List<String>) String", reference="combine", context=True)
def combine(context: Context, source: list[str | None]) -> str | None:
    """All elements that are not null, one after the other; null when there are none."""
    return combine_with_separator(context, source, None)


@operator("Combine(List<String>, String) String", reference="combine", nulls="own", context=True)
def combine_with_separator(context: Context, source: list[str | None] | None, separator: str | None) -> str | None:
    """All elements that are not null with the separator between them; a null separator is ignored.

    Null for a null source and for one without elements that are not null, as of the aggregate functions.
    """
    parts = [part for part in source or () if part is not None]
    if not parts:
        return None
    between = separator or ""
    _check_size(context, sum(map(len, parts)) + len(between) * (len(parts) - 1))
    return between.join(parts)


@operator("Concatenate(String, String) String", reference="concatenate", context=True)
def concatenate(context: Context, *operands: str) -> str:
    """The operands one after the other; ``+`` propagates null, ``&`` coalesces each operand to ``''`` before.

    Two operands by its type; a chain of any number may be computed at once.
    """
    _check_size(context, sum(map(len, operands)))
    return "".join(operands)


@operator("EndsWith(String, String) Boolean", reference="endswith")
def ends_with(argument: str, suffix: str) -> bool:
    """True when the string ends with the suffix; every string ends with the empty one."""
    return argument.endswith(suffix)


@operator("StartsWith(String, String) Boolean", reference="startswith")
def starts_with(argument: str, prefix: str) -> bool:
    """True when the string starts with the prefix; every string starts with the empty one."""
    return argument.startswith(prefix)


@operator("PositionOf(String, String) Integer", reference="positionof")
def position_of(pattern: str, argument: str) -> int:
    """The position of the first appearance of the pattern, -1 when there is none."""
    return argument.find(pattern)


@operator("LastPositionOf(String, String) Integer", reference="lastpositionof")
def last_position_of(pattern: str, argument: str) -> int:
    """The position of the last appearance of the pattern, -1 when there is none."""
    # Searched from the front of the reversed texts: str.find is linear in the worst case, str.rfind is not.
    position = argument[::-1].find(pattern[::-1])
    return position if position < 0 else len(argument) - len(pattern) - position


@operator("Length(String) Integer", reference="length")
def length_of_string(argument: str) -> int:
    """The number of characters."""
    return len(argument)


@operator("Lower(String) String", reference="lower")
def lower(argument: str) -> str:
    """The string with all characters in lower case."""
    return argument.lower()


@operator("Upper(String) String", reference="upper")
def upper(argument: str) -> str:
    """The string with all characters in upper case."""
    return argument.upper()


@operator("Substring(String, Integer) String", reference="substring")
def substring(string: str, start: int) -> str | None:
    """The string from ``start`` to its end; null when ``start`` is no position of the string."""
    return string[start:] if 0 <= start < len(string) else None


@operator("Substring(String, Integer, Integer) String", reference="substring", nulls="own")
def substring_of_length(string: str | None, start: int | None, length: int | None) -> str | None:
    """At most ``length`` characters from ``start``; a null length counts as omitted, a negative one makes null.

    Null when the string or ``start`` is null and when ``start`` is no position of the string.
    """
    if string is None or start is None:
        return None
    tail = substring(string, start)
    if tail is None or length is None:
        return tail
    return tail[:length] if length >= 0 else None


@operator("Split(String, String) List<String>", reference="split", nulls="own", context=True)
def split(context: Context, string: str | None, separator: str | None) -> list[str] | None:
    """The parts between the separators; the whole string alone when the separator is null, empty or not in it."""
    if string is None:
        return None
    if not separator:
        return [string]
    _check_length(context, string.count(separator) + 1)
    return string.split(separator)


@operator("SplitOnMatches(String, String) List<String>", reference="splitonmatches", nulls="own", context=True)
def split_on_matches(context: Context, string: str | None, pattern: str | None) -> list[str] | None:
    """The parts between the matches of the pattern; the whole string alone when the pattern is null or has no match.

    What the pattern captures is no part. A match without characters separates inside the string, not at its ends.
    """
    if string is None:
        return None
    parts: list[str] = []
    position = 0
    for match in _matches(pattern, string) if pattern is not None else ():
        start, end = match.span()
        if start == end and start in (position, len(string)):
            continue
        parts.append(string[position:start])
        position = end
        _check_length(context, len(parts) + 1)
    return [*parts, string[position:]]


@operator("Matches(String, String) Boolean", reference="matches")
def matches(argument: str, pattern: str) -> bool:
    """True when the pattern matches some part of the string; ``^`` and ``$`` make it match the whole."""
    return next(_matches(pattern, argument), None) is not None


@operator("ReplaceMatches(String, String, String) String", reference="replacematches", context=True)
def replace_matches(context: Context, argument: str, pattern: str, substitution: str) -> str:
    """The string with every match replaced.

    In the substitution ``$1`` … stand for the groups of the pattern and ``$0`` for the whole match, ``${name}`` for a
    named group, ``\\$`` for a dollar sign and ``\\\\`` for a backslash. A group not matched is empty.
    """
    pieces = _template(substitution, pattern)
    captures = any(isinstance(piece, int) and piece for piece in pieces)
    parts: list[str] = []
    position = size = 0
    for match in _matches(pattern, argument, captures=captures):
        start, end = match.span()
        found = [argument[position:start], *(p if isinstance(p, str) else match[p] or "" for p in pieces)]
        size += sum(map(len, found))
        _check_size(context, size)
        parts += found
        position = end
    _check_size(context, size + len(argument) - position)
    return "".join((*parts, argument[position:]))


def _check_size(context: Context, size: int) -> None:
    if size > context.limits.string_size:
        raise LimitExceeded(
            f"a string of {size} characters exceeds the limit of {context.limits.string_size}; "
            "make it shorter or raise the limit string_size"
        )


def _check_length(context: Context, length: int) -> None:
    if length > context.limits.list_size:
        raise LimitExceeded(
            f"a list of more than {context.limits.list_size} strings exceeds the limit of its size; "
            "make it shorter or raise the limit list_size"
        )


@operator("ToChars(String) List<String>", reference="tochars", context=True)
def to_chars(context: Context, argument: str) -> list[str]:
    """The characters of the string, each a string. Source: ELM, ``ToChars``."""
    _check_length(context, len(argument))
    return list(argument)


_PATTERN_MEMORY: Final = 2_000_000
"""Bytes that one compiled pattern may take; a pattern that needs more is refused by RE2."""

_MOST_GROUPS: Final = 100
"""Groups of a pattern whose groups are asked for."""

_SEARCH_LIMIT: Final = 1_000_000_000
"""Instructions of a pattern times characters of a text: what RE2 may go through at worst for one match."""

_SCAN_LIMIT: Final = 5_000_000_000
"""Characters that all matches of one call may look at, at worst. RE2 finds one match in linear time, but a pattern that
looks far ahead may look at the rest of the text anew for every match."""


@lru_cache(maxsize=128)
def _compiled(pattern: str, *, captures: bool = False) -> Any:
    """The pattern; without ``captures`` its brackets only group: RE2 keeps every group of every state it is in, so that
    50,000 nested ones would take 16 GB."""
    options = re2.Options()
    options.never_capture = not captures
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    try:
        compiled = re2.compile(pattern, options)
        if compiled.groups > _MOST_GROUPS:
            raise EvaluationError(
                f"the regular expression {_shown(pattern)} cannot be used: it has {compiled.groups} groups, more than "
                f"{_MOST_GROUPS}; write (?: … ) for those that the substitution does not name"
            )
        return compiled
    except (re2.error, UnicodeEncodeError) as error:
        raise EvaluationError(f"the regular expression {_shown(pattern)} cannot be used: {_reason(error)}") from error


def _shown(pattern: str) -> str:
    return f"'{pattern}'" if len(pattern) <= 200 else f"'{pattern[:200]}…' of {len(pattern)} characters"


def _reason(error: Exception) -> str:
    """What RE2 says (as bytes), with what to do about the two things it leaves out on purpose."""
    if isinstance(error, UnicodeEncodeError):
        return "it holds half of a surrogate pair, which is no character"
    text = b": ".join(a for a in error.args if isinstance(a, bytes)).decode(errors="replace")[:200]
    if "invalid perl operator" in text or re.search(r"invalid escape sequence: \\\d", text):
        text += "; look-ahead, look-behind and back references are not available, since patterns run in linear time"
    return text


def _matches(pattern: str, text: str, *, captures: bool = False) -> Iterator[Any]:
    """All matches from left to right that do not overlap."""
    compiled = _compiled(pattern, captures=captures)
    if compiled.programsize * len(text) > _SEARCH_LIMIT:
        raise LimitExceeded(
            f"the regular expression {_shown(pattern)} is too large for a text of {len(text)} characters; "
            "shorten one of them"
        )
    found: Iterable[Any] = compiled.finditer(text)
    try:
        for number, match in enumerate(found, start=1):
            if number * len(text) > _SCAN_LIMIT:
                raise LimitExceeded(
                    f"the regular expression {_shown(pattern)} has more than {number} matches in a text of {len(text)} "
                    "characters; shorten the text or match longer parts of it"
                )
            yield match
    except UnicodeEncodeError as error:
        raise EvaluationError(
            "a text with half of a surrogate pair cannot be matched with a regular expression; correct the text"
        ) from error


_REFERENCE = re.compile(r"\\(?P<escaped>.)|\$(?P<number>[0-9]+)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}", re.DOTALL)


def _template(substitution: str, pattern: str) -> list[str | int]:
    """The substitution as literal texts and numbers of groups."""
    references = list(_REFERENCE.finditer(substitution))
    compiled = _compiled(pattern, captures=any(reference["escaped"] is None for reference in references))
    pieces: list[str | int] = []
    position = 0
    for reference in references:
        pieces.append(substitution[position : reference.start()])
        position = reference.end()
        if reference["escaped"] is not None:
            pieces.append(reference["escaped"])
        elif reference["number"] is not None:
            pieces += _group_number(reference["number"], compiled.groups, pattern)
        else:
            pieces.append(_group_name(reference["name"], compiled.groupindex, pattern))
    pieces.append(substitution[position:])
    return [piece for piece in pieces if piece != ""]


def _group_number(digits: str, groups: int, pattern: str) -> tuple[int, str]:
    """The longest number that is a group of the pattern, and the digits after it, which are text."""
    for end in range(min(len(digits), 4), 0, -1):
        if int(digits[:end]) <= groups:
            return int(digits[:end]), digits[end:]
    raise EvaluationError(
        f"the substitution refers to group ${digits[0]}, but {_shown(pattern)} has {groups} groups; "
        "write \\$ for a dollar sign"
    )


def _group_name(name: str, names: dict[str, int], pattern: str) -> int:
    if name not in names:
        raise EvaluationError(f"the substitution refers to group {name}, which {_shown(pattern)} does not have")
    return names[name]
