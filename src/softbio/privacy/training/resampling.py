"""How the auxiliary classifiers of an ensemble are made to differ: by what they train on.

Mirjalili, Raschka, Ross: Gender privacy: an ensemble of semi adversarial networks for confounding
arbitrary gender classifiers. BTAS 2018 (arXiv:1807.11936); the talk's Figure 5.
"""

import numpy as np

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.privacy.groups import face_groups
from softbio.privacy.parts import gender_of
from softbio.privacy.recipe import AuxiliaryRecipe


def training_rows(recipe: AuxiliaryRecipe, packed: Packed, inside: np.ndarray) -> np.ndarray:
    """Rows that a gender classifier trains on, int64, ascending, with repetitions.

    inside: bool (N,), its part. "e1" has all of them once; "e2" a share of them, drawn at random,
    twice; "e3" as many of each group and gender as the largest holds, what is lacking drawn with
    replacement out of its own. Raises UserError where the part has fewer subjects than the
    ensemble members so far, where groups cannot be made, and where one has no face.
    """
    rows = np.flatnonzero(inside)
    subjects = len(set(packed.subjects[rows])) if recipe.member > 1 else 1
    if subjects < recipe.member:
        raise UserError(
            f"ensemble: part '{recipe.part}' has {subjects} subjects, fewer than its members "
            f"({recipe.member} or more); lower privacy.members"
        )
    rng = np.random.default_rng([recipe.seed, recipe.member])
    if recipe.diversity == "e2":
        more = rng.choice(rows, round(recipe.duplicated * len(rows)), replace=False)
    elif recipe.diversity == "e3":
        more = _lacking(recipe, packed, inside, rng)
    else:
        return rows
    return np.sort(np.concatenate([rows, more]))


def _lacking(
    recipe: AuxiliaryRecipe, packed: Packed, inside: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draws that bring each group and gender to the size of the largest."""
    groups = face_groups(packed, inside, recipe.groups)
    cells = groups.cells(gender_of(packed))
    cell_rows = [np.flatnonzero(inside & (cells == cell)) for cell in range(2 * len(groups.names))]
    for cell, rows in enumerate(cell_rows):
        if not len(rows):
            raise UserError(
                f"ensemble: no training face is '{groups.cell_name(cell)}', so there is none to "
                "oversample; choose fewer privacy.groups"
            )
    most = max(map(len, cell_rows))
    return np.concatenate([rng.choice(rows, most - len(rows)) for rows in cell_rows])
