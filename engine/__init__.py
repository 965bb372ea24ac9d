"""Clinical-trial eligibility: criteria written in CQL, evaluated over FHIR R4 records into results with their evidence."""

__version__ = "0.1.0"

__all__ = ["__version__"]
