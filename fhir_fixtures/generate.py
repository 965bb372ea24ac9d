"""Writes the sample patients of this folder: python fhir_fixtures/generate.py

The patients are invented; a module for each trial tells their stories, resources.py says what they are made of. Each is
a change or two to the baseline of its trial, so that a file shows what its story tells. All were seen for a screening
on SCREENING_DATE. Beside each story stands the verdict that the trial should give; a test compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from cd5_nk import CD5_NK
from nkg2d_nk import NKG2D_NK
from prism_nk import PRISM_NK
from psma_cart import PSMA_CART
from psma_nk import PSMA_NK
from resources import HERE, SCREENING_DATE, Record, Resource, Samples

TRIALS = (PSMA_NK, PSMA_CART, CD5_NK, NKG2D_NK, PRISM_NK)

OF_A_PATIENT = frozenset({"Consent", "RelatedPerson"})
"""Resources whose subject is called patient."""


def bundle(name: str, record: Record) -> Resource:
    """The collection Bundle of one patient, whose id is the name of the file; all other ids end with its first part."""
    mark = re.split(r"(?<=\d)-", name, maxsplit=1)[0]
    local = {f"{content['resourceType']}/{identity}": f"{identity}-{mark}" for identity, content in record.items()}
    local["Patient/patient"] = name
    entries = []
    for identity, content in record.items():
        kind = content["resourceType"]
        own = local[f"{kind}/{identity}"]
        about = "patient" if kind in OF_A_PATIENT else "subject"
        subject = {} if kind == "Patient" or about in content else {about: {"reference": f"Patient/{name}"}}
        elements = {n: _resolved(v, local) for n, v in content.items() if n != "resourceType"}
        resource = {"resourceType": kind, "id": own, **elements, **subject}
        entries.append({"fullUrl": f"http://example.org/fhir/{kind}/{own}", "resource": resource})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _resolved(value: Any, local: dict[str, str]) -> Any:
    """The element with its references by the ids of the bundle."""
    if isinstance(value, list):
        return [_resolved(part, local) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("reference") in local:
        kind = value["reference"].split("/")[0]
        return {**value, "reference": f"{kind}/{local[value['reference']]}"}
    return {name: _resolved(part, local) for name, part in value.items()}


def files() -> Iterable[tuple[Path, bytes]]:
    """Every file of the folder with its content."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    for samples in TRIALS:
        for sample in samples.patients:
            text = msgspec.json.format(encoder.encode(bundle(sample.name, sample.make())), indent=1) + b"\n"
            yield HERE / samples.folder / f"{sample.name}.json", text
    tables = "\n".join(_table(samples) for samples in TRIALS)
    yield HERE / "README.md", README.format(tables=tables, date=SCREENING_DATE).encode()


def _table(samples: Samples) -> str:
    rows = [
        f"| `{s.name}.json` | {s.story} | {s.verdict}{_because(samples.trial, s.decides)} |" for s in samples.patients
    ]
    heading = f"\n## For {samples.trial} (`{samples.folder}/`): {samples.about}\n"
    return "\n".join([heading, "| file | story | verdict |", "|---|---|---|", *rows])


def _because(trial: str, decides: tuple[str, ...]) -> str:
    return f" ({', '.join(part.removeprefix(f'{trial}-') for part in decides)})" if decides else ""


README = """# Sample patients

Invented patients for a first look, each with a story for one trial. All were seen for a screening on {date}:

    eligibility screen fhir_fixtures --screening-date {date} --parameters fhir_fixtures/parameters.json

`parameters.json` holds what the protocol of PRISM-NK leaves open: its cohort, thresholds, laboratory limits and
windows, invented too. Without it, what depends on them is unknown. `make screen` hands it in.

The verdict is that of the trial the story is told for, with the criteria that rule the patient out or stay open. Made
by `python fhir_fixtures/generate.py`; a test compares the files, another one the verdicts.
{tables}
"""

if __name__ == "__main__":
    for path, content in files():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        print(path.relative_to(HERE.parent), file=sys.stderr)
