"""ELM, the Expression Logical Model: its nodes under the names of the standard, and its JSON form."""
