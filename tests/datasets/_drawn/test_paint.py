from dataclasses import replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ordbench_datasets._drawn import paint as painting
from ordbench_datasets._drawn.age import anatomy_of
from ordbench_datasets._drawn.chance import BACKDROPS, scene_of
from ordbench_datasets._drawn.paint import SIDE, paint, png
from ordbench_datasets._drawn.shapes import Shape, oval


def picture(age: float, number: int = 0) -> Image.Image:
    return paint(age, np.random.default_rng((5, number)))


def test_a_picture_is_small_and_coloured() -> None:
    assert (picture(30).size, picture(30).mode) == ((SIDE, SIDE), "RGB")


def test_the_same_draw_gives_the_same_picture_and_another_gives_another() -> None:
    assert picture(30).tobytes() == picture(30).tobytes()
    assert picture(30).tobytes() != picture(30, 1).tobytes()


def test_one_person_at_two_ages_differs_in_the_face() -> None:
    young, old = (np.asarray(picture(age), dtype=float).mean(2) for age in (20, 80))
    changed = np.abs(young - old) > 20
    assert changed[16:48, 16:48].mean() > 2 * changed[:, :8].mean()


def test_png_keeps_every_pixel() -> None:
    drawn = picture(50)
    assert Image.open(BytesIO(png(drawn))).tobytes() == drawn.tobytes()


def projected(x: float, y: float, **changes: float) -> NDArray[np.float64]:
    """Where a tiny disc of the face comes to lie, in pixels of the finished picture."""
    rng = np.random.default_rng(0)
    anatomy = replace(anatomy_of(30, rng), skull=1.5, chin=1.5)
    still = {"scale": 20.0, "roll": 0.0, "yaw": 0.0, "pitch": 0.0}
    scene = replace(scene_of(rng), shift=(0.0, 0.0), **(still | changes))
    shape = Shape(oval(x, y, 1e-6, 1e-6), (0, 0, 0))
    corners = painting._project([shape], anatomy, scene)
    return corners.mean(0) / painting._FINE


def test_the_camera_scales_tilts_and_turns() -> None:
    np.testing.assert_allclose(projected(0.5, 1), (42, 52), atol=1e-3)
    np.testing.assert_allclose(projected(0.5, 1, roll=np.pi / 2), (12, 42), atol=1e-3)
    # What stands out of the picture most, the middle of the face, moves most.
    assert projected(0, 0, yaw=0.2)[0] - 32 > projected(0.9, 0, yaw=0.2)[0] - 50 > 0
    np.testing.assert_allclose(projected(1.2, 0, yaw=0.2), (56, 32), atol=1e-3)


def test_every_backdrop_but_the_plain_one_has_two_colours_and_no_more_than_it_needs() -> None:
    scene = replace(scene_of(np.random.default_rng(1)), colours=((0, 0, 0), (255, 255, 255)))
    for name in BACKDROPS:
        drawn = painting.backdrop(replace(scene, backdrop=name), np.random.default_rng(2))
        seen = len(drawn.getcolors(1 << 16) or [])
        assert seen == 1 if name == "plain" else seen >= 2, name


def test_light_comes_from_its_side_and_values_do_not_wrap() -> None:
    scene = replace(scene_of(np.random.default_rng(1)), light=(0.4, 0.0), noise=0.0, tint=(1, 1, 2))
    grey = np.full((SIDE, SIDE, 3), 150, dtype=np.uint8)
    lit = painting._expose(grey, scene, np.random.default_rng(0))
    assert lit[:, 0, 0].tolist() == [90] * SIDE  # 150 * 0.6
    assert lit[:, -1, 0].tolist() == [210] * SIDE  # 150 * 1.4
    assert lit[:, -1, 2].tolist() == [255] * SIDE
