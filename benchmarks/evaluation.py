"""How long it takes from the text of a config to its networks, and from a changed character to the first findings.

Goals, of the processor's time: a config of about 230 lines 60 ms once the program is started, ResNet-110 and ResNet-152
written with recursive functions 0.5 s, what is said without evaluation after an edit of 100 KB 60 ms. `first` is the
first network of a process, for which definitions of the library are parsed; `again` has them.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import editor

from bsls.project.files import Files
from bsls.project.project import Project
from bsls.source import Source
from bsls.workspace.analysis import Analysis

ROUNDS = 7

BLOCKS = """
        Conv {maps, size, stride} = Sequential (
            ConvolutionalLayer {maps, (size:size), stride = (stride:stride), pad = true, bias = false, init = "heNormal"} :
            BatchNormalizationLayer {spatialRank = 2, normalizationTimeConstant = 4096}
        )
        Stack {n, make} = x => if n == 0 then x else make (Stack {n - 1, make} (x))
        Joined (x, y) = ReLU (x + y)
        Basic {maps} = x => Joined (Sequential (Conv {maps, 3, 1} : ReLU : Conv {maps, 3, 1}) (x), x)
        BasicDown {maps} = x => Joined (
            Sequential (Conv {maps, 3, 2} : ReLU : Conv {maps, 3, 1}) (x), Conv {maps, 1, 2} (x)
        )
        Narrow {maps, stride} = x => Sequential (
            Conv {maps, 1, stride} : ReLU : Conv {maps, 3, 1} : ReLU : Conv {4 * maps, 1, 1}
        ) (x)
        Bottleneck {maps} = x => Joined (Narrow {maps, 1} (x), x)
        BottleneckDown {maps, stride} = x => Joined (Narrow {maps, stride} (x), Conv {4 * maps, 1, stride} (x))
"""


def training(shape: str, classes: int, model: str) -> str:
    """A config that trains a classifier of pictures."""
    return f"""command = Train
Train = {{
    action = "train" ; modelPath = "m.dnn"
    BrainScriptNetworkBuilder = {{{BLOCKS}
        x = Input {{{shape}}} ; labels = Input {{{classes}}}
{model}
        z = LinearLayer {{{classes}}} (r)
        ce = CrossEntropyWithSoftmax (labels, z) ; errs = ClassificationError (labels, z)
        featureNodes = (x) ; labelNodes = (labels) ; criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
    }}
    SGD = {{ maxEpochs = 1 ; learningRatesPerSample = 0.1 }}
    reader = {{
        readerType = "CNTKTextFormatReader" ; file = "x"
        input = {{ x = {{ dim = 3072 ; format = "dense" }} ; labels = {{ dim = 10 ; format = "dense" }} }}
    }}
}}
"""


def resnet_110() -> str:
    """Three stages of 18 pairs of convolutions."""
    return training("(32:32:3)", 10, """
        r0 = ReLU (Conv {16, 3, 1} (x))
        r1 = Stack {18, Basic {16}} (r0)
        r2 = Stack {17, Basic {32}} (BasicDown {32} (r1))
        r3 = Stack {17, Basic {64}} (BasicDown {64} (r2))
        r = AveragePoolingLayer {(8:8)} (r3)""")  # fmt: skip


def resnet_152() -> str:
    """Stages of 3, 8, 36 and 3 bottlenecks."""
    return training("(224:224:3)", 1000, """
        r0 = MaxPoolingLayer {(3:3), stride = 2, pad = true} (ReLU (Conv {64, 7, 2} (x)))
        r1 = Stack {2, Bottleneck {64}} (BottleneckDown {64, 1} (r0))
        r2 = Stack {7, Bottleneck {128}} (BottleneckDown {128, 2} (r1))
        r3 = Stack {35, Bottleneck {256}} (BottleneckDown {256, 2} (r2))
        r4 = Stack {2, Bottleneck {512}} (BottleneckDown {512, 2} (r3))
        r = AveragePoolingLayer {(7:7)} (r4)""")  # fmt: skip


CONFIGS: dict[str, tuple[Callable[[], str], float]] = {
    "about 230 lines": (editor.config, 60),
    "ResNet-110": (resnet_110, 500),
    "ResNet-152": (resnet_152, 500),
}


def networks(text: str) -> tuple[float, int]:
    """Milliseconds of the processor from a text to the networks of all its commands, and how many nodes those have."""
    path = str(Path(tempfile.gettempdir(), "nowhere", "config.cntk"))
    began = time.process_time()
    project = Project([f"configFile={path}"], Files("", {path: Source(path, text)}), tolerant=True)
    nodes = 0
    for command in project.commands():
        network = project.network(command).network
        assert network is not None
        nodes += len(network)
    return 1000 * (time.process_time() - began), nodes


def large() -> str:
    """A config of 100 KB, with many networks of many members."""
    parts: list[str] = []
    while sum(map(len, parts)) < 100_000:
        parts.append(resnet_110().replace("command = Train\nTrain =", f"T{len(parts)} ="))
    return "command = T0\n" + "".join(parts)


def edit(text: str) -> list[float]:
    """Milliseconds from a changed character to the findings that need no evaluation."""
    path = str(Path(tempfile.gettempdir(), "nowhere", "config.cntk"))
    at = text.index("r1 = Stack {") + len("r1 = Stack {")
    times: list[float] = []
    analysis: Analysis | None = None
    for i in range(60):
        source = Source(path, text[:at] + str(i % 10) + text[at + 1 :], i)
        began = time.process_time()
        analysis = Analysis(source, {path: source}, analysis)
        _ = analysis.quick
        times.append(1000 * (time.process_time() - began))
    return times[1:]


def main() -> None:
    if len(sys.argv) > 1:  # the first networks of a process
        from bsls.source import ExpandedText
        from bsls.syntax.brainscript import parse_expression

        parse_expression(ExpandedText.of(Source("", "1")))  # the parser belongs to the start
        print(networks(CONFIGS[sys.argv[1]][0]())[0])
        return
    print("milliseconds of the processor, median and least")
    for name, (make, goal) in CONFIGS.items():
        first = [float(subprocess.check_output([sys.executable, __file__, name])) for _ in range(ROUNDS)]
        text = make()
        again, nodes = zip(*(networks(text) for _ in range(ROUNDS)), strict=True)
        for kind, times in (("first", first), ("again", again)):
            what = f"{name}, {nodes[0]} nodes, {kind}"
            print(f"  {what:44} {median(times):7.1f}  {min(times):7.1f}   (goal {goal:g})")
    gc.freeze()  # as the server does when it starts
    times = edit(large())
    p95 = quantiles(times, n=20)[-1]
    print(f"  {'edit of 100 KB, median and 95th percentile':44} {median(times):7.1f}  {p95:7.1f}   (goal 60)")


if __name__ == "__main__":
    main()
