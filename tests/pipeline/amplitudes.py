"""Run by the Python that has DIALS: what was integrated, as JSON. usage: amplitudes.py integrated.refl out.json"""

import json
import sys

from dials.array_family import flex

table = flex.reflection_table.from_file(sys.argv[1])
table = table.select(table.get_flags(table.flags.integrated_sum))
columns = {
    "hkl": [list(hkl) for hkl in table["miller_index"]],
    "intensity": list(table["intensity.sum.value"]),
    "variance": list(table["intensity.sum.variance"]),
    "lorentz_polarization": list(table["lp"]),
    "partiality": list(table["partiality"]),
}
with open(sys.argv[2], "w") as file:
    json.dump(columns, file)
