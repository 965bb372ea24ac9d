"""What a quoted token says: its escapes resolved (Developer's Guide, Table 3-C)."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"""\\(?:u([0-9a-fA-F]{4})|(['"`\\/rntf]))""")
_LETTERS = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}


def unquote(text: str) -> str:
    """The text between the quotes. A backslash before anything that is no escape stands for itself."""
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    value = _ESCAPE.sub(_resolve, inner)
    # Two \\u escapes may be the halves of one character; a half alone is no character.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _resolve(escape: re.Match[str]) -> str:
    number, letter = escape.groups()
    return chr(int(number, 16)) if number else _LETTERS.get(letter, letter)
