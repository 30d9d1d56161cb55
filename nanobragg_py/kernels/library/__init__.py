"""The kernels of entry.py as callable machine code.

signatures  the table of C prototypes: what a kernel takes and returns
target      the processor that code is for
compile     Numba and LLVM: from a kernel to object code            (in processes of its own: processes, __main__)
fingerprint what code depends on
cache       object code kept in files                               (trust: whom they may belong to)
load        from object code to a function to call
"""

from .load import address, kernel, prepare

__all__ = ["address", "kernel", "prepare"]
