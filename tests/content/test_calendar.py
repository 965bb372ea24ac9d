"""Screening: windows in calendar arithmetic, partial dates, the time zone of the site."""

import pytest

from tests.content._asking import ask


@pytest.mark.parametrize(
    ("expression", "answer"),
    (
        # The first and the last day belong to the window; months and years are those of the calendar.
        ("Screening.InWindow(@2025-12-16, 3 months, @2026-03-16)", True),
        ("Screening.InWindow(@2025-12-15, 3 months, @2026-03-16)", False),
        ("Screening.InWindow(@2026-03-16, 3 months, @2026-03-16)", True),
        ("Screening.InWindow(@2026-03-17, 3 months, @2026-03-16)", False),
        ("Screening.InWindow(@2021-03-16, 5 years, @2026-03-16)", True),
        ("Screening.InWindow(@2021-03-15, 5 years, @2026-03-16)", False),
        ("Screening.InWindow(@2026-02-28, 1 month, @2026-03-31)", True),
        # A partial date is unknown only where it matters.
        ("Screening.InWindow(@2026-01, 3 months, @2026-03-16)", True),
        ("Screening.InWindow(@2025-12, 3 months, @2026-03-16)", None),
        ("Screening.InWindow(@2025-11, 3 months, @2026-03-16)", False),
        ("Screening.InWindow(null, 3 months, @2026-03-16)", None),
        ("Screening.InWindow(@2026-01-01, null, @2026-03-16)", None),
        # What lasted touches the window if one of its days lies in it.
        ("Screening.TouchesWindow(@2019-01-01, @2021-03-16, false, 5 years, @2026-03-16)", True),
        ("Screening.TouchesWindow(@2019-01-01, @2021-03-15, false, 5 years, @2026-03-16)", False),
        ("Screening.TouchesWindow(@2019-01-01, null, true, 5 years, @2026-03-16)", True),
        ("Screening.TouchesWindow(@2019-01-01, null, false, 5 years, @2026-03-16)", None),
        ("Screening.TouchesWindow(@2023-01-01, null, false, 5 years, @2026-03-16)", True),
        ("Screening.TouchesWindow(null, @2022-01-01, false, 5 years, @2026-03-16)", True),
        ("Screening.TouchesWindow(null, @2019-01-01, false, 5 years, @2026-03-16)", False),
        ("Screening.TouchesWindow(null, null, true, 5 years, @2026-03-16)", True),
        ("Screening.TouchesWindow(null, null, false, 5 years, @2026-03-16)", None),
        ("Screening.TouchesWindow(@2026-03-17, null, true, 5 years, @2026-03-16)", False),
        # A moment belongs to a day of the site, which is 8 hours east.
        ("@2026-03-15T20:00:00.000+00:00.siteDay() = @2026-03-16", True),
        ("@2026-03-15T12:00:00.000+00:00.siteDay() = @2026-03-15", True),
        ("@2026-03-16T.siteDay() = @2026-03-16", True),
        ("@2026-03-16T.inFuture()", False),
        ("@2026-03-17T.inFuture()", True),
        ("@2026-03-16T16:00:00.000+00:00.inFuture()", True),
        ("@2026-03T.inFuture()", None),
        ("@2024-02.latestDay() = @2024-02-29", True),
        ("@2024.earliestDay() = @2024-01-01", True),
    ),
)
def test_calendar(expression: str, answer: object) -> None:
    assert ask(expression) is answer


def test_evaluation_time_is_the_end_of_the_screening_day() -> None:
    same = 'Screening."Evaluation time" same second as @2026-03-16T23:59:59.000+08:00'
    assert ask(same, EvaluationTime=None) is True


@pytest.mark.parametrize(
    ("answers", "any_of", "all_of", "agreed", "two"),
    (
        ("{}", False, True, None, False),
        ("{ true }", True, True, True, False),
        ("{ true, null }", True, None, None, None),
        ("{ true, false }", True, False, None, False),
        ("{ false, null }", None, False, None, False),
        ("{ null, null }", None, None, None, None),
        ("{ true, true, false }", True, False, None, True),
        ("{ false, false }", False, False, False, False),
    ),
)
def test_three_valued(answers: str, any_of: object, all_of: object, agreed: object, two: object) -> None:
    given = answers.replace("{}", "List<Boolean> {}").replace("{ null, null }", "List<Boolean> { null, null }")
    assert ask(f"Logic.AnyOf({given})") is any_of
    assert ask(f"Logic.AllOf({given})") is all_of
    assert ask(f"Logic.Agreed({given})") is agreed
    assert ask(f"Logic.AtLeast({given}, 2)") is two


@pytest.mark.parametrize(
    ("answers", "complete", "answer"),
    (("{ true }", False, True), ("{ false }", False, None), ("{ false }", True, False), ("{ null }", True, None)),
)
def test_history(answers: str, complete: bool, answer: object) -> None:
    assert ask(f"History.Recorded(List<Boolean> {answers})", AssumeCompleteHistory=complete) is answer
