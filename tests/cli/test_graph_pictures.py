"""`bsls graph --format svg` and `--format dot`: everything is drawn, once, and nothing lies on anything else."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsls.cli.render.dot import as_dot
from bsls.cli.render.layering import Box, lay_out
from bsls.cli.render.svg import as_svg
from bsls.network.loops import loop_edges
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import own_parameters
from processes import bsls
from small_project import changed, make_project

SVG = "{http://www.w3.org/2000/svg}"

LOOP = changed(
    (
        "z = LinearLayer {2} (x)",
        """W = ParameterTensor {(2:3)} ; R = ParameterTensor {(2:2)} ; V = Parameter {2, 2, learningRateMultiplier = 0}
        Past (v) = new ComputationNode { operation = "PastValue" ; shape = new TensorShape { dims = 2 } ; inputs = v }
        h = Tanh (W * x + R * Past (h))
        z = V * h""",
    )
)


def elements(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """All elements of a class."""
    return [e for e in svg.iter() if name in e.get("class", "").split()]


def edges(svg: ElementTree.Element, name: str = "edge") -> list[tuple[str, str, int]]:
    """From, to, number of the input."""
    return sorted(
        (e.attrib["data-from"], e.attrib["data-to"], int(e.attrib["data-input"])) for e in elements(svg, name)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_project(tmp_path, LOOP)


def picture(folder: Path, *arguments: str) -> ElementTree.Element:
    result = bsls(folder, "graph", "c.cntk", "--format", "svg", *arguments)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("</svg>\n")
    return ElementTree.fromstring(result.out)


def test_picture_agrees_with_json(folder: Path) -> None:
    svg = picture(folder)
    known = json.loads(bsls(folder, "graph", "c.cntk", "--format", "json").out)
    assert [e.text for e in elements(svg, "heading")] == ["Train (train)", "Test (test)"]
    assert len(elements(svg, "network")) == len(known["commands"]) == 2
    for drawn, command in zip(elements(svg, "network"), known["commands"], strict=True):
        nodes = {e.attrib["data-name"]: e for e in elements(drawn, "node")}
        assert len(nodes) == len(elements(drawn, "node"))
        assert nodes.keys() == {n["name"] for n in command["nodes"]}
        for node in command["nodes"]:
            drawn_node, origin = nodes[node["name"]], node["origin"]
            assert node["op"] in (drawn_node.findtext(f"{SVG}title") or "")
            place = {k: v for k, v in drawn_node.attrib.items() if k.startswith("data-") and k != "data-name"}
            start = origin and origin["range"]["start"]
            assert place == (
                {}
                if origin is None
                else {
                    "data-path": origin["path"],
                    "data-line": str(start["line"]),
                    "data-character": str(start["character"]),
                }
            )
        assert edges(drawn) == sorted((i, n["name"], k) for n in command["nodes"] for k, i in enumerate(n["inputs"]))


def test_kinds_and_loop(folder: Path) -> None:
    svg = picture(folder, "--command", "train")
    kinds = {e.attrib["data-name"]: e.attrib["class"] for e in elements(svg, "node")}
    assert {name: kinds[name] for name in ("x", "y", "W", "R", "V", "h", "z", "ce")} == {
        "x": "node input",
        "y": "node input",
        "W": "node parameter",
        "R": "node parameter",
        "V": "node constant",
        "h": "node other",
        "z": "node output",
        "ce": "node criterion",
    }
    assert [(start, number) for start, _, number in edges(svg, "loop")] == [("h", 0)]
    texts = [e.text for e in svg.iter(f"{SVG}text")]
    assert "Tanh [2 x *]" in texts and "[2 x 3]" in texts


def test_one_command_and_none(folder: Path) -> None:
    assert [e.text for e in elements(picture(folder, "--command", "test"), "heading")] == ["Test (test)"]
    make_project(folder, changed(("command = Train:Test", "command = Dump")))
    assert not elements(picture(folder), "node")
    assert bsls(folder, "graph", "c.cntk", "--format", "dot").out.startswith("digraph {\n")


def test_same_text_each_time(folder: Path) -> None:
    for form in ("svg", "dot"):
        assert bsls(folder, "graph", "c.cntk", "--format", form) == bsls(folder, "graph", "c.cntk", "--format", form)


def test_dot(folder: Path) -> None:
    text = bsls(folder, "graph", "c.cntk", "--format", "dot").out
    assert [line for line in text.splitlines() if " label=" in line and "[" not in line] == [
        '    label="Train (train)"',
        '      label="h"',
        '    label="Test (test)"',
        '      label="h"',
    ]
    assert '  "1/x" -> "1/h.z.PlusArgs[0]"\n' in text
    assert r'"1/h.z.PlusArgs[0]" [label=".z.PlusArgs[0]\nTimes [2 x *]\nW [2 x 3]", ' in text and '"1/W"' not in text
    assert text.count("style=dashed, constraint=false") == 2
    assert r'"2/ce" [label="ce\nCrossEntropyWithSoftmax [1]", tooltip="ce = CrossEntropyWithSoftmax (y, z)' in text


NAMES = ['<&"]]>', "a\\n", "tab\tbell\x07\x00", "\ud800", "ünï ✓", "x" * 300]


def test_strange_names() -> None:
    network = Network()
    for name in NAMES:
        network.add(Node("LearnableParameter", name))
    network.add(Node("Splice", "all", [network[name] for name in NAMES * 2]))
    svg = ElementTree.fromstring(as_svg([('"<&>\x1b', network)]).encode())
    names = [e.attrib["data-name"] for e in elements(svg, "node")]
    assert {NAMES[0], NAMES[1], NAMES[4], NAMES[5], r"tab\tbell\x07\x00", r"\ud800"} <= set(names)
    dot = as_dot([('"<&>', network)])
    quoted = r'"(?:[^"\\]|\\.)*"'
    dot.encode()  # raises where half a character is left
    for line in dot.splitlines():
        assert '"' not in re.sub(quoted, "", line)
    assert sum(" -> " in re.sub(quoted, "", line) for line in dot.splitlines()) == 2 * len(NAMES)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Networks with records, shared and unshared parameters, unused nodes, equal inputs, and delays of any node."""
    count = draw(st.integers(0, 14))
    network = Network()
    delays: list[Node] = []
    nodes: list[Node] = []
    for i in range(count):
        op = draw(st.sampled_from(["InputValue", "LearnableParameter", "PastValue", "Plus", "Splice"]))
        size = {"Plus": 2, "Splice": 4}.get(op, 0)
        inputs = [nodes[draw(st.integers(0, i - 1))] for _ in range(size)] if i else []
        node = Node(op, draw(st.sampled_from(["", "r.", "r.s.", "q."])) + f"n{i}", inputs)
        nodes.append(node)
        network.add(node)
        delays += [node] * (op == "PastValue")
    for delay in delays:
        delay.inputs.append(draw(st.sampled_from(nodes)))
    if nodes:
        network.tag(nodes[-1], "criterion")
    return network


