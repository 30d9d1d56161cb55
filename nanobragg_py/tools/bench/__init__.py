"""nb-bench: how fast the program is, against others."""
