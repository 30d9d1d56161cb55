"""The walk in blocks of pixels, which LLVM turns into SIMD, with its error bounds."""
