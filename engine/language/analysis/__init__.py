"""From syntax tree to typed ELM: names, types, overloads, implicit conversions; every diagnostic at once."""
