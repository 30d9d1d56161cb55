"""nb-batch: many images from one process."""
