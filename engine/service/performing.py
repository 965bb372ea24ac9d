"""Does jobs: the one place where a request becomes an evaluation.

No error of the product gets out: what went wrong is a :class:`~engine.service.refusals.Refusal`, without patient data.
"""

from __future__ import annotations

from engine.errors import EligibilityError
from engine.language.values import Date
from engine.service.catalogue import Catalogue
from engine.service.evaluating import evaluate_expression, evaluate_library
from engine.service.jobs import ExpressionJob, Job, LibraryJob, Result, ScreenJob, record_of
from engine.service.refusals import Refusal, Refused, of_error
from engine.trials import Screening, TrialResult, check_names, moment_of


def perform(catalogue: Catalogue, job: Job) -> Result | Refusal:
    """Does the job; a refusal when it cannot be done as asked."""
    try:
        match job:
            case ExpressionJob():
                return evaluate_expression(catalogue, job)
            case LibraryJob():
                return evaluate_library(catalogue, job)
            case ScreenJob():
                return screen(catalogue, job)
    except Refused as refusal:
        return refusal.refusal
    except EligibilityError as problem:
        data = (job.data, job.parameters, job.subject)
        return of_error(problem, data, known=catalogue.parameter_names)


def screen(catalogue: Catalogue, job: ScreenJob) -> list[TrialResult]:
    """The results of one record, in the order of the trials' ids."""
    chosen = [trial for name, trial in catalogue.trials.items() if not job.trials or name in job.trials]
    given = {**catalogue.settings.parameters, **job.parameters}
    check_names(chosen, given, others=catalogue.parameter_names)
    today = job.now.normalised(catalogue.settings.offset_minutes)
    date = Date(today.year, today.month, today.day)
    moment = moment_of(given, date, catalogue.settings.offset_minutes, "parameters")
    record = record_of(job.data, job.subject, unavailable=job.unavailable, source=job.source)
    return Screening(catalogue.workspace, chosen, given, moment).screen(record, job.source)
