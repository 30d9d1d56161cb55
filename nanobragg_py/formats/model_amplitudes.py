"""Amplitudes calculated from the coordinates of a crystal structure (PDB, mmCIF)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from ..base.memory import require_memory
from .coordinates import read_structure, why_no_cell
from .expansion import packed
from .gemmi_library import explained, gemmi_module
from .merged_reflections import NEEDS_CELL, NEEDS_SYMMETRY, Merged, Said, check_cell, make_cell
from .symmetry import Remarks, Stated, user_symmetry

SOLVENT_DENSITY = 0.35  # mean density of the solvent [e/Å³]; typical for crystals of proteins
SOLVENT_B = 46.5  # how soft its surface is [Å²]; Fokine & Urzhumtsev, Acta Cryst. (2002) D58, 1387
DENSITY_OVERSAMPLING = 2.0  # with gemmi's blur, amplitudes within 2e-5 of the direct sum
MASK_SPACING = 0.5  # [Å]; the same at any resolution, so that amplitudes do not depend on it
MAX_MASK_POINTS = 2.5e8  # of cells above 3e7 Å³ the mask is coarser
MAX_GRID_POINTS = 1e9
POINT_BYTES = 12  # of the density, and of half its transform
MASK_LIMIT = 2.1  # the mask is used to so many spacings [Å]; beyond, the solvent's share is below 1e-5


def model_amplitudes(
    path: str, kind: str, content: bytes, resolution_A: float | None, said: Said, remarks: Remarks
) -> Merged:
    """Amplitudes in electrons, on absolute scale and without F000, of the first model in a coordinate file.

    F(s) = F_model(s) + 0.35 exp(-46.5 s²/4) F_mask(s), s = 1/d [1/Å]: the model's electron density (form
    factors of International Tables C 1992, occupancies, isotropic or anisotropic B; strict NCS is applied)
    and a flat bulk solvent outside the atoms (radii of cctbx, probe 1.1 Å, shrunk by 0.9 Å; Jiang & Brünger,
    J. Mol. Biol. (1994) 243, 100).

    kind: 'pdb' or 'mmcif-model'. resolution_A: smallest d [Å]; None: the resolution that the file states. said:
    cell and symmetry from the user, where the file has none. Raises InputError if the file cannot be read or has no
    atoms, unit cell, space group or resolution.
    """
    gemmi = gemmi_module()
    with explained(path, "coordinate file"):
        structure = read_structure(path, kind, content, remarks)
        if not structure.cell.is_crystal():
            if said.cell is None:
                raise InputError(f"{path}: {why_no_cell(kind, content)}; {NEEDS_CELL}")
            structure.cell = make_cell(said.cell)
        check_cell(path, structure.cell)
        group = _space_group(path, structure, said)
        d_min = _resolution(path, structure, resolution_A)
        structure.expand_ncs(gemmi.HowToNameCopiedChain.Dup)
        structure.setup_cell_images()
        model = _model_part(structure, d_min)
        hkl = np.array(model.miller_array)
        if not len(hkl):
            raise InputError(f"{path}: the cell has no reflections to {d_min:g} Å")
        F = np.array(model.value_array, np.complex128)
        F += _solvent_part(structure, d_min, hkl, np.array(model.make_1_d2_array(), np.float64))
        if not np.isfinite(F).all():
            raise ValueError("coordinates, occupancies or B factors are out of range")
        atoms = structure[0].count_atom_sites()
        which = f" of model 1 of {len(structure)}" if len(structure) > 1 else ""
        form = "PDB" if kind == "pdb" else "mmCIF"
        text = f"{form} coordinates, amplitudes calculated from {atoms} atoms{which} with bulk solvent"
        return Merged(hkl, np.abs(F), None, structure.cell, Stated([group.xhm()]), text, "calculated")


def _space_group(path: str, structure: Any, said: Said) -> Any:
    """The space group of a structure, which then has its name (gemmi.SpaceGroup). Raises InputError."""
    group = structure.find_spacegroup()
    if group is None and said.symmetry is not None:
        symmetry = user_symmetry(said.symmetry, structure.cell.parameters[3:])
        group = gemmi_module().find_spacegroup_by_ops(symmetry.operations)
        structure.spacegroup_hm = group.xhm() if group is not None else ""
    if group is None:
        name = structure.spacegroup_hm
        why = f"no space group that is known ('{shown(name)}')" if name.strip() else "no space group"
        raise InputError(f"{path}: has {why}; {NEEDS_SYMMETRY}")
    return group


def _resolution(path: str, structure: Any, asked: float | None) -> float:
    """The smallest d [Å]: as asked, or as the file states; InputError if that needs too large a grid."""
    d_min = asked if asked is not None else structure.resolution
    if not d_min:
        raise InputError(f"{path}: states no resolution; say to which one amplitudes are needed")
    points = structure.cell.volume * (2 * DENSITY_OVERSAMPLING / d_min) ** 3
    if points > MAX_GRID_POINTS:
        coarsest = d_min * (points / MAX_GRID_POINTS) ** (1 / 3)
        raise InputError(f"{path}: {d_min:g} Å needs too large a grid for this cell; {coarsest:.2g} Å would do")
    require_memory(int(points * POINT_BYTES), f"{path}: amplitudes to {d_min:g} Å")
    return float(d_min)


def _model_part(structure: Any, d_min: float) -> Any:
    """Structure factors of the first model's density to d_min [Å] (gemmi.ComplexAsuData, complex64)."""
    gemmi = gemmi_module()
    density = gemmi.DensityCalculatorX()
    density.d_min = d_min
    density.rate = DENSITY_OVERSAMPLING
    density.set_grid_cell_and_spacegroup(structure)
    density.set_refmac_compatible_blur(structure[0])
    density.put_model_density_on_grid(structure[0])
    grid = gemmi.transform_map_to_f_phi(density.grid, half_l=True)
    return grid.prepare_asu_data(dmin=d_min, unblur=density.blur)


def _solvent_part(structure: Any, d_min: float, hkl: np.ndarray, inverse_d2: np.ndarray) -> np.ndarray:
    """Structure factors of the solvent, complex128 (n,), of hkl, int32 (n, 3), with 1/d² [1/Å²], (n,)."""
    gemmi = gemmi_module()
    spacing = max(MASK_SPACING, (structure.cell.volume / MAX_MASK_POINTS) ** (1 / 3))
    grid = gemmi.FloatGrid()
    grid.setup_from(structure, spacing=spacing)
    gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx).put_mask_on_float_grid(grid, structure[0])
    limit = max(d_min, MASK_LIMIT * spacing)
    mask = gemmi.transform_map_to_f_phi(grid, half_l=True).prepare_asu_data(dmin=limit)
    key, mask_key = packed(hkl), packed(np.array(mask.miller_array))
    order = np.argsort(mask_key)
    place = order[np.searchsorted(mask_key, key, sorter=order).clip(max=len(order) - 1)]
    F = np.where(mask_key[place] == key, np.array(mask.value_array, np.complex128)[place], 0.0)
    return SOLVENT_DENSITY * np.exp(-SOLVENT_B * inverse_d2 / 4) * F
