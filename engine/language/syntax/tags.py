"""Comment tags: `@name: value` in the multi-line comments before a declaration (Developer's Guide, "Tags"; CQL 1.5).

The rules, and where the specification is silent, the reading taken:

* Only multi-line comments carry tags, and only those that stand between the declaration and what precedes it. A
  comment that begins on the line where the preceding token ends is a remark on that token and carries none.
* A tag is `@`, an unquoted identifier, and a colon. The `@` stands at the start of the comment or after white space,
  so that an address in a sentence is none.
* "The contents of the resulting tag will be whatever comes after the tag definition until the next tag or the end of
  the comment-block": a value may run over several lines. Each line loses the white space around it (and, in a comment
  whose every line begins with `*`, that star); the line ends are kept, those around the value are not. Quotes are
  kept.
* `@name` alone on a line, without a colon, is a tag with the empty value; it ends with its line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import zip_longest

from engine.errors import Span
from engine.language.syntax.tree import Tag

_TAG = re.compile(r"(?<!\S)@([A-Za-z_][A-Za-z0-9_]*)(?::|(?=[ \t\r]*(?:\n|\Z)))")
_STARRED_LINE = re.compile(r"(?m)^([ \t]*)\*")


def read_tags(comments: Iterable[tuple[str, int, int]]) -> tuple[Tag, ...]:
    """The tags of the comments, in order. A comment: text with delimiters, line (from 1), column (from 0)."""
    return tuple(
        tag for text, line, column in comments if text.startswith("/*") for tag in _tags_of(text, line, column)
    )


def _tags_of(comment: str, line: int, column: int) -> Iterable[Tag]:
    # Blanks of the same length keep every offset, so that places stay true.
    body = _without_stars(f"  {comment[2:-2]}")
    matches = [
        match for match in _TAG.finditer(body) if match.group().endswith(":") or _begins_line(body, match.start())
    ]
    starts = [0, *(found.end() for found in re.finditer("\n", body))]
    for match, following in zip_longest(matches, matches[1:]):
        end = following.start() if following else len(body)
        value = _value(body[match.end() : end]) if match.group().endswith(":") else ""
        yield Tag(name=match.group(1), value=value, span=_span(starts, match, line, column))


def _without_stars(body: str) -> str:
    """`body`, with the star that begins each of its further lines made a blank."""
    further = [line for line in body.split("\n")[1:] if line.strip()]
    if further and all(line.lstrip().startswith("*") for line in further):
        return _STARRED_LINE.sub(r"\1 ", f"{body[:2]}{body[2:]}")
    return body


def _begins_line(body: str, offset: int) -> bool:
    return not body[body.rfind("\n", 0, offset) + 1 : offset].strip(" \t*")


def _value(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines()).strip()


def _span(starts: list[int], match: re.Match[str], line: int, column: int) -> Span:
    """Where a match stands; `starts` are the offsets at which the lines of the comment begin."""
    above = bisect_right(starts, match.start()) - 1
    first = match.start() - starts[above] + 1 + (0 if above else column)
    return Span(line + above, first, line + above, first + match.end() - 1 - match.start())
