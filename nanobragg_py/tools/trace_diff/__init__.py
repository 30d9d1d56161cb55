"""nb-trace-diff: the first value in which two traces part."""
