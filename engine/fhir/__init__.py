"""FHIR R4: records decoded from bytes, model information, references, and resources written out."""

from engine.fhir.bundle import EVERY_TYPE, Bundle, SetAside, decode_bundle
from engine.fhir.element import Element, Problem, path_of, resource_of
from engine.fhir.model import FhirModel, fhir_model
from engine.fhir.record import PatientRecord

__all__ = [
    "EVERY_TYPE",
    "Bundle",
    "Element",
    "FhirModel",
    "PatientRecord",
    "Problem",
    "SetAside",
    "decode_bundle",
    "fhir_model",
    "path_of",
    "resource_of",
]
