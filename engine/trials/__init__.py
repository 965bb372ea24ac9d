"""Trials and their criteria: deciding, explaining, attesting and counting, over values and their trace."""
