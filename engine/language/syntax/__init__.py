"""From text to a syntax tree of small frozen classes, each with its span in the text."""
