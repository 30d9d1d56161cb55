"""What is there: beam, detector, crystal, spindle, as frozen records. No files, no options, no kernels."""
