"""Tells the user which artefact a figure shows, and which command makes it."""

from collections.abc import Sequence

from idkit import schemas
from idkit.errors import IdkitError
from idkit.files import Artefact

NOUNS = {
    "pictures": "models",
    "model": "models",
    "latents": "latents",
    "scores": "scores",
    "tests": "tests",
}
SCHEMAS = {
    "pictures": ("idkit.pictures/1",),  # a model of images with what it makes of some
    "model": (schemas.MODEL,),
    "latents": (schemas.LATENTS,),
    "scores": schemas.SCORED,
    "tests": (schemas.TESTS,),
}
MADE_BY = {
    "pictures": "idkit train",
    "model": "idkit train",
    "latents": "idkit embed runs/*/model.safetensors",
    "scores": "idkit mcc runs/*/latents.npz -o scores.npz",
    "tests": "idkit wilcoxon scores.npz -o tests.npz",
}


def need(artefacts: Sequence[Artefact], kind: str, *, figure: str, foreign: bool = False) -> None:
    """Refuses an artefact of another kind than the figure shows.

    Args:
        artefacts: the artefacts.
        kind: what the figure shows, one of `MADE_BY`.
        figure: the figure's name.
        foreign: whether files without idkit's metadata are welcome.

    Raises:
        IdkitError: when one is of another kind.
    """
    for one in artefacts:
        if one.schema in SCHEMAS[kind] or (foreign and one.schema is None):
            continue
        found = f"holds {one.schema}" if one.schema else "has no idkit metadata"
        wanted = f"'{figure}' shows {NOUNS[kind]}: make them with '{MADE_BY[kind]}'"
        raise IdkitError(f"{one.label} {found}, and {wanted}")
