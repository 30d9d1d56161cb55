"""Reading a reflection list as it nearly always is: whole numbers h k l, and F as plain decimals.

A decimal of at most 15 digits is a whole number that a float64 holds exactly, over a power of ten that it holds
exactly too: one division, rounded once, gives the same bits as the C library (Clinger 1990). Whatever else a list
may contain is left to structure_factors.py, which is slower and can say what is wrong.
"""

from __future__ import annotations

from ..jit import compiled, inlined

NEWLINE, POINT, PLUS, MINUS, ZERO = 10, 46, 43, 45, 48
MOST_DIGITS = 15
LARGEST_INDEX = 2**30


@inlined
def is_space(character):
    """Blanks and line ends, as C's isspace."""
    return character == 32 or 9 <= character <= 13


@compiled
def read_plain_list(text, hkl, F):
    """Fill hkl int32 (n, 3) and F float64 (n,) from `text` (uint8); number of reflections, or -1 if it is not plain."""
    size = text.size
    words = 0
    at = 0
    while at < size:
        character = text[at]
        if is_space(character):
            if character == NEWLINE and words % 4 != 0:
                return -1
            at += 1
            continue
        negative = character == MINUS
        if negative or character == PLUS:
            at += 1
        whole, digits, pointed = 0, 0, False
        power_of_ten = 1.0
        while at < size:
            character = text[at]
            if ZERO <= character <= ZERO + 9:
                whole = whole * 10 + (character - ZERO)
                digits += 1
                if pointed:
                    power_of_ten *= 10.0
            elif character == POINT and not pointed and words % 4 == 3:
                pointed = True
            else:
                break
            at += 1
        if digits == 0 or digits > MOST_DIGITS or (at < size and not is_space(text[at])):
            return -1
        row, column = words // 4, words % 4
        if column == 3:
            value = whole / power_of_ten
            F[row] = -value if negative else value
        elif whole >= LARGEST_INDEX:
            return -1
        else:
            hkl[row, column] = -whole if negative else whole
        words += 1
    return words // 4 if words % 4 == 0 else -1
