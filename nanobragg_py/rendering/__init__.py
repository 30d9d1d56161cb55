"""From an experiment to an image: inputs of the kernels, threads, the order of pixels."""
