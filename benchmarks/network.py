"""How long work on a network of 1,000 nodes takes: validation, copies, orders, queries.

Run `python benchmarks/network.py`. The network has convolutions with batch normalization, dense layers, and LSTMs. The
goal is 100 ms of processor time for its validation, a few ms for anything else.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bsls.network.cloning import duplicate
from bsls.network.difference import difference
from bsls.network.loops import loop_edges, recurrent_loops
from bsls.network.naming import access_names
from bsls.network.network import Network
from bsls.network.queries import dead_nodes, node_kinds
from bsls.network.size import memory
from bsls.network.validation import validate
from bsls.project.files import Files
from bsls.project.project import Project
from bsls.source import Source

ROUNDS = 20

CONFIG = """
command = Train
Train = {
    action = "train" ; modelPath = "m.dnn"
    BrainScriptNetworkBuilder = {
        Conv {maps, stride} = Sequential (
            ConvolutionalLayer {maps, (3:3), stride = (stride:stride), pad = true, bias = false} :
            BatchNormalizationLayer {spatialRank = 2} : ReLU
        )
        Stack {n, make} = x => if n == 0 then x else make (Stack {n - 1, make} (x))
        Residual {maps} = x => ReLU (x + Sequential (Conv {maps, 1} : Conv {maps, 1}) (x))
        Dense {n} = x => DenseLayer {n, activation = Sigmoid} (x)
        LSTM {n} = x => RecurrentLSTMLayer {n} (x)

        pixels = Input {(32:32:3)} ; words = Input {300} ; labels = Input {10}
        image = Sequential (
            Conv {16, 1} : Stack {12, Residual {16}} : Conv {32, 2} : Stack {12, Residual {32}} :
            AveragePoolingLayer {(16:16)} : Stack {44, Dense {64}}
        ) (pixels)
        text = Sequential (
            Stack {6, LSTM {64}} : Stack {26, Dense {64}}
        ) (words)
        z = LinearLayer {10} (Splice (image : text))
        ce = CrossEntropyWithSoftmax (labels, z) ; errs = ClassificationError (labels, z)
        featureNodes = (pixels : words) ; labelNodes = (labels)
        criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
    }
    SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 }
    reader = {
        readerType = "CNTKTextFormatReader" ; file = "x"
        input = {
            pixels = { dim = 3072 ; format = "dense" } ; words = { dim = 300 ; format = "dense" }
            labels = { dim = 10 ; format = "dense" }
        }
    }
}
"""


def network() -> Network:
    """The network of the config, validated."""
    path = str(Path(tempfile.gettempdir(), "nowhere", "config.cntk"))
    project = Project([f"configFile={path}"], Files("", {path: Source(path, CONFIG)}))
    evaluation = project.network(project.commands()[0])
    assert evaluation.network is not None and evaluation.validation is not None
    assert not evaluation.validation.findings
    return evaluation.network


def milliseconds(work: Callable[[], object]) -> list[float]:
    """Processor time of each of several rounds; no memory is tidied within them."""
    times: list[float] = []
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        began = time.process_time()
        work()
        times.append(1000 * (time.process_time() - began))
        gc.enable()
    return times


def main() -> None:
    made = network()
    twin = duplicate(made)
    print(f"milliseconds of the processor for a network of {len(made)} nodes, median and least")
    for name, work, goal in (
        ("validate", lambda: validate(made), 100),
        ("copy", lambda: duplicate(made), 10),
        ("evaluation order", made.evaluation_order, 10),
        ("loops", lambda: recurrent_loops(made), 10),
        ("edges that close loops", lambda: loop_edges(made), 10),
        ("kinds of nodes", lambda: node_kinds(made), 10),
        ("unused nodes", lambda: dead_nodes(made), 10),
        ("memory", lambda: memory(made), 10),
        ("difference to a copy", lambda: difference(made, twin), 20),
        ("names in BrainScript", lambda: access_names(made), 10),
    ):
        times = milliseconds(work)
        print(f"  {name:28} {median(times):7.1f}  {min(times):7.1f}   (goal {goal})")


if __name__ == "__main__":
    main()
