"""CQL 1.5.3: from text to values. This room knows nothing of trials, services or files."""
