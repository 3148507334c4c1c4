"""Products: contractions over several axes, one matrix per frame, sparse operands, the affine map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import check, compiled, make_node, p, x

from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch, SparseBatch


def test_matrix_times_vectors():
    """[2 x 3] * [3 x *]: the tensors are (3, 2) and (frames, 3)."""
    check("Times", [p(2, 3), x(3)], lambda a, b: b @ a, {"outputRank": 1, "inferInputRankToMap": -1})


def test_several_axes_are_reduced_or_mapped():
    options = {"outputRank": 1, "inferInputRankToMap": -1}
    check("Times", [p(2, 3, 4), x(3, 4)], lambda a, b: np.einsum("kjo,nkj->no", a, b), options)
    check("Times", [p(2, 3), x(3, 4)], lambda a, b: np.einsum("jo,nkj->nko", a, b), options)
    check("Times", [p(2, 5, 3), x(3)], lambda a, b: np.einsum("jqo,nj->nqo", a, b), options | {"outputRank": 2})
    check("Times", [p(2), x(3)], lambda a, b: np.einsum("o,nk->nko", a, b), options)
    check("Times", [p(2, 3), p(3, 4)], lambda a, b: b @ a, options)


def test_one_matrix_per_frame():
    options = {"outputRank": 1, "inferInputRankToMap": -1}
    check("Times", [x(2, 3), x(3)], lambda a, b: np.einsum("njo,nj->no", a, b), options)
    check("Times", [x(2, 3), p(3)], lambda a, b: np.einsum("njo,j->no", a, b), options)


def test_transpose_times():
    check("TransposeTimes", [p(3, 2), x(3)], lambda a, b: b @ a.T, {"outputRank": 1})
    check("TransposeTimes", [x(3), x(3)], lambda a, b: (a * b).sum(1), {"outputRank": 1})


def test_cosine():
    check("CosDistance", [x(3), x(3)], lambda a, b: (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1)))


def test_table_of_words():
    """Two vectors [3] in one of 6 elements, each times the table [2 x 3]."""
    check("LookupTable", [p(2, 3), x(6)], lambda a, b: (b.reshape(-1, 2, 3) @ a).reshape(-1, 4))


def test_column_wise_product():
    check("KhatriRaoProduct", [x(2), x(3)], lambda a, b: (b[:, :, None] * a[:, None, :]).reshape(len(a), -1))


def sparse_batch() -> SparseBatch:
    """Two frames of dim 4: {1: 2, 3: -1} and {0: 5}."""
    return SparseBatch(
        torch.tensor([1, 3, 0]), torch.tensor([2.0, -1.0, 5.0], dtype=torch.float64), torch.tensor([0, 2, 3]), 4
    )


def test_sparse_operand_gives_a_sparse_gradient():
    forward = compiled(make_node("Times", [p(3, 4), x(4)], {"outputRank": 1, "inferInputRankToMap": -1}))
    weights = torch.arange(12, dtype=torch.float64).view(4, 3).requires_grad_(True)
    batch = sparse_batch()
    value = forward(weights, batch)
    np.testing.assert_allclose(value.detach(), batch.dense() @ weights.detach())
    (gradient,) = torch.autograd.grad(value.sum(), weights)
    assert gradient.is_sparse
    np.testing.assert_array_equal(gradient.coalesce().indices()[0], [0, 1, 3])
    np.testing.assert_allclose(gradient.to_dense()[:, 0], [5, 2, 0, -1])


def affine_network(sparse: bool, bias_dims: tuple[int, ...]) -> tuple[Network, Node]:
    network = Network("double")
    kind = "SparseInputValue" if sparse else "InputValue"
    weights = ArrayWeights(np.arange(12.0).reshape(4, 3))
    features = Node(kind, "x", attributes={"dims": (4,), "dynamicAxis": ""}, precision="double")
    w = Node("LearnableParameter", "W", attributes={"dims": (3, 4)}, precision="double", value=weights)
    bias = ArrayWeights(np.array([1.0, 2.0, 3.0]).reshape(bias_dims[::-1]))
    b = Node("LearnableParameter", "b", attributes={"dims": bias_dims}, precision="double", value=bias)
    product = Node("Times", "t", [w, features], {"outputRank": 1, "inferInputRankToMap": -1}, "double")
    z = Node("Plus", "z", [product, b], precision="double")
    for node in (features, w, b, product, z):
        network.add(node)
    assert not validate(network).findings
    return network, z


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("bias_dims", [(3,), (3, 1)])
def test_product_and_bias_run_as_one(sparse, bias_dims):
    network, z = affine_network(sparse, bias_dims)
    program = Program(network, [z], Parameters(network))
    assert len(program._all) == 1
    batch = sparse_batch()
    value = batch if sparse else batch.dense()
    layout = MinibatchLayout.of_frames(2)
    (found,) = program.forward(Minibatch({"x": value}, {"x": layout}, 2))
    expected = batch.dense().numpy() @ np.arange(12.0).reshape(4, 3) + [1, 2, 3]
    np.testing.assert_allclose(found.numpy().reshape(2, 3), expected)


def test_product_that_others_need_stays_apart():
    network, z = affine_network(False, (3,))
    program = Program(network, [z, network["t"]], Parameters(network))
    assert len(program._all) == 2


def test_products_in_fixed_point():
    a = np.array([[0.5, -1.25], [2.0, 0.3], [-0.7, 0.1]])  # [2 x 3]
    values = np.array([[0.1, -0.2, 0.3], [1.0, 2.0, -4.0], [0, 0, 0], [0.7, 0.5, 0.25]])

    def formula(a, x):
        unit_a, unit_x = np.abs(a).max() * 2 / 32767, np.abs(x).max() * 4 / 32767
        return (np.round(x / unit_x) @ np.round(a / unit_a)) * unit_x * unit_a

    shifts = {"bitShiftA": 1, "bitShiftB": 2}
    check("QuantizedTimes", [p(2, 3, values=a), x(3, values=values)], formula, shifts, gradient=())
    check("QuantizedTimes", [p(2, 3, values=0.0), x(3)], lambda a, x: np.zeros((len(x), 2)), shifts, gradient=())
    node = make_node("QuantizedTimes", [p(2, 3, values=a), x(3)], shifts)
    found = compiled(node)(torch.ones(3, 2, requires_grad=True), torch.ones(4, 3, requires_grad=True))
    assert not found.requires_grad
