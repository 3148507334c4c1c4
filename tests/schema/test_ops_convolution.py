from __future__ import annotations

import pytest
from op_cases import context, error_of, shape_of

from bsls.schema.ops import OPS
from bsls.schema.ops.geometry import Window
from bsls.shape import Shape

INNER = (True, True, False)
"""Automatic padding of width and height, not of the channels."""


@pytest.mark.parametrize(
    ("operands", "kernel", "maps", "attributes", "result"),
    [
        ("W[3 x 3 x 2 x 3], [5 x 4 x 2 x *]", (3, 3, 2), 3, {"dimPadding": (False,)}, "[3 x 2 x 3 x *]"),
        ("W[3 x 3 x 2 x 3], [5 x 4 x 2 x *]", (3, 3, 2), 3, {"dimPadding": INNER}, "[5 x 4 x 3 x *]"),
        (
            "W[3 x 3 x 2 x 3], [5 x 4 x 2 x *]",
            (3, 3, 2),
            3,
            {"dimPadding": INNER, "strideShape": (2, 2, 2)},
            "[3 x 2 x 3 x *]",
        ),
        (
            "W[3 x 3 x 2 x 3], [5 x 4 x 2 x *]",
            (3, 3, 2),
            3,
            {"dimPadding": (False,), "strideShape": (2, 1, 2)},
            "[2 x 2 x 3 x *]",
        ),
        (
            "W[3 x 3 x 2 x 3], [5 x 4 x 2 x *]",
            (3, 3, 2),
            3,
            {"dimPadding": (False,), "dimPadLower": (2, 0, 0), "dimPadUpper": (1, 1, 0)},
            "[6 x 3 x 3 x *]",
        ),
        ("W[2 x 2 x 2 x 2], [5 x 4 x 2 x *]", (2, 2, 2), 2, {"dimPadding": INNER}, "[5 x 4 x 2 x *]"),
        (
            "W[2 x 2 x 2 x 2], [5 x 4 x 2 x *]",
            (2, 2),
            2,
            {"dimPadding": (False,), "strideShape": (2, 2)},
            "[2 x 2 x 2 x *]",
        ),
        (
            "W[3 x 3 x 2], [8 x 3 x *]",
            (3, 3),
            2,
            {"dimPadding": (True, False), "strideShape": (1, 3)},
            "[8 x 2 x *]",
        ),
        (
            "W[3 x 3 x 2], [8 x 3 x *]",
            (3, 3),
            2,
            {"dimPadding": (False,), "strideShape": (2, 3)},
            "[3 x 2 x *]",
        ),
        (
            "W[2 x 2 x 2 x 2 x 3], [3 x 2 x 2 x 2 x *]",
            (2, 2, 2, 2),
            3,
            {"dimPadding": (True, True, True, False), "strideShape": (1, 1, 1, 2)},
            "[3 x 2 x 2 x 3 x *]",
        ),
        (
            "W[2 x 2 x 2 x 2 x 3], [3 x 2 x 2 x 2 x *]",
            (2, 2, 2, 2),
            3,
            {"dimPadding": (False,)},
            "[2 x 1 x 1 x 3 x *]",
        ),
        (
            "W[3 x 3 x 0 x 4], [6 x 6 x 2 x *]",
            (3, 3),
            4,
            {},
            "[6 x 6 x 4 x *] | [3 x 3 x 2 x 4], [6 x 6 x 2 x *]",
        ),
        ("W[0 x 0], [6 x 6 x 2 x *]", (3, 3), 4, {}, "[6 x 6 x 4 x *] | [4 x 18], [6 x 6 x 2 x *]"),
        ("W[0], [6 x 6 x 2 x *]", (3, 3), 4, {}, "[6 x 6 x 4 x *] | [3 x 3 x 2 x 4], [6 x 6 x 2 x *]"),
        ("W[4 x 18], [6 x 6 x 2 x *]", (3, 3), 4, {}, "[6 x 6 x 4 x *]"),
        (
            "W[3 x 3 x 2 x 144], [6 x 6 x 2 x *]",
            (3, 3),
            4,
            {"dimSharing": (False, False, True)},
            "[6 x 6 x 4 x *]",
        ),
        (
            "W[3 x 3 x 2 x 4], [7 x 7 x 2 x *]",
            (3, 3),
            4,
            {"dimDilation": (2, 2, 1), "dimPadding": (False,)},
            "[3 x 3 x 4 x *]",
        ),
        (
            "W[4 x 18], [2 x 6 x 5 x *]",
            (3, 3, 1),
            4,
            {"convolution2D": True, "imageLayout": "HWC", "strideShape": (1, 1, 1)},
            "[4 x 6 x 5 x *]",
        ),
        (
            "W[4 x 0], [6 x 5 x 2 x *]",
            (3, 3, 1),
            4,
            {"convolution2D": True, "strideShape": (1, 1, 1), "dimPadding": (False,)},
            "[4 x 3 x 4 x *] | [4 x 18], [6 x 5 x 2 x *]",
        ),
    ],
)
def test_convolution(operands, kernel, maps, attributes, result):
    assert shape_of("Convolution", operands, kernelShape=kernel, mapCount=(maps,), **attributes) == result


