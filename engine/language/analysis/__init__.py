"""Names, types, overloads and conversions: from the syntax tree to typed ELM, with every diagnostic at once."""
