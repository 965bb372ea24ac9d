"""String operators: cases of Appendix B, of the official CqlStringOperatorsTest, and of the readings taken."""

import pytest

from engine.errors import EvaluationError, LimitExceeded
from engine.language.evaluation.context import Context, Limits
from engine.language.operators import TABLE
from engine.language.operators import string as strings
from engine.language.values import DateTime
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
SMALL = Context(now=CONTEXT.now, units=CONTEXT.units, limits=Limits(string_size=10, list_size=3))


@pytest.mark.parametrize(
    ("source", "separator", "answer"),
    (
        (["a", "b", "c"], None, "abc"),
        (["a", "b", "c"], "-", "a-b-c"),
        (["A", "B", "C", None], " ", "A B C"),
        (["", ""], ",", ","),
        ([], "-", None),
        ([None], "-", None),
        (None, "-", None),
    ),
)
def test_combine(source, separator, answer):
    """If the source argument is null, or the source list is empty, the result is null; null elements are ignored."""
    assert strings.combine_with_separator(CONTEXT, source, separator) == answer


def test_combine_without_separator():
    assert strings.combine(CONTEXT, ["A", None, "B"]) == "AB"


@pytest.mark.parametrize(("operands", "answer"), ((("a", "b"), "ab"), (("John", "", " Doe"), "John Doe")))
def test_concatenate(operands, answer):
    assert strings.concatenate(CONTEXT, *operands) == answer


@pytest.mark.parametrize(
    ("function", "operands", "answer"),
    (
        (strings.ends_with, ("Chris Schuler is the man!!", "n!!"), True),
        (strings.ends_with, ("Chris Schuler is the man!!", "n!"), False),
        (strings.ends_with, ("abc", ""), True),
        (strings.starts_with, ("Breathe deep the gathering gloom", "Bre"), True),
        (strings.starts_with, ("Breathe deep the gathering gloom", "bre"), False),
        (strings.starts_with, ("abc", ""), True),
        (strings.last_position_of, ("hi", "Ohio is the place to be!"), 1),
        (strings.last_position_of, ("hi", "Say hi to Ohio!"), 11),
        (strings.last_position_of, ("B", "ABCDEDCBA"), 7),
        (strings.last_position_of, ("XYZ", "ABCDE"), -1),
        (strings.last_position_of, ("", "abc"), 3),
        (strings.position_of, ("b", "ab"), 1),
        (strings.position_of, ("c", "ab"), -1),
        (strings.length_of_string, ("",), 0),
        (strings.length_of_string, ("µg𝄞",), 3),
        (strings.lower, ("Ab",), "ab"),
        (strings.upper, ("aB",), "AB"),
        (strings.substring, ("ab", 0), "ab"),
        (strings.substring, ("ab", 1), "b"),
        (strings.substring, ("ab", 2), None),
        (strings.substring, ("ab", -1), None),
        (strings.substring, ("", 0), None),
        (strings.substring_of_length, ("ab", 0, 1), "a"),
        (strings.substring_of_length, ("abc", 1, 1), "b"),
        (strings.substring_of_length, ("ab", 0, 3), "ab"),
        (strings.substring_of_length, ("ab", 0, 0), ""),
        (strings.substring_of_length, ("ab", 0, -1), None),
        (strings.substring_of_length, ("ab", 1, None), "b"),
        (strings.substring_of_length, ("ab", None, 1), None),
        (strings.substring_of_length, (None, 0, 1), None),
    ),
)
def test_plain_strings(function, operands, answer):
    assert function(*operands) == answer


@pytest.mark.parametrize(
    ("string", "separator", "answer"),
    (
        ("a,b", ",", ["a", "b"]),
        ("a,b", "-", ["a,b"]),
        ("a,b", None, ["a,b"]),
        ("a,b", "", ["a,b"]),
        (",a,", ",", ["", "a", ""]),
        (None, ",", None),
        (None, None, None),
    ),
)
def test_split(string, separator, answer):
    assert strings.split(CONTEXT, string, separator) == answer


@pytest.mark.parametrize(
    ("string", "pattern", "answer"),
    (
        ("a1b22c", r"\d+", ["a", "b", "c"]),
        ("a1b22c", r"(\d)+", ["a", "b", "c"]),
        ("abc", r"\d", ["abc"]),
        ("1a1", r"\d", ["", "a", ""]),
        ("abc", "", ["a", "b", "c"]),
        ("axb", "x*", ["a", "b"]),
        ("", "x*", [""]),
        ("a,b", None, ["a,b"]),
        (None, "x", None),
    ),
)
def test_split_on_matches(string, pattern, answer):
    assert strings.split_on_matches(CONTEXT, string, pattern) == answer