@pytest.mark.parametrize(
    ("operands", "kernel", "maps", "attributes", "result"),
    [
        (
            "W[2 x 2 x 1 x 4], [6 x 5 x 4 x *]",
            (2, 2, 1),
            4,
            {"strideShape": (2, 2, 1), "dimPadding": (False,)},
            "[12 x 10 x 1 x *]",
        ),
        ("W[2 x 2 x 2 x 2], [2 x 2 x 2 x *]", (2, 2, 2), 2, {"dimPadding": (False,)}, "[3 x 3 x 2 x *]"),
        (
            "W[2 x 2 x 3 x 1], [2 x 2 x 1 x *]",
            (2, 2, 3),
            1,
            {"strideShape": (2, 2, 3), "dimPadding": (False,)},
            "[4 x 4 x 3 x *]",
        ),
        (
            "W[3 x 3 x 3 x 1], [2 x 2 x 1 x *]",
            (3, 3, 3),
            1,
            {"strideShape": (2, 2, 3), "dimPadding": INNER},
            "[3 x 3 x 3 x *]",
        ),
        (
            "W[3 x 3 x 3 x 1], [2 x 2 x 1 x *]",
            (3, 3, 3),
            1,
            {"strideShape": (2, 2, 3), "dimPadding": INNER, "dimOutputShape": (4, 4, 3)},
            "[4 x 4 x 3 x *]",
        ),
    ],
)
def test_transposed_convolution(operands, kernel, maps, attributes, result):
    given = {"kernelShape": kernel, "mapCount": (maps,), "transpose": True, **attributes}
    assert shape_of("Convolution", operands, **given) == result


@pytest.mark.parametrize(
    ("image", "kernel", "attributes", "result"),
    [
        ("[8 x 8 x 4 x *]", (2, 2), {"strideShape": (2, 2)}, "[4 x 4 x 4 x *]"),
        ("[6 x 5 x 4 x *]", (2, 2), {"strideShape": (2, 2)}, "[3 x 3 x 4 x *]"),
        ("[6 x 5 x 4 x *]", (2, 2), {"strideShape": (2, 2), "dimPadding": (False,)}, "[3 x 2 x 4 x *]"),
        ("[6 x 5 x 4 x *]", (2, 2), {"strideShape": (2,), "dimPadding": (False,), "ceilOut": True}, "[3 x 3 x 4 x *]"),
        ("[4 x 1 x 1 x *]", (3, 1), {"pool": "Average"}, "[4 x 1 x 1 x *]"),
        ("[9 x *]", (3,), {"strideShape": (3,), "dimPadding": (False,)}, "[3 x *]"),
    ],
)
def test_pooling(image, kernel, attributes, result):
    assert shape_of("Pooling", image, **{"pool": "max", "kernelShape": kernel, **attributes}) == result


