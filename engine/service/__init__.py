"""The HTTP service: FHIR operations and CDS Hooks over the same trials."""

from engine.service.app import create_app
from engine.service.settings import Settings

__all__ = ["Settings", "create_app"]
