"""ELM: nodes with the names and shapes of the standard; ELM JSON in and out."""
