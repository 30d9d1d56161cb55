"""The kernels as machine code: compiled once, kept in files, loaded without the compiler."""