@pytest.mark.parametrize(
    ("operation", "operands", "attributes", "result"),
    [
        (
            "MaxUnpooling",
            "[2 x 2 x 1 x *], [4 x 4 x 1 x *]",
            {"kernelShape": (2, 2), "strideShape": (2, 2), "dimPadding": (False,)},
            "[4 x 4 x 1 x *]",
        ),
        ("ROIPooling", "[6 x 6 x 2 x *], [4 x 2 x *]", {"roiOutputShape": (3, 3)}, "[3 x 3 x 2 x 2 x *]"),
    ],
)
def test_other_pooling(operation, operands, attributes, result):
    assert shape_of(operation, operands, **attributes) == result


OLD_WINDOW = {"windowWidth": 2, "windowHeight": 3, "horizontalSubsample": 2, "verticalSubsample": 1}


@pytest.mark.parametrize(
    ("image", "layout", "result"),
    [("[7 x 5 x 3 x *]", "CHW", "[3 x 3 x 3 x *]"), ("[3 x 7 x 5 x *]", "legacy", "[3 x 3 x 3 x *]")],
)
def test_old_pooling(image, layout, result):
    assert shape_of("MaxPooling", image, imageLayout=layout, **OLD_WINDOW) == result
    assert shape_of("AveragePooling", image, imageLayout=layout, **OLD_WINDOW) == result


@pytest.mark.parametrize(
    ("operation", "operands", "attributes", "words"),
    [
        (
            "Convolution",
            "W[5 x 5 x 4 x 6], [4 x 4 x 4 x *]",
            {"kernelShape": (5, 5), "mapCount": (6,), "dimPadding": (False,)},
            "a window of 5 does not fit into axis 1, which has 4 cells",
        ),
        ("Convolution", "W[0], [4 x *]", {"kernelShape": (3, 3), "mapCount": (6,)}, "of rank 2 cannot slide over"),
        (
            "Convolution",
            "W[3 x 3 x 2 x 4], [6 x 6 x 2 x *]",
            {"kernelShape": (3, 3, 2), "mapCount": (4,)},
            "the channels, which are the last axis, would be padded",
        ),
        (
            "Convolution",
            "W[3 x 3 x 2 x 5], [6 x 6 x 2 x *]",
            {"kernelShape": (3, 3), "mapCount": (4,)},
            "they would have to be [3 x 3 x 2 x 4]: window, input channels, output channels",
        ),
        (
            "Convolution",
            "W[3 x 3 x 2 x 4], [6 x 6 x 2 x *]",
            {"kernelShape": (3, 3), "mapCount": (4,), "dimOutputShape": (6, 6, 5)},
            "is not what the convolution gives, [6 x 6 x 4]",
        ),
        (
            "Convolution",
            "W[3 x 3 x 3 x 1], [2 x 2 x 1 x *]",
            {
                "kernelShape": (3, 3, 3),
                "mapCount": (1,),
                "strideShape": (2, 2, 3),
                "dimPadding": INNER,
                "transpose": True,
                "dimOutputShape": (6, 6, 3),
            },
            "of the output shape [6 x 6 x 3] gives [3 x 3 x 1], not the operand",
        ),
        (
            "Convolution",
            "W[3 x 3 x 2 x 4], [6 x 6 x 2 x *]",
            {"kernelShape": (3, 3), "mapCount": (4,), "strideShape": (3,), "dimPadding": (False,), "dimPadLower": (1,)},
            "leave cells of axis 1 out",
        ),
        ("Pooling", "[6 x 6 x 2 x *]", {"pool": "min", "kernelShape": (2, 2)}, "no kind of pooling 'min'"),
        ("Pooling", "[6 x 6 x 2 x *]", {"pool": "max", "kernelShape": (2, 2), "imageLayout": "HWC"}, "layout CHW"),
        ("Pooling", "[6 x *]", {"pool": "max", "kernelShape": (2, 2)}, "the window needs at most 1 axes"),
        (
            "MaxUnpooling",
            "[3 x 3 x 1 x *], [4 x 4 x 1 x *]",
            {"kernelShape": (2, 2), "strideShape": (2,)},
            "[2 x 2 x 1]",
        ),
        ("MaxPooling", "[7 x 2 x 3 x *]", OLD_WINDOW, "a window of 3 in steps of 1 does not fit"),
        ("MaxPooling", "[7 x 2 x *]", OLD_WINDOW, "is no image of three axes"),
        ("ROIPooling", "[2 x 6 x 2 x *], [4 x 2 x *]", {"roiOutputShape": (3, 3)}, "is larger than 'a'"),
        ("ROIPooling", "[6 x 6 x 2 x *], [5 x 2 x *]", {"roiOutputShape": (3, 3)}, "must be [4 x regions per image]"),
    ],
)
def test_wrong_window(operation, operands, attributes, words):
    assert words in error_of(operation, operands, **attributes)


