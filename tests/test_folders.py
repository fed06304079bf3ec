"""Which layouts of files are two families, and which are one?"""

import pytest

from idkit.folders import families


@pytest.mark.parametrize(
    "layout",
    [
        "z1.npy z2.npy",
        "A/z1.npy A/z2.npy",
        "runs/a/latents.npy runs/b/latents.npy runs/c/latents.npy",
        "seed1/z1.npy seed2/z2.npy seed10/z10.npy",
        "a/1/z.npy b/2/z.npy",
        "/tmp/x/1/z.npy /tmp/x/2/z.npy",
        "one.npy",
        "A/z.npy A/z.npy",
    ],
)
def test_one_family(layout: str) -> None:
    assert families(layout.split()) == []


@pytest.mark.parametrize(
    ("layout", "folders"),
    [
        ("A/1.npy A/2.npy B/1.npy B/2.npy", ["A", "B"]),
        ("x/A/1.npy x/A/2.npy x/B/7.npy", ["A", "B"]),
        ("A/1/z.npy A/2/z.npy B/1/z.npy B/2/z.npy", ["A", "B"]),
        ("A/vae.npy B/umap.npy", ["A", "B"]),
        ("z1.npy z2.npy other/z1.npy", [".", "other"]),
    ],
)
def test_several_families(layout: str, folders: list[str]) -> None:
    assert families(layout.split()) == folders
