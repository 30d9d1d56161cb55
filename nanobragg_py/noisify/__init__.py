"""noisify: from photons per pixel to what a detector reports, in the C program noisify's bytes."""
