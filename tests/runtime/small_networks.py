"""Networks of several kinds, described in BrainScript, and their values and gradients on a minibatch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from test_kernels_delays import packed

from bsls.evaluate.brainscript import evaluate_network
from bsls.evaluate.environment import Counters
from bsls.evaluate.environment import Environment as Evaluation
from bsls.network.network import Network
from bsls.source import ExpandedText, Source
from bstorch.kernels.base import Environment, dtype_of, elements
from bstorch.kernels.noise import Dropout, RandomOperation
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch, SparseBatch

AROUND = """{
    sourceAxis = DynamicAxis ()
    x = Input {3} ; y = Input {3, dynamicAxis = sourceAxis} ; image = Input {(8:8:2)} ; word = Input {20, sparse = true} ; label = Input {4}
    BODY
    criterionNodes = (ce) ; outputNodes = (z)
}"""
CLASSES = "; ce = CrossEntropyWithSoftmax (label, z)"
SUM = "; ce = ReduceSum (z .* Tanh (z))"
NETWORKS = {
    "mlp": "z = Sequential (DenseLayer {8, activation = ReLU} : DenseLayer {8, activation = Sigmoid} : LinearLayer {4}) (x)"
    + CLASSES,
    "convolution": """
        block (maps) = Sequential (ConvolutionalLayer {maps, (3:3), pad = true, bias = false}
            : BatchNormalizationLayer {spatialRank = 2, normalizationTimeConstant = 10} : ReLU)
        z = Sequential (block (4) : MaxPoolingLayer {(2:2), stride = 2} : block (4) : block (4) : LinearLayer {4}) (image)
        """
    + CLASSES,
    "forwards": "z = Sequential (RecurrentLSTMLayer {5} : LinearLayer {4}) (x)" + CLASSES,
    "backwards": "z = Sequential (RecurrentLSTMLayer {5, goBackwards = true} : LinearLayer {4}) (x)" + CLASSES,
    "words": "z = Sequential (EmbeddingLayer {5} : RecurrentLSTMLayer {5} : LinearLayer {4}) (word)" + CLASSES,
    "gated": """
        W (n) = ParameterTensor {(n:4), initValueScale = 10}
        Rh = W (4) ; Gh = W (4) ; Ch = W (4) ; x4 = ParameterTensor {(4:3)} * x ; last = PastValue (4, z)
        r = Sigmoid (x4 + Rh * last) ; g = Sigmoid (Gh * last + x4)
        z = g .* Tanh (x4 + r .* (Ch * last)) + (1 - g) .* last
        """
    + SUM,
    "attention": """
        encoded = { h = RecurrentLSTMLayer {4} (y) ; dim = 4 }
        attend = BS.Seq2Seq.CreateAugmentWithFixedWindowAttentionHook (5, 3, x, encoded)
        cell = BS.RNNs.LSTMBlock {4} ; before = BS.RNNs.PreviousHC (state)
        state = cell (x, before, aux = attend (x, before)) ; z = LinearLayer {4} (state.h)
        """
    + CLASSES,
    "dropout": "z = Sequential (DenseLayer {8, activation = Tanh} : Dropout : DenseLayer {8, activation = ReLU} : Dropout : LinearLayer {4}) (x)"
    + CLASSES,
    "dropout in a loop": "z = Tanh (ParameterTensor {(4:3)} * x + ParameterTensor {(4:4)} * Dropout (PastValue (4, z)))"
    + SUM,
}


def network_of(text: str, precision: str = "double") -> Network:
    """`text` is a name in NETWORKS, or defines z and ce."""
    body = AROUND.replace("BODY", NETWORKS.get(text, text))
    environment = Evaluation(strict=True, precision=precision, counters=Counters())
    evaluation = evaluate_network(ExpandedText.of(Source("net", body)), environment)
    assert evaluation.network is not None
    return evaluation.network


class Ready:
    """A network with its program for training, on a device; `settings` are fields of the kernels' environment."""

    def __init__(
        self, text: str, precision: str = "double", device: torch.device | str = "cpu", **settings: object
    ) -> None:
        network = network_of(text, precision)
        self.roots = [*network.groups["criterion"], *network.groups["output"]]
        self.parameters = Parameters(network, device)
        self.environment = Environment(training=True, device=torch.device(device), **settings)  # type: ignore[arg-type]
        self.program = Program(network, self.roots, self.parameters, self.environment, self.roots[0])
        random = [f for f in self.program.compiled.values() if isinstance(f, RandomOperation)]
        for i, function in enumerate(random):
            function.seed(i)
            if isinstance(function, Dropout):
                function.rate = 0.4

    def minibatch(self, lengths: Sequence[int], seed: int = 1) -> Minibatch:
        """Random sequences of `lengths`; those of y are other ones, an image and its label have one frame. Words and
        labels are one-hot."""
        generator = np.random.default_rng(seed)
        values: dict[str, torch.Tensor | SparseBatch] = {}
        layouts: dict[str, MinibatchLayout] = {}
        framed = any(n.name == "image" for n in self.program.order)
        whole = MinibatchLayout.of_frames(len(lengths)) if framed else MinibatchLayout.packed(lengths)
        others = MinibatchLayout.packed([n + 1 for n in reversed(lengths)])
        for node in self.program.order:
            if node.is_input:
                layout = others if node.name == "y" else whole
                drawn = [generator.uniform(-1, 1, (n, elements(node))) for n in layout.lengths]
                value = packed(layout, drawn).to(dtype_of(node))
                layouts[node.name] = layout
                if node.name == "word":
                    ones = torch.ones(layout.frames, dtype=value.dtype)
                    value = SparseBatch(value.argmax(1), ones, torch.arange(layout.frames + 1), elements(node))
                elif node.name == "label":
                    value = torch.nn.functional.one_hot(value.argmax(1), elements(node)).to(value.dtype)
                values[node.name] = value
        return Minibatch(values, layouts, whole.frames)

    def step(self, minibatch: Minibatch) -> list[torch.Tensor]:
        """Values of the roots and gradients, then the running statistics, on the CPU."""
        found, gradients = self.program.gradients(minibatch)
        assert all(g is not None for g in gradients)
        state = [self.parameters[n] for n in self.parameters if n not in self.program.learnable]
        return [
            (v.to_dense() if v.is_sparse else v).detach().cpu().clone()
            for v in (*found, *gradients, *state)
            if v is not None
        ]
