"""Text that `write` makes: the three sequences of lengths 3, 1 and 2 that the reference's manual case has."""

from __future__ import annotations

import numpy as np
import pytest

from bsls.config import parse_config
from bsls.finding import BsError
from bstorch.text_output import TextOutput, Warner, read_format

Y = [np.array([[2, 4], [6, 8], [10, 12]]), np.array([[0, 2]]), np.array([[18, 18], [14, 16]])]


def text(block: str, values=Y, dims=(2,), name: str = "y", minibatch: int = 0, most: tuple[int, ...] = ()) -> str:
    form = read_format(parse_config(f"format = [ {block} ]"))
    output = TextOutput(name, dims, form, Warner(lambda line: None), *most)
    return output.minibatch(minibatch, [np.asarray(v, np.float64) for v in values])


def lines(*found: str) -> str:
    return "".join(f"{line}\n" for line in found)


def test_default():
    assert text("") == lines(
        "2.000000 4.000000",
        "6.000000 8.000000",
        "10.000000 12.000000",
        "0.000000 2.000000",
        "18.000000 18.000000",
        "14.000000 16.000000",
    )


def test_an_element_a_line():
    assert text("transpose = false ; precisionFormat = .1") == lines(
        "2.0 6.0 10.0", "4.0 8.0 12.0", "0.0", "2.0", "18.0 14.0", "18.0 16.0"
    )
    tensor = [np.array([[1, 2], [3, 4]])]
    assert text("transpose = false ; precisionFormat = .1", tensor, (1, 2)) == lines("[0,0]\t1.0 3.0", "[0,1]\t2.0 4.0")


def test_only_so_much():
    wide = [np.arange(12.0).reshape(3, 4)]
    assert text("precisionFormat = .0", wide, (4,), most=(2, 1)) == lines("0 1 ...+2", "...+2")
    assert text("precisionFormat = .0", wide, (4,), most=(3, 2)) == lines("0 1 2 3", "4 5 6 7", "8 9 10 11")
    turned = "transpose = false ; precisionFormat = .0"
    assert text(turned, wide, (2, 2), most=(2, 1)) == lines("[0,0]\t0 ...+2", "[1,0]\t1 ...+2", "...+2")


def test_placeholders():
    block = r'sequencePrologue = "<%s|%x|%d|%n>" ; sampleSeparator = "/%d %x/" ; sequenceEpilogue = "</%d %n>\n" ; elementSeparator = "," ; precisionFormat = ".1"'
    assert text(block) == lines(
        "<y|2 3|0|0>2.0,4.0/0 2 3/6.0,8.0/0 2 3/10.0,12.0</%d 0>",
        "<y|2 1|1|0>0.0,2.0</%d 0>",
        "<y|2 2|2|0>18.0,18.0/2 2 2/14.0,16.0</%d 0>",
    )


def test_categories_take_the_last_of_equal_maxima():
    assert text("type = category", [np.array([[0, 1, 1], [5, 1, 1]])], (3,)) == lines("2", "0")


def test_labels(tmp_path):
    names = tmp_path / "names"
    names.write_text("aa\n bb \ncc\n")
    block = f"labelMappingFile = {names}"
    assert text(f"type = category ; {block}", [np.array([[0, 1, 0]])], (3,)) == "bb\n"
    assert text(f"type = category ; {block}", [np.array([[0, 1]])], (2,)) == "1\n"  # the counts differ
    assert text(f"type = sparse ; {block}", [np.array([[0, 2, 1]])], (3,)) == lines("2.000000[1=bb]", "[2=cc]")


def test_sparse():
    values = [np.array([[0, 1, 0, 2.5], [1, 0, 0, 0], [0, 0, -1, 0]])]
    assert text("type = sparse", values, (4,)) == lines("[0;1]", "[1;0]", "-1.000000[2;2]", "2.500000[3;0]")
    assert text("type = sparse ; transpose = false", values, (4,)) == "[1;0] 2.500000[3;0] [0;1] -1.000000[2;2]\n"


def test_type_counts_in_the_block_itself_only():
    outer = parse_config("type = category\nformat = [ precisionFormat = .1 ]")
    assert read_format(outer).kind == "real"


def test_negative_zero_is_zero():
    assert text("precisionFormat = .1", [np.array([[-0.0]])], (1,)) == "0.0\n"


def test_blanks_around_a_separator_are_lost():
    assert text('elementSeparator = ", " ; precisionFormat = .0', [np.array([[1, 2]])]) == "1,2\n"
    assert text(r'elementSeparator = ",\s" ; precisionFormat = .0', [np.array([[1, 2]])]) == "1, 2\n"


@pytest.mark.parametrize("block", ["type = words", "precisionFormat = abc"])
def test_mistakes(block):
    with pytest.raises(BsError) as caught:
        text(block)
    assert caught.value.finding.rule == "config-value"
