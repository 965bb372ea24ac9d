"""Patients for CD5-NK: T-cell leukaemia and lymphoma that came back or did not respond."""

from __future__ import annotations

from resources import (
    Record,
    Resource,
    Samples,
    antigen,
    concept,
    condition,
    observation,
    person,
    quantity,
    specimen,
    statement,
    without,
)

CD5_NK = Samples("CD5-NK", "cd5-nk", "relapsed or refractory T-cell malignancies (the registry's list is incomplete)")
LYMPHOMA = "valueset-t-cell-lymphoma"


def _fact(code: str, date: str = "2026-06-08", **value: object) -> Resource:
    return observation(concept("codesystem-eligibility-local", code), date, **value)


def leukaemia(name: tuple[str, str], birth: str, gender: str = "male") -> Record:
    """The first baseline: a T-cell leukaemia that came back eleven months after its remission."""
    return {
        "patient": person(name, birth, gender),
        "leukaemia": condition(concept("valueset-t-all", "277575008"), "2024-09-17", "relapse"),
        "blasts": _fact("bone-marrow-blasts-percent", valueQuantity=quantity("14", "%")),
        "remission": _fact("complete-remission-date", "2025-06-20", valueDateTime="2025-06-20"),
        "relapse": _fact("relapse-date", "2026-05-19", valueDateTime="2026-05-19"),
        "lines": _fact("lines-of-therapy", valueInteger=1),
        "induction": statement("refractory-to-2-or-more-induction-cycles", False),
        "marrow": specimen("bone marrow aspirate", "2026-06-08"),
        "cd5": antigen("CD5", "92", "flow cytometry", "marrow", "2026-06-08"),
        "ecog": observation(concept("valueset-ecog", "89247-1"), "2026-06-08", valueInteger=1),
    }


def lymphoma(name: tuple[str, str], birth: str, code: str, gender: str = "female", stage: str | None = None) -> Record:
    """The second baseline: a T-cell lymphoma that two lines of chemotherapy did not stop."""
    stages = [{"summary": {"text": stage}}] if stage else None
    return {
        "patient": person(name, birth, gender),
        "lymphoma": condition(concept(LYMPHOMA, code), "2024-02-06", "relapse", stage=stages),
        "node": observation(
            concept("valueset-tumor-size", "21889-1"), "2026-06-04", valueQuantity=quantity("2.2", "cm"),
            bodySite={"text": "inguinal lymph node"}, method={"text": "CT"},
        ),
        "lines": _fact("refractory-lines", valueInteger=2),
        "tissue": specimen("lymph node biopsy", "2026-05-27"),
        "cd5": antigen("CD5", "45", "immunohistochemistry", "tissue", "2026-05-29"),
        "ecog": observation(concept("valueset-ecog", "89247-1"), "2026-06-08", valueInteger=1),
    }  # fmt: skip


@CD5_NK.patient("cd5-01-leukaemia-came-back", "eligible")
def leukaemia_came_back() -> Record:
    """A T-cell leukaemia came back eleven months after its remission."""
    return leukaemia(("Abbott", "Nolan"), "1994-04-12")


@CD5_NK.patient("cd5-02-came-back-too-late", "ineligible", "I2")
def came_back_too_late() -> Record:
    """The leukaemia came back after one line of therapy, a year and a day after its remission."""
    record = leukaemia(("Brandt", "Olaf"), "1988-01-09")
    record["remission"] = _fact("complete-remission-date", "2025-05-18", valueDateTime="2025-05-18")
    return record


@CD5_NK.patient("cd5-03-mycosis-at-stage-iib", "eligible")
def mycosis_at_stage_iib() -> Record:
    """Mycosis fungoides at stage IIB, which is just enough."""
    return lymphoma(("Castro", "Paula"), "1966-08-30", "118618005", stage="IIB")


@CD5_NK.patient("cd5-04-mycosis-at-stage-iia", "ineligible", "I2")
def mycosis_at_stage_iia() -> Record:
    """Mycosis fungoides at stage IIA."""
    return lymphoma(("Dvorak", "Renata"), "1971-03-02", "118618005", stage="IIA")


@CD5_NK.patient("cd5-05-mycosis-without-a-stage", "needs-review", "I2")
def mycosis_without_a_stage() -> Record:
    """Mycosis fungoides; nobody recorded its stage."""
    return lymphoma(("Eriksen", "Sigrid"), "1958-12-11", "118618005")


@CD5_NK.patient("cd5-06-node-of-15-millimetres", "ineligible", "I2")
def node_of_15_millimetres() -> Record:
    """A lymph node of 15 mm, where it must be longer than 1.5 cm."""
    record = lymphoma(("Farkas", "Tamas"), "1963-05-25", "109977009", "male")
    record["node"]["valueQuantity"] = quantity("15", "mm")
    return record


@CD5_NK.patient("cd5-07-cd5-on-30-percent", "needs-review", "I3")
def cd5_on_30_percent() -> Record:
    """CD5 on exactly 30 % of the cells under the microscope; flow cytometry was not done."""
    record = lymphoma(("Galli", "Ugo"), "1969-10-03", "109977009", "male")
    record["cd5"] = antigen("CD5", "30", "immunohistochemistry", "tissue", "2026-05-29")
    return record


@CD5_NK.patient("cd5-08-cd5-too-weak", "ineligible", "I3")
def cd5_too_weak() -> Record:
    """CD5 on 79 % of the cells by flow cytometry and on 30 % under the microscope."""
    record = leukaemia(("Horvat", "Vlado"), "1990-09-16")
    record["cd5"] = antigen("CD5", "79", "flow cytometry", "marrow", "2026-06-08")
    record["cd5-stain"] = antigen("CD5", "30", "immunohistochemistry", "marrow", "2026-06-08")
    return record


@CD5_NK.patient("cd5-09-lineage-left-open", "needs-review", "I2", "I5")
def lineage_left_open() -> Record:
    """An acute lymphoblastic leukaemia in relapse, whose code does not say whether it is of T cells."""
    record = leukaemia(("Iversen", "Wilma"), "1997-02-20", "female")
    record["leukaemia"] = condition(concept("valueset-all-lineage-unspecified", "C91.02"), "2024-09-17")
    return record


@CD5_NK.patient("cd5-10-marrow-looked-at-in-april", "needs-review", "I2")
def marrow_looked_at_in_april() -> Record:
    """The bone marrow was last looked at in April, too long ago to say how it stands today."""
    record = leukaemia(("Jovanovic", "Zoran"), "1985-07-07")
    record["blasts"] = _fact("bone-marrow-blasts-percent", "2026-04-20", valueQuantity=quantity("14", "%"))
    return record


@CD5_NK.patient("cd5-11-in-remission", "ineligible", "I2", "I5")
def in_remission() -> Record:
    """The leukaemia is in remission."""
    record = without(leukaemia(("Keller", "Yvonne"), "1979-11-28", "female"), "relapse")
    record["leukaemia"] = condition(concept("valueset-t-all", "277575008"), "2024-09-17", "remission")
    return record
