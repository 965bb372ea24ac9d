"""The HTTP service: FHIR operations and CDS Hooks over the same trials."""
