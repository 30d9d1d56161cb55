"""The ground: errors, files, memory, numbers as C reads and writes them, vectors. Knows nothing of diffraction."""
