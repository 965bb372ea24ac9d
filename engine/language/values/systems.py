"""Code systems that have two names: the URI that FHIR gives them, and their OID, which FHIR asks not to use beside it.

Source: FHIR R4, "Code Systems" (http://hl7.org/fhir/R4/terminologies-systems.html), the columns URI and OID; of
ICD-10-CM, the CodeSystem icd10CM of HL7 Terminology.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_OIDS: Final[Mapping[str, str]] = {
    "2.16.840.1.113883.4.9": "http://fdasis.nlm.nih.gov",
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
    "2.16.840.1.113883.6.69": "http://hl7.org/fhir/sid/ndc",
    "2.16.840.1.113883.6.73": "http://www.whocc.no/atc",
    "2.16.840.1.113883.6.8": "http://unitsofmeasure.org",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
}

URI_OF: Final[Mapping[str, str]] = {f"urn:oid:{oid}": uri for oid, uri in _OIDS.items()}
"""The URI of a code system by its OID as it stands in ``system``."""
