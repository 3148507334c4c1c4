"""Softmax kernels: over all elements of a sample."""

from __future__ import annotations

import numpy as np
from kernel_cases import check, gradients, p, x


def softmax(a):
    flat = a.reshape(a.shape[0], -1)
    powers = np.exp(flat - flat.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_softmax():
    check("Softmax", [x(5)], softmax)
    check("Softmax", [x(3, 2)], softmax)
    check("LogSoftmax", [x(5)], lambda a: np.log(softmax(a)))
    check("LogSoftmax", [x(3, 2)], lambda a: np.log(softmax(a)))


def test_without_frames_the_whole_value_is_one_sample():
    check("Softmax", [p(3, 2)], lambda a: softmax(a[None]))


def test_hardmax_marks_the_first_of_equal_maxima():
    check("Hardmax", [x(4, values=[[1, 3, 3, 0]])], lambda a: np.broadcast_to([0, 1, 0, 0], a.shape), gradient=False)
    assert gradients("Hardmax", [x(4)])[0] is None