@pytest.mark.parametrize(
    ("argument", "pattern", "answer"),
    (
        ("Not all who wander are lost", r".*\d+", False),
        ("Not all who wander are lost - circa 2017", r".*\d+", True),
        ("Not all who wander are lost", ".*", True),
        ("Not all who wander are lost", r"[\w|\s]+", True),
        ("Not all who wander are lost - circa 2017", r"^[\w\s]+$", False),
        ("   ", r"\W+", True),
        (" \n\t", r"\s+", True),
        ("1,2three", r"\d,\d\w+", True),
        ("http://fhir.org/guides/cqf/common/Library/FHIR-ModelInfo|4.0.1", "Library", True),
        # partial matching, though the reference has an example that says false
        ("1,2three", r"\w+", True),
        # single line mode: the dot matches a line end, the anchors only the ends of the string
        ("a\nb", "a.b", True),
        ("b\na", "^a$", False),
        ("a\n", "a$", False),
        ("Library", "library", False),
        ("µg", "µ", True),
        ("été", r"^\p{L}+$", True),
        ("", "", True),
    ),
)
def test_matches(argument, pattern, answer):
    """Case-sensitive, partial matching, single line mode, Unicode characters."""
    assert strings.matches(argument, pattern) is answer


@pytest.mark.parametrize(
    ("argument", "pattern", "substitution", "answer"),
    (
        ("Not all who wander are lost", "Not all who wander are lost", "But still", "But still"),
        (
            "Who put the bop in the bop she bop she bop?",
            "bop",
            "bang",
            "Who put the bang in the bang she bang she bang?",
        ),
        ("All that glitters is not gold", r"\s", r"\$", "All$that$glitters$is$not$gold"),
        ("ABCDE", "C", "XYZ", "ABXYZDE"),
        ("ABCDE", "XYZ", "123", "ABCDE"),
        ("Doe, John", r"(\w+), (\w+)", "$2 $1", "John Doe"),
        ("ab", "(a)(x)?", "[$0$2]", "[a]b"),
        ("ab", "(a)", "$12", "a2b"),
        ("ab", "(?P<first>a)", "<${first}>", "<a>b"),
        ("a", "a", r"\\", "\\"),
        ("a", "a", "5$", "5$"),
        ("ab", "x*", "-", "-a-b-"),
    ),
)
def test_replace_matches(argument, pattern, substitution, answer):
    assert strings.replace_matches(CONTEXT, argument, pattern, substitution) == answer


@pytest.mark.parametrize("pattern", ("a(?=b)", r"(a)\1", "(", "[", "a{2000}"))
def test_a_pattern_that_cannot_be_used_is_named(pattern):
    with pytest.raises(EvaluationError) as caught:
        strings.matches("ab", pattern)
    assert f"'{pattern}'" in str(caught.value)


def test_a_long_pattern_is_named_in_short():
    with pytest.raises(EvaluationError) as caught:
        strings.matches("ab", "a" * 1_000_000 + "(")
    assert len(str(caught.value)) < 1000


def test_a_pattern_that_looks_ahead_for_every_match_meets_the_limit(monkeypatch):
    monkeypatch.setattr(strings, "_SCAN_LIMIT", 1_000_000)
    with pytest.raises(LimitExceeded, match="matches in a text of 2000 characters"):
        strings.replace_matches(CONTEXT, "a" * 2000, "a.*b|a", "x")
    assert strings.replace_matches(CONTEXT, "a" * 1000, "a.*b|a", "x") == "x" * 1000


@pytest.mark.parametrize("substitution", ("$2", "${name}"))
def test_a_group_that_is_not_there(substitution):
    with pytest.raises(EvaluationError, match="group"):
        strings.replace_matches(CONTEXT, "a", "(a)", substitution)


def test_half_of_a_surrogate_pair():
    with pytest.raises(EvaluationError, match="surrogate"):
        strings.matches("\ud800", "a")
    with pytest.raises(EvaluationError, match="surrogate"):
        strings.matches("a", "\ud800")


def test_a_nested_quantifier_runs_in_linear_time():
    assert strings.matches("a" * 50 + "!", "(a+)+$") is False


@pytest.mark.parametrize(
    ("function", "operands"),
    (
        (strings.concatenate, ("123456", "78901")),
        (strings.combine, (["123456", "78901"],)),
        (strings.combine_with_separator, (["12345", "67890"], "-")),
        (strings.replace_matches, ("aaaa", "a", "xyz")),
        (strings.replace_matches, ("a12345678", "a", "xyz")),
        (strings.split, ("1,2,3,4", ",")),
        (strings.split_on_matches, ("1,2,3,4", ",")),
        (strings.to_chars, ("1234",)),
    ),
)
def test_limits(function, operands):
    with pytest.raises(LimitExceeded, match="limit"):
        function(SMALL, *operands)


def test_to_chars():
    assert strings.to_chars(CONTEXT, "a𝄞") == ["a", "𝄞"]


def doubled(times):
    text = "x"
    for _ in range(times):
        text = strings.concatenate(CONTEXT, text, text)
    return text


def test_doubling_a_string_meets_the_limit():
    assert len(doubled(10)) == 1024
    with pytest.raises(LimitExceeded):
        doubled(32)


@pytest.mark.parametrize(
    ("name", "signatures"),
    (
        ("Combine", 2),
        ("Concatenate", 1),
        ("EndsWith", 1),
        ("StartsWith", 1),
        ("LastPositionOf", 1),
        ("PositionOf", 1),
        ("Lower", 1),
        ("Upper", 1),
        ("Matches", 1),
        ("ReplaceMatches", 1),
        ("Split", 1),
        ("SplitOnMatches", 1),
        ("Substring", 2),
        ("ToChars", 1),
    ),
)
def test_registered(name, signatures):
    assert len(TABLE.overloads(name)) == signatures
