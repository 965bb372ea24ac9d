"""Message: Appendix B, "Errors and Messaging", and the official CqlErrorsAndMessagingOperatorsTest."""

import pytest

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.messaging import message
from engine.language.values import DateTime
from engine.terminology.units import Units


@pytest.fixture
def context():
    return Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())


@pytest.mark.parametrize(
    ("source", "code", "severity", "text", "noted"),
    (
        (1, "100", "Message", "Test Message", ("Message", "100", "Test Message")),
        (2, "200", "Warning", "You have been warned!", ("Warning", "200", "You have been warned!")),
        ([3, 4, 5], "300", "Trace", "This is a trace", ("Trace", "300", "This is a trace")),
        (None, None, None, None, ("Message", None, None)),
    ),
)
def test_the_source_passes_and_the_message_is_noted(context, source, code, severity, text, noted):
    """If no severity is supplied, a default severity of Message is assumed."""
    assert message(context, source, True, code, severity, text) == source
    assert context.messages == [noted]


@pytest.mark.parametrize("condition", (False, None))
def test_nothing_happens_without_the_condition(context, condition):
    assert message(context, 1, condition, "400", "Error", "no") == 1
    assert context.messages == []


def test_an_error_stops(context):
    """This is the only severity that stops evaluation."""
    with pytest.raises(EvaluationError, match="400: This is an error!"):
        message(context, 4, True, "400", "Error", "This is an error!")
    assert context.messages == [("Error", "400", "This is an error!")]


def test_an_unknown_severity_is_an_error(context):
    with pytest.raises(EvaluationError, match="'Fatal'"):
        message(context, 4, True, "400", "Fatal", "x")
