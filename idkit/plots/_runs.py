"""Short names for runs: what their metadata say, else where their file lies."""

from collections.abc import Sequence

from idkit.files import Artefact
from idkit.plots._layout import plain, shorten

FACETS = ("data", "model", "variant", "arch", "d_z", "settings", "embedded")


def title(one: Artefact) -> list[str]:
    """The words that say which run it is.

    Args:
        one: a model or latents.
    """
    known = [text(one, name) for name in (*FACETS, "seed")]
    return known if any(known) else [plain(one.label)]


def families(artefacts: Sequence[Artefact]) -> list[str]:
    """The name of each run's group: its model, and what else differs but the seed.

    Args:
        artefacts: models or latents.
    """
    shown = [
        name
        for name in FACETS
        if name == "model" or len({text(one, name) for one in artefacts}) > 1
    ]
    return [_joined(one, shown) for one in artefacts]


def seeds(artefacts: Sequence[Artefact]) -> list[str]:
    """A name for each run of one group.

    Args:
        artefacts: models or latents that differ in their seed only.
    """
    return [text(one, "seed") or plain(shorten(one.label)) for one in artefacts]


def text(one: Artefact, facet: str) -> str:
    """One entry of a run's metadata for people to read; empty where it is not known.

    Args:
        one: a model or latents.
        facet: one of `FACETS`, or `seed`.
    """
    value = one.meta.get(facet)
    if value is None or value == {}:
        return ""
    if facet in ("variant", "settings"):
        told = sorted(value.items())
        return plain(" ".join(name if knob is True else f"{name}={knob}" for name, knob in told))
    words = {"d_z": f"$d_z$ = {value}", "seed": f"seed {value}"}
    words["embedded"] = plain(f"on {value}")
    return words.get(facet, plain(str(value)))


def _joined(one: Artefact, facets: Sequence[str]) -> str:
    known = filter(None, (text(one, name) for name in facets))
    return ", ".join(known) or plain(shorten(one.label))
