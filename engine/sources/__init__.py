"""Where records come from: bundles, NDJSON files, FHIR servers and bulk exports."""

from engine.sources.content import Content, own_content
from engine.sources.files import Patient, patients

__all__ = ["Content", "Patient", "own_content", "patients"]
