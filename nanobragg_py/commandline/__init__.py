"""nanoBragg as a command: the run log, the trace, progress, exit statuses."""
