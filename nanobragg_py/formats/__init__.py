"""Files: one module a format. Nothing else opens them."""