def test_before_the_image_is_known():
    given = {"kernelShape": (3, 3), "mapCount": (4,)}
    assert str(OPS["Convolution"].shape(context("Convolution", "W[0], []", given))) == "[]"
    assert str(OPS["Convolution"].shape(context("Convolution", "W[0], [6 x 6 x 0]", given))) == "[6 x 6 x 0]"
    assert (
        str(OPS["ROIPooling"].shape(context("ROIPooling", "[], []", {"roiOutputShape": (2, 2)}))) == "[2 x 2 x 1 x 1]"
    )


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [(6, 3, 1, (1, 1)), (6, 2, 1, (0, 1)), (6, 3, 2, (1, 0)), (5, 3, 2, (1, 1)), (6, 2, 2, (0, 0)), (6, 1, 4, (0, -1))],
)
def test_automatic_padding(size, kernel, stride, padding):
    window = Window.of({"kernelShape": (kernel,), "strideShape": (stride,)}, (size,), pooling=True)
    assert (window.lower_padding(0, (size,)), window.upper_padding(0, (size,))) == padding


def test_files_hold_completed_vectors():
    x = Shape((6, 6, 3))
    stored = OPS["Convolution"].stored
    assert stored
    attributes = {"kernelShape": (5, 5), "strideShape": (1,), "dimPadding": (True,), "mapCount": (32,)}
    assert stored(attributes, [Shape((5, 5, 3, 32)), x], Shape((6, 6, 32))) == {
        "kernelShape": (5, 5, 3),
        "strideShape": (1, 1, 3),
        "dimPadding": (True, True, False),
        "dimPadLower": (0, 0, 0),
        "dimPadUpper": (0, 0, 0),
        "dimSharing": (True, True, True),
    }
    stored = OPS["Pooling"].stored
    assert stored
    assert stored({"kernelShape": (2, 2), "strideShape": (2,)}, [x], x)["strideShape"] == (2, 2, 1)


def test_two_dimensional_convolutions_of_old_files():
    op = OPS["Convolution"]
    assert op.upgrade
    old: dict[str, object] = {
        "kernelWidth": 5, "kernelHeight": 4, "horizontalSubsample": 2, "verticalSubsample": 1, "maps": 8,
        "zeroPadding": True, "imageLayout": "HWC",
    }  # fmt: skip
    op.upgrade(old, 4)
    assert old == {
        "kernelShape": (5, 4, 1), "strideShape": (2, 1, 1), "mapCount": (8,), "dimPadding": (True,),
        "convolution2D": True, "imageLayout": "HWC",
    }  # fmt: skip
