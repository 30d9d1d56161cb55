"""Programs beside nanoBragg: nb-compare, nb-trace-diff, nb-bench, nb-hkl."""
