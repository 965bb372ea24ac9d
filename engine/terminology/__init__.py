"""Value sets, code systems and UCUM units, which the language asks through its protocols."""