Place = tuple[float, float, float, float]


def box(group: ElementTree.Element) -> Place:
    """Left, top, right, bottom."""
    rectangle = group.find(f"{SVG}rect")
    assert rectangle is not None
    x, y, w, h = (float(rectangle.attrib[k]) for k in ("x", "y", "width", "height"))
    return x, y, x + w, y + h


def apart(a: Place, b: Place) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@given(networks())
@settings(max_examples=150, deadline=None)
def test_every_node_once_and_every_edge(network: Network) -> None:
    svg = ElementTree.fromstring(as_svg([("a", network)]))
    assert Counter(e.attrib["data-name"] for e in elements(svg, "node")) == Counter(n.name for n in network)
    assert edges(svg) == sorted((i.name, n.name, k) for n in network for k, i in enumerate(n.inputs))
    loops = {(i.name, n.name) for i, n in loop_edges(network)}
    assert {(a, b) for a, b, _ in edges(svg, "loop")} == loops
    assert all(network[user].op == "PastValue" for _, user in loops)

    width, height = (float(svg.attrib[k]) for k in ("width", "height"))
    boxes = {node.attrib["data-name"]: box(node) for node in elements(svg, "node")}
    assert all(apart(a, b) for a, b in combinations(boxes.values(), 2))
    own = {i for inputs in own_parameters(network).values() for i in inputs}
    frames = [(frame.findtext(f"{SVG}text"), box(frame)) for frame in elements(svg, "frame")]
    assert all(apart(a, b) for (_, a), (_, b) in combinations(frames, 2))
    for name, frame in frames:
        within = [node for node, place in boxes.items() if not apart(frame, place) and network[node] not in own]
        assert len(within) >= 3 and all(node.startswith(f"{name}.") for node in within)
    assert all(b[0] >= 0 and b[2] <= width and b[3] <= height for b in boxes.values())

    dot = as_dot([("a", network)])
    arrows = Counter(re.findall(r'^  "1/([\w.]+)" -> "1/([\w.]+)"', dot, re.MULTILINE))
    assert arrows == Counter((i.name, n.name) for n in network for i in n.inputs if i not in own)
    boxes_in_dot = Counter(re.findall(r'^ +"1/([\w.]+)" \[label', dot, re.MULTILINE))
    assert boxes_in_dot == Counter(n.name for n in network if n not in own)


def test_rows() -> None:
    """Users stand below their inputs, a lonely input close to its user, a chain in a straight line."""
    chain = list(pairwise(range(6)))
    layout = lay_out([Box(100, 40, 50, 50, 40)] * 7, [*chain, (6, 5), (0, 5)])
    xs, ys = zip(*layout.middles, strict=True)
    assert list(ys[:6]) == sorted(set(ys[:6]))
    assert ys[6] == ys[4]
    assert max(xs[:6]) - min(xs[:6]) < 1
    assert all(path.startswith("M") for path in layout.paths)


def test_large_network() -> None:
    """Deep networks need no deep stack."""
    network = Network()
    last = Node("InputValue", "x")
    network.add(last)
    for i in range(500):
        weight, delay = Node("LearnableParameter", f"W{i}"), Node("PastValue", f"d{i}")
        node = Node("Plus", f"p{i}", [Node("Times", f"t{i}", [weight, last]), delay])
        delay.inputs.append(node)
        for new in (weight, delay, node.inputs[0], node):
            network.add(new)
        last = node
    svg = as_svg([("a", network)])
    assert svg.count('class="edge loop"') == 500
