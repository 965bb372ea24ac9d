"""Where records come from: bundles, NDJSON files, FHIR servers and bulk exports."""
