"""From typed ELM to closures, and from closures and a context to values; limits and tracing."""
