"""The HTTP service: FHIR operations and CDS Hooks over the same trials."""

from engine.service.app import create_app

__all__ = ["create_app"]
