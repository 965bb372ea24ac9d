"""Clinical-trial eligibility: criteria written in CQL, evaluated over FHIR R4 records into results with their evidence."""

from engine.version import __version__

__all__ = ["__version__"]
