"""How much work a minibatch is, which decides on the number of threads."""

from __future__ import annotations

from small_networks import network_of

from bstorch.threads import work_of_sample


def test_a_filter_is_used_at_each_place() -> None:
    picture = "z = ConvolutionalLayer {4, (3:3), pad = true, bias = false} (image) ; ce = ReduceSum (z .* z)"
    assert work_of_sample(network_of(picture)) == 3 * 3 * 2 * 4 * 8 * 8


def test_a_transposed_one_at_each_place_of_the_smaller_picture() -> None:
    picture = "z = ConvolutionTransposeLayer {2, (2:2), 2, stride = 2, bias = false} (image) ; ce = ReduceSum (z .* z)"
    assert work_of_sample(network_of(picture)) == 2 * 2 * 2 * 2 * 8 * 8


def test_other_weights_are_used_once() -> None:
    assert work_of_sample(network_of("z = LinearLayer {4} (x) ; ce = ReduceSum (z .* z)")) == 4 * 3 + 4
