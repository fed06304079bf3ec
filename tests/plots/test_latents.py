"""Latents on a plane."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.plots import _plane, latents

if TYPE_CHECKING:
    from tests.plots.conftest import Made


@given(st.integers(3, 8), st.integers(0, 2**32 - 1))
def test_the_plane_is_that_of_the_largest_variance(d_z: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((50, d_z)) * rng.uniform(0.1, 3.0, d_z) + 5.0
    on = _plane.plane(z)
    np.testing.assert_allclose(on.directions @ on.directions.T, np.eye(2), atol=1e-10)
    eigenvalues = np.linalg.eigvalsh(np.cov(z.T, bias=True))[::-1]
    np.testing.assert_allclose(on(z).var(axis=0), eigenvalues[:2], rtol=1e-8)
    assert f"({eigenvalues[0] / eigenvalues.sum():.0%} of variance)" in on.names[0]


def test_two_dimensions_are_shown_as_they_are() -> None:
    z = np.random.default_rng(0).standard_normal((9, 2))
    np.testing.assert_array_equal(_plane.plane(z)(z), z)
    assert _plane.plane(z).names == ("$z_1$", "$z_2$")


def test_a_turned_copy_is_the_same_picture_up_to_signs() -> None:
    rng = np.random.default_rng(1)
    z = rng.standard_normal((40, 4)) * [4, 3, 2, 1]
    turned = z @ np.linalg.qr(rng.standard_normal((4, 4)))[0]
    np.testing.assert_allclose(abs(_plane.plane(z)(z)), abs(_plane.plane(turned)(turned)))


def test_aligned_runs_are_shown_on_one_plane(made: "Made") -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((30, 4))
    runs = [
        made.write(f"{i}.npz", "latents", {"z": moved}, command="align --apply")
        for i, moved in enumerate((z, -z))
    ]
    figure = latents.draw(runs)
    first, second = (np.asarray(axes.collections[0].get_offsets()) for axes in figure.axes)
    np.testing.assert_allclose(
        first - first.mean(axis=0), -(second - second.mean(axis=0)), atol=1e-6
    )


def test_grids_are_points_at_every_position(made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((5, 2, 3, 4))
    artefact = made.write("z.npz", "latents", {"z": z, "u": np.arange(5)})
    axes = latents.draw([artefact]).axes[0]
    points = np.asarray(axes.collections[0].get_offsets())
    expected = [z[i, :, h, w] for i in range(5) for h in range(3) for w in range(4)]
    np.testing.assert_allclose(points, expected)


def test_more_rows_than_can_be_seen_are_thinned_and_the_title_says_so(made: "Made") -> None:
    z = np.zeros((latents.MOST_POINTS * 2, 2), dtype=np.float32)
    figure = latents.draw([made.write("z.npz", "latents", {"z": z})])
    assert len(np.asarray(figure.axes[0].collections[0].get_offsets())) == latents.MOST_POINTS
    assert "1 row in 2" in figure.axes[0].get_title()


def test_many_values_of_u_are_a_scale_and_few_are_named(made: "Made") -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((80, 2))
    for values, scale in ((4, False), (40, True)):
        artefact = made.write("z.npz", "latents", {"z": z, "u": np.arange(80) % values})
        figure = latents.draw([artefact])
        assert (len(figure.axes) == 2) is scale
        assert (len(figure.axes[0].texts) == values) is not scale


def colors(axes: Any, collection: int = 0) -> NDArray[Any]:
    return np.asarray(axes.collections[collection].get_facecolors())


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []


@pytest.mark.parametrize(
    "u",
    [
        np.array(["cat", "a $very$ long name of a class", "Zürich", "cat"]),
        np.char.encode(
            np.array(["cat", "a $very$ long name of a class", "Zürich", "cat"]), "utf-8"
        ),
    ],
    ids=["text", "bytes"],
)
def test_text_labels_have_a_colour_and_a_name_each(u: NDArray[Any], made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((4, 2))
    figure = latents.draw([made.write("z.npz", "latents", {"z": z, "u": u})])
    found = colors(figure.axes[0])
    assert len(np.unique(found, axis=0)) == 3
    np.testing.assert_array_equal(found[0], found[3])
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "Zürich",
        r"a \$ve… class",
        "cat",
    ]
    assert legend(figure)[::2] == ["u = Zürich", "u = cat"]


def test_more_names_than_colours_are_a_scale_in_their_order(made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((40, 2))
    u = np.array([f"word {i:02d}" for i in range(40)])[::-1]
    figure = latents.draw([made.write("z.npz", "latents", {"z": z, "u": u})])
    values = np.asarray(figure.axes[0].collections[0].get_array())
    np.testing.assert_array_equal(values, np.arange(40)[::-1])
    assert figure.axes[1].get_ylabel() == "u (40 names, in their order)"


@pytest.mark.parametrize(
    "u",
    [np.array([0.0, 1.0, np.nan, 1.0, -np.inf]), np.array(["0", "1", "", "1", ""])],
    ids=["numbers", "text"],
)
def test_points_without_a_label_are_grey_and_the_others_keep_their_colours(
    u: NDArray[Any], made: "Made"
) -> None:
    z = np.random.default_rng(0).standard_normal((5, 2))
    one = made.write("z.npz", "latents", {"z": z, "u": u})
    figure = latents.draw([one])
    np.testing.assert_allclose(colors(figure.axes[0], 0)[:, :3], [to_rgb(latents.UNKNOWN)])
    np.testing.assert_allclose(
        np.asarray(figure.axes[0].collections[0].get_offsets()), z[[2, 4]], atol=1e-6
    )
    known = colors(figure.axes[0], 1)
    np.testing.assert_allclose(known[:, :3], [to_rgb(latents.COLORS[i]) for i in (0, 1, 1)])
    assert legend(figure) == ["u = 0", "u = 1", "no u"]
    assert latents.notes([one]) == [f"{one.label}: 2 of 5 rows have no u, and are grey"]


def test_fractions_with_a_gap_are_a_scale(made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((4, 2))
    u = np.array([0.5, np.nan, 0.25, 1.0])
    figure = latents.draw([made.write("z.npz", "latents", {"z": z, "u": u})])
    np.testing.assert_array_equal(figure.axes[0].collections[1].get_array(), [0.5, 0.25, 1.0])
    assert legend(figure) == ["no u"]


@pytest.mark.parametrize("u", [np.full(4, np.nan), np.array([""] * 4)], ids=["nan", "no text"])
def test_where_no_label_is_known_all_points_are_grey(u: NDArray[Any], made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((4, 2))
    figure = latents.draw([made.write("z.npz", "latents", {"z": z, "u": u})])
    np.testing.assert_allclose(colors(figure.axes[0])[:, :3], [to_rgb(latents.UNKNOWN)])


def test_a_u_that_has_not_one_value_a_row_is_said_to_give_no_colours(made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((4, 2))
    one = made.write("z.npz", "latents", {"z": z, "u": np.eye(4)})
    assert len(np.unique(colors(latents.draw([one]).axes[0]), axis=0)) == 1
    assert "is not coloured: its u has shape (4, 4), for 4 rows" in latents.notes([one])[0]
    assert latents.notes([made.write("y.npz", "latents", {"z": z, "u": np.arange(4)})]) == []


def test_numbers_in_one_file_and_text_in_another_are_one_set_of_labels(made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((3, 2))
    runs = [
        made.write(f"{i}.npz", "latents", {"z": z, "u": u})
        for i, u in enumerate((np.arange(3), np.array(["2", "b", "0"])))
    ]
    first, second = (colors(axes) for axes in latents.draw(runs).axes)
    np.testing.assert_array_equal(first[[2, 0]], second[[0, 2]])


def test_a_label_has_one_colour_in_all_runs(made: "Made") -> None:
    z = np.random.default_rng(0).standard_normal((4, 2))
    runs = [
        made.write(f"{i}.npz", "latents", {"z": z, "u": np.array(u)})
        for i, u in enumerate(([0, 1, 2, 3], [3, 3, 3, 3]))
    ]
    first, second = (
        np.asarray(axes.collections[0].get_facecolors())  # type: ignore[attr-defined]  # an alias that the types lack
        for axes in latents.draw(runs).axes
    )
    np.testing.assert_array_equal(first[3], second[0])


@pytest.mark.parametrize(
    ("z", "words"),
    [
        (np.zeros((0, 3)), "no latents"),
        (np.array(1.0), "no latents"),
        (np.array([[1.0, np.nan], [0.0, 1.0], [np.inf, 0.0]]), "in 2 rows"),
    ],
)
def test_what_cannot_be_shown_is_refused(z: NDArray[Any], words: str, made: "Made") -> None:
    with pytest.raises(IdkitError, match=words):
        latents.draw([made.write("z.npz", "latents", {"z": z})])
