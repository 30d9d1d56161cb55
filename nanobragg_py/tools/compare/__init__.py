"""nb-compare: two images, or two programs, compared."""
