"""Poolings of all kinds against maxima and means written down as loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import FRAMES, Operand, check, compiled, gradients, make_node, p, x
from numpy.typing import NDArray
from window_cases import along, places_of_maxima, pooled

from bsls.finding import BsError

POOLS = {
    "max": lambda inside, size: max(inside),
    "average": lambda inside, size: sum(inside) / len(inside),
    "including": lambda inside, size: sum(inside) / size,
}


def options(pool: str, kernel: tuple[int, ...], axes: list[dict]) -> dict[str, object]:
    """Attributes of a Pooling from what is said of each axis."""
    rows = [{"stride": 1, "auto": False, "lower": 0, "upper": 0} | a for a in axes]
    return {
        "pool": "average" if pool == "including" else pool,
        "poolIncludePad": pool == "including",
        "kernelShape": kernel,
        "strideShape": tuple(r["stride"] for r in rows),
        "dimPadding": tuple(r["auto"] for r in rows),
        "dimPadLower": tuple(r["lower"] for r in rows),
        "dimPadUpper": tuple(r["upper"] for r in rows),
        "ceilOut": any(r.get("ceil") for r in rows),
    }


def check_pooling(pool: str, image: tuple[int, ...], kernel: tuple[int, ...], axes: list[dict]) -> None:
    full = [*axes, *[{} for _ in image[len(axes) :]]]
    sizes = (*kernel, *(1 for _ in image[len(kernel) :]))
    windows = [along(d, k, **a) for d, k, a in zip(image, sizes, full, strict=True)]

    def expected(v: NDArray) -> NDArray:
        if v.ndim == len(image):
            return pooled(v, windows, POOLS[pool])
        return np.stack([pooled(f, windows, POOLS[pool]) for f in v])

    attributes = options(pool, kernel, axes)
    check("Pooling", [x(*image)], expected, attributes)
    check("Pooling", [Operand(image, framed=False)], expected, attributes)


AXES = [
    ((2, 2), [{"stride": 2}, {"stride": 2}]),
    ((2, 2), [{"auto": True}, {"auto": True}]),
    ((3, 3), [{"auto": True, "stride": 2}, {"auto": True, "stride": 2}]),
    ((2, 3), [{"auto": True, "stride": 2}, {}]),
    ((3, 2), [{"stride": 3}, {"auto": True}]),
    ((2, 2), [{"stride": 2, "ceil": True}, {"stride": 2, "ceil": True}]),
    ((3, 2), [{"stride": 2, "ceil": True}, {"ceil": True}]),
    ((3, 3), [{"lower": 1, "upper": 1}, {"lower": 1, "upper": 1}]),
    ((2, 2), [{"lower": 1, "upper": 0}, {"lower": 0, "upper": 1}]),
    ((3, 2), [{"lower": 1, "upper": 2}, {"lower": 1}]),
    ((3,), [{"auto": True}]),
]


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("kernel", "axes"), AXES)
def test_images(pool, kernel, axes):
    check_pooling(pool, (6, 5, 2), kernel, axes)


@pytest.mark.parametrize("pool", POOLS)
def test_other_ranks(pool):
    check_pooling(pool, (5,), (2,), [{"stride": 2}])
    check_pooling(pool, (5, 2), (2,), [{"auto": True}])
    check_pooling(pool, (4, 3, 4, 2), (2, 2, 3), [{"auto": True}, {}, {"auto": True}])
    check_pooling(pool, (3, 2, 3, 2), (2, 1, 2, 2), [{"auto": True}, {}, {}, {"auto": True}])  # over the channels, too
    check_pooling(pool, (3, 3, 4), (1, 1, 2), [{}, {}, {"stride": 2}])  # over the channels only


def test_kinds_of_pooling_ignore_case():
    check("Pooling", [x(4, 4, 1)], lambda v: v.max((2, 3), keepdims=True), {"pool": "Max", "kernelShape": (4, 4), "dimPadding": False})  # fmt: skip


def test_the_first_of_equal_maxima_gets_the_gradient():
    """The first axis runs fastest: cell (1, 0) before (0, 1)."""
    values = np.array([[0.0, 7.0, 1.0], [7.0, 7.0, 7.0], [0.0, 0.0, 0.0]])[None]
    attributes = options("max", (2, 2), [{}, {}])
    (found,) = gradients("Pooling", [x(3, 3, 1, values=values)], attributes)
    wanted = np.array([[0.0, 2.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(found, np.broadcast_to(wanted, (FRAMES, 1, 3, 3)))


def test_the_first_of_equal_maxima_in_many_axes():
    (found,) = gradients("Pooling", [x(2, 2, 2, 2, values=1.0)], options("max", (2, 2, 2, 2), [{}] * 4))
    assert found is not None
    assert found[0].flatten().tolist() == [1.0] + 15 * [0.0]


def test_random_geometries():
    generator = np.random.default_rng(5)
    for round_ in range(30):
        rank = int(generator.integers(1, 5))
        image = tuple(int(d) for d in generator.integers(1, 6, rank))
        kernel = tuple(int(generator.integers(1, d + 1)) for d in image)
        axes = [{"stride": int(generator.integers(1, 4)), "auto": bool(generator.integers(2))} for _ in image]
        check_pooling(list(POOLS)[round_ % 3], image, kernel, axes)


@pytest.mark.parametrize("frames", [0, 1])
@pytest.mark.parametrize("pool", POOLS)
def test_few_frames(pool, frames):
    for kernel in ((2, 2), (1, 1, 2), (2, 2, 2, 2)):
        dims = (3, 3, 2, 2)
        forward = compiled(make_node("Pooling", [x(*dims)], options(pool, kernel, [{"auto": True}] * len(kernel))))
        v = torch.ones(frames, *dims[::-1], dtype=torch.float64, requires_grad=True)
        value = forward(v)
        assert len(value) == frames
        value.sum().backward()


# --- unpooling -------------------------------------------------------------------------------------------------------


UNPOOLED = [
    ((4, 4, 2), (2, 2), [{"stride": 2}, {"stride": 2}]),
    ((5, 4, 1), (3, 2), [{"stride": 1}, {"stride": 2}]),  # windows overlap
    ((5, 4, 2), (2, 2), [{"auto": True, "stride": 1}, {"auto": True, "stride": 2}]),
    ((5, 4), (3, 3), [{"auto": True, "stride": 2}, {"auto": True, "stride": 3}]),
    ((2, 3, 2, 2), (2, 2, 2, 2), [{}, {"auto": True}, {}, {}]),
]


@pytest.mark.parametrize(("image", "kernel", "axes"), UNPOOLED)
@pytest.mark.parametrize("framed", [True, False])
def test_unpooling(image, kernel, axes, framed):
    full = [*axes, *[{} for _ in image[len(axes) :]]]
    sizes = (*kernel, *(1 for _ in image[len(kernel) :]))
    windows = [along(d, k, **a) for d, k, a in zip(image, sizes, full, strict=True)]
    small = tuple(len(w) for w in windows)

    def expected(v: NDArray, image_values: NDArray) -> NDArray:
        result = np.zeros_like(image_values)
        for frame in np.ndindex(*image_values.shape[: int(framed)]):
            for place, best in places_of_maxima(image_values[frame], windows):
                result[(*frame, *best)] = v[(*frame, *place)]  # the last one stays
        return result

    attributes = {k: v for k, v in options("max", kernel, axes).items() if k not in ("pool", "ceilOut")}
    operands = [Operand(small, framed), Operand(image, framed)]
    check("MaxUnpooling", operands, expected, attributes, gradient=False)

    outer = np.random.default_rng(3).uniform(-1, 1, (*((FRAMES,) if framed else ()), *image[::-1]))
    found, nothing = gradients("MaxUnpooling", operands, attributes, outer=outer)
    frames = outer if framed else outer[None]
    largest = np.stack([pooled(f, windows, POOLS["max"]) for f in frames])
    np.testing.assert_array_equal(found, largest if framed else largest[0])
    assert nothing is None


def test_unpooling_into_an_image_without_frames():
    attributes = {"kernelShape": (2, 2), "strideShape": (2, 2), "dimPadding": False}
    node = make_node("MaxUnpooling", [x(1, 1, 1), p(2, 2, 1)], attributes)
    image = torch.tensor([[[1.0, 2.0], [5.0, 3.0]]], dtype=torch.float64)
    for frames in (0, 3):
        found = compiled(node)(torch.ones(frames, 1, 1, 1, dtype=torch.float64), image)
        assert found.tolist() == frames * [[[[0.0, 0.0], [1.0, 0.0]]]]


# --- older and special forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("op", "pool"), [("MaxPooling", "max"), ("AveragePooling", "average")])
def test_old_poolings(op, pool):
    attributes = {"windowWidth": 3, "windowHeight": 2, "horizontalSubsample": 2, "verticalSubsample": 1}
    windows = [along(6, 3, 2), along(4, 2), along(2, 1)]

    def expected(v: NDArray) -> NDArray:
        return np.stack([pooled(f, windows, POOLS[pool]) for f in v])

    check(op, [x(6, 4, 2)], expected, attributes)

    def channels_first(v: NDArray) -> NDArray:
        return expected(v.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)

    check(op, [x(2, 6, 4)], channels_first, attributes | {"imageLayout": "HWC"})


def regions_pooled(image: NDArray, regions: NDArray, columns: int, rows: int, scale: float) -> NDArray:
    """One image (C, H, W) and its regions (R, 4) to (R, C, rows, columns)."""
    channels, high, wide = image.shape
    result = np.zeros((len(regions), channels, rows, columns))
    for r, corners in enumerate(regions):
        x1, y1, x2, y2 = (int(np.floor(c * scale + 0.5)) for c in corners)
        width, height = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
        for j, i in np.ndindex(rows, columns):
            left, right = x1 + i * width // columns, x1 - (-(i + 1) * width // columns)
            top, bottom = y1 + j * height // rows, y1 - (-(j + 1) * height // rows)
            cell = image[:, max(top, 0) : max(min(bottom, high), 0), max(left, 0) : max(min(right, wide), 0)]
            if cell.size:
                result[r, :, j, i] = cell.max((1, 2))
    return result


@pytest.mark.parametrize(("columns", "rows", "scale"), [(2, 2, 1.0), (3, 2, 1.0), (2, 3, 0.5), (4, 4, 2.0)])
def test_regions(columns, rows, scale):
    """Within the image, at its border, outside of it, of one cell, and turned round."""
    regions = np.array([[0, 0, 5, 4], [1, 2, 2, 2], [3, 1, 9, 9], [8, 8, 9, 9], [2, 2, 2, 2], [4, 3, 3, 3]], np.float64)
    attributes = {"roiOutputShape": (columns, rows), "featureScale": scale}
    operands = [x(6, 5, 2), x(4, len(regions), values=regions)]
    check(
        "ROIPooling", operands,
        lambda v, r: np.stack([regions_pooled(*pair, columns, rows, scale) for pair in zip(v, r, strict=True)]),
        attributes, gradient=False,
    )  # fmt: skip
    forward = compiled(make_node("ROIPooling", operands, attributes))
    v, r = (torch.tensor(o.array(np.random.default_rng(1))) for o in operands)
    assert torch.autograd.gradcheck(lambda v: forward(v, r), (v.requires_grad_(True),))


def test_regions_without_frames():
    attributes = {"roiOutputShape": (1, 1), "featureScale": 1.0}
    node = make_node("ROIPooling", [x(3, 2, 1), p(4, 1)], attributes)
    region = torch.tensor([[1.0, 0.0, 2.0, 0.0]], dtype=torch.float64)
    for frames in (0, 2):
        image = torch.arange(6.0 * frames, dtype=torch.float64).view(frames, 1, 2, 3)
        assert compiled(node)(image, region).flatten().tolist() == [2.0, 8.0][:frames]


def test_regions_have_maxima_only():
    node = make_node("ROIPooling", [x(3, 3, 1), x(4, 1)], {"roiOutputShape": (1, 1), "pool": "average"})
    with pytest.raises(BsError, match="only be pooled by their maxima"):
        compiled(node)
