"""FHIR R4: records decoded from bytes, model information, references, and resources written out."""
