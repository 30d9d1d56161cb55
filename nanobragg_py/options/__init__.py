"""What can be said: the table of options, its scan, the configuration that comes of it."""
