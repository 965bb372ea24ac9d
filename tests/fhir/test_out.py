"""Resources going out: valid FHIR, decimals unchanged."""

from decimal import Decimal

import pytest

from engine.fhir.out import Issue, operation_outcome, write


def test_operation_outcome_is_valid() -> None:
    made = operation_outcome([Issue("warning", "not-found", "no such trial", ("Bundle.entry[1]",))])
    assert made["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert write(made).startswith(b'{"resourceType":"OperationOutcome"')


def test_decimals_go_out_as_they_are() -> None:
    row = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "valueQuantity": {"value": Decimal("1.10")},
    }
    assert b'"value":1.10' in write(row)


@pytest.mark.parametrize("row", ({"resourceType": "OperationOutcome"}, {"resourceType": "Sandwich"}))
def test_what_is_not_valid_does_not_go_out(row: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=row["resourceType"]):
        write(row)
