"""From photons to what a detector reports."""
