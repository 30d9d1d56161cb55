"""Print, as JSON, where dxtbx finds pixels of an image in the laboratory; run by Debian's Python, which has DIALS.

Arguments: image, then fast and slow of each pixel. Printed: for each pixel's middle its components, in metres, along
the incident beam, along the spindle, and across both (the vector product of the two); and the wavelength in Å.
"""

import json
import sys

import numpy as np
from dxtbx.model.experiment_list import ExperimentListFactory

(experiment,) = ExperimentListFactory.from_filenames([sys.argv[1]])
beam = np.array(experiment.beam.get_s0())
beam /= np.linalg.norm(beam)
spindle = np.array(experiment.goniometer.get_rotation_axis())
frame = np.array([beam, spindle, np.cross(beam, spindle)])
panel = experiment.detector[0]
pixels = [(float(fast), float(slow)) for fast, slow in zip(sys.argv[2::2], sys.argv[3::2], strict=True)]
positions = [(frame @ panel.get_pixel_lab_coord((fast + 0.5, slow + 0.5)) * 1e-3).tolist() for fast, slow in pixels]
print(json.dumps({"positions_m": positions, "wavelength_A": experiment.beam.get_wavelength()}))
