"""What `bsls graph --format svg` prints: pictures of networks, for browsers and editors, on light and dark screens.

Inputs are at the top, criteria at the bottom. A parameter with one user stands beside it; a loop goes back in a dashed
line. Nodes of a record have a frame where nothing else stands among them. Each node is a group `<g class="node KIND" data-name="…">` that tells where it comes from, as the JSON form does:
`data-path`, `data-line` and `data-character`, from 0. The colours are those of VS Code where it shows the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from bsls.cli.render.frames import TITLE, Frame, Rectangle, frames
from bsls.cli.render.layering import Box, coordinate, lay_out
from bsls.network.loops import loop_edges
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import KINDS, node_kinds, own_parameters
from bsls.network.records import Record, by_record

_SIZE, _SMALL = 12, 11  # of letters
_HEIGHT = 42.0  # of a box
_TAG, _TAG_GAP, _TAG_SPACE = 20.0, 4.0, 18.0  # a parameter beside its user: its height, the gaps around it
_MARGIN = 20.0
_LONGEST = 36  # names in letters

_LIGHT = {
    "text": "#24292f",
    "back": "#ffffff",
    "input": "#0969da",
    "parameter": "#1a7f37",
    "constant": "#6e7781",
    "criterion": "#cf222e",
    "evaluation": "#bc4c00",
    "output": "#8250df",
    "other": "#57606a",
}
_DARK = {
    "text": "#e6edf3",
    "back": "#1e1e1e",
    "input": "#58a6ff",
    "parameter": "#3fb950",
    "constant": "#8b949e",
    "criterion": "#ff7b72",
    "evaluation": "#f0883e",
    "output": "#bc8cff",
    "other": "#8b949e",
}
_VSCODE = {
    "text": "editor-foreground",
    "back": "editor-background",
    "input": "charts-blue",
    "parameter": "charts-green",
    "criterion": "charts-red",
    "evaluation": "charts-orange",
    "output": "charts-purple",
}


def as_svg(networks: Sequence[tuple[str, Network]]) -> str:
    """One picture of networks, each under its heading."""
    drawings = [_Drawing(network) for _, network in networks]
    kinds = [k for k in KINDS if k != "other" and any(k in d.kinds.values() for d in drawings)]
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "bsls-graph", "role": "img"})
    SubElement(root, "title").text = _plain(", ".join(heading for heading, _ in networks)) or "no networks"
    SubElement(root, "style").text = _style()
    _add_arrow(root)
    width = _add_legend(root, kinds)
    y = _MARGIN + (_TAG + _MARGIN if kinds else 0)
    for (heading, _), drawing in zip(networks, drawings, strict=True):
        group = SubElement(root, "g", {"class": "network"})
        title = SubElement(group, "text", {"class": "heading", "x": coordinate(_MARGIN), "y": coordinate(y + 14)})
        title.text = _plain(heading)
        y += 34
        y += drawing.above
        drawing.add_to(SubElement(group, "g", {"transform": f"translate({coordinate(_MARGIN)} {coordinate(y)})"}))
        y += drawing.layout.height + 2 * _MARGIN
        width = max(width, drawing.layout.width, _width(heading, 16))
    size = coordinate(width + 2 * _MARGIN), coordinate(y)
    root.attrib |= {"width": size[0], "height": size[1], "viewBox": f"0 0 {size[0]} {size[1]}"}
    return tostring(root, encoding="unicode") + "\n"


@dataclass(frozen=True, slots=True)
class _Label:
    """What is written in a box: name, then operation and shape."""

    name: str
    more: str

    @classmethod
    def of(cls, node: Node, tag: bool) -> _Label:
        shape = str(node.shape or "[?]")
        if not tag:
            return cls(_shortened(node.name), f"{_plain(node.op)} {shape}")
        value = node.attributes.get("value") if node.attributes.get("init") == "fixedValue" else None
        known = isinstance(value, float | int) and not node.is_learnable and shape == "[1]"
        return cls(_shortened(node.name), f"= {value:g}" if known else shape)

    @property
    def width(self) -> float:
        return max(_width(self.name, _SIZE), _width(self.more, _SMALL)) + 20

    @property
    def tag_width(self) -> float:
        return _width(self.name, _SMALL) + _width(self.more, _SMALL) + 22


class _Drawing:
    """The picture of one network."""

    def __init__(self, network: Network) -> None:
        self.kinds = node_kinds(network)
        order = dict.fromkeys([*network.evaluation_order(), *network])
        self._tags = own_parameters(network)
        tagged = {tag for tags in self._tags.values() for tag in tags}
        self._nodes = [node for node in order if node not in tagged]
        self._labels = {node: _Label.of(node, node in tagged) for node in order}
        self._loops = loop_edges(network)
        numbers = {node: i for i, node in enumerate(self._nodes)}
        self._edges = [(n, i) for n in self._nodes for i, start in enumerate(n.inputs) if start in numbers]
        self.layout = lay_out(
            [self._box(node) for node in self._nodes],
            [(numbers[user.inputs[i]], numbers[user]) for user, i in self._edges],
            {(numbers[start], numbers[user]) for start, user in self._loops},
        )
        self._frames = frames(by_record(self._nodes), {node: self._place(i) for i, node in enumerate(self._nodes)})
        self.above = max((-frame.place.top for frame in self._frames if frame.place.top < 0), default=0.0)
        """How far frames reach beyond the upper edge."""
        self._records = {node: frame.record for frame in self._frames for node in frame.nodes}

    def _box(self, node: Node) -> Box:
        half = self._labels[node].width / 2
        tags = self._tags[node]
        beside = max((self._labels[t].tag_width + _TAG_SPACE for t in tags), default=0.0)
        room = max(_HEIGHT, len(tags) * (_TAG + _TAG_GAP) - _TAG_GAP)
        return Box(2 * half, _HEIGHT, half + beside, half, room)

    def _place(self, number: int) -> Rectangle:
        (x, y), box = self.layout.middles[number], self._box(self._nodes[number])
        return Rectangle(x - box.left, y - box.room / 2, x + box.right, y + box.room / 2)

    def add_to(self, parent: Element) -> None:
        for frame in self._frames:
            _add_frame(parent, frame)
        lines = SubElement(parent, "g", {"class": "edges", "fill": "none", "stroke": "#808080"})
        for (user, i), path in zip(self._edges, self.layout.paths, strict=True):
            _add_edge(lines, user.inputs[i], user, i, path, (user.inputs[i], user) in self._loops)
        for node, (x, y) in zip(self._nodes, self.layout.middles, strict=True):
            label, tags = self._labels[node], self._tags[node]
            record = self._records.get(node)
            self._add_box(parent, node, record, x, y)
            left = x - label.width / 2
            for place, tag in enumerate(tags):
                middle = y + (place - (len(tags) - 1) / 2) * (_TAG + _TAG_GAP)
                right = left - _TAG_SPACE
                self._add_tag(parent, tag, record, right, middle)
                end = y + (place - (len(tags) - 1) / 2) * min(_TAG + _TAG_GAP, (_HEIGHT - 12) / len(tags))
                curve = f"C{coordinate(right + 9)} {coordinate(middle)} {coordinate(left - 9)} {coordinate(end)}"
                path = f"M{coordinate(right)} {coordinate(middle)}{curve} {coordinate(left)} {coordinate(end)}"
                _add_edge(lines, tag, node, node.inputs.index(tag), path, False)

    def _add_box(self, parent: Element, node: Node, record: Record | None, x: float, y: float) -> None:
        label = self._labels[node]
        group = self._add_node(parent, node)
        _add_rectangle(group, x - label.width / 2, y - _HEIGHT / 2, label.width, _HEIGHT, 4)
        place = {"x": coordinate(x), "text-anchor": "middle"}
        SubElement(group, "text", {**place, "y": coordinate(y - 4)}).text = _name_in(record, node)
        SubElement(group, "text", {**place, "y": coordinate(y + 12), "class": "more"}).text = label.more

    def _add_tag(self, parent: Element, node: Node, record: Record | None, right: float, y: float) -> None:
        label = self._labels[node]
        group = self._add_node(parent, node)
        _add_rectangle(group, right - label.tag_width, y - _TAG / 2, label.tag_width, _TAG, _TAG / 2)
        place = {"y": coordinate(y + 4), "class": "more"}
        name = SubElement(group, "text", {**place, "x": coordinate(right - label.tag_width + 9)})
        name.text = _name_in(record, node)
        SubElement(group, "text", {**place, "x": coordinate(right - 9), "text-anchor": "end"}).text = label.more

    def _add_node(self, parent: Element, node: Node) -> Element:
        attributes = {"class": f"node {self.kinds[node]}", "data-name": _plain(node.name)}
        if node.origin is not None:
            start = node.origin.start_position
            attributes |= {
                "data-path": _plain(node.origin.source.path),
                "data-line": str(start.line),
                "data-character": str(start.character),
            }
        group = SubElement(parent, "g", attributes)
        SubElement(group, "title").text = _plain(node.prototype)
        return group


def _add_edge(parent: Element, start: Node, user: Node, number: int, path: str, loop: bool) -> None:
    attributes = {
        "class": "edge loop" if loop else "edge",
        "data-from": _plain(start.name),
        "data-to": _plain(user.name),
        "data-input": str(number),
        "marker-end": "url(#bsls-arrow)",
        "d": path,
    }
    if loop:
        attributes["stroke-dasharray"] = "5 3"
    edge = SubElement(parent, "path", attributes)
    SubElement(edge, "title").text = _plain(f"{start.name} → {user.name}")


def _add_frame(parent: Element, frame: Frame) -> None:
    place, group = frame.place, SubElement(parent, "g", {"class": "frame"})
    _add_rectangle(group, place.left, place.top, place.right - place.left, place.bottom - place.top, 6)
    at = {"x": coordinate(place.left + 6), "y": coordinate(place.top + TITLE), "class": "more"}
    SubElement(group, "text", at).text = _plain(frame.record.path)


def _name_in(record: Record | None, node: Node) -> str:
    """The name of a node in the frame of a record: `.W` for `lstm.W`."""
    return _shortened(node.name if record is None else record.short(node.name))


def _add_rectangle(parent: Element, x: float, y: float, width: float, height: float, radius: float) -> None:
    numbers = {"x": x, "y": y, "width": width, "height": height, "rx": radius}
    SubElement(parent, "rect", {key: coordinate(value) for key, value in numbers.items()})


def _add_arrow(root: Element) -> None:
    marker = {"id": "bsls-arrow", "viewBox": "0 0 8 8", "refX": "7.5", "refY": "4", "orient": "auto"}
    marker |= {"markerWidth": "8", "markerHeight": "8", "markerUnits": "userSpaceOnUse"}
    arrow = SubElement(SubElement(root, "defs"), "marker", marker)
    SubElement(arrow, "path", {"class": "arrow", "d": "M0 .5L8 4L0 7.5Z", "fill": "#808080"})


def _add_legend(root: Element, kinds: Iterable[str]) -> float:
    """A row of the colours that occur, at the top; its width."""
    x = _MARGIN
    legend = SubElement(root, "g", {"class": "legend"})
    for kind in kinds:
        group = SubElement(legend, "g", {"class": kind})
        _add_rectangle(group, x, _MARGIN + 2, 14, 14, 3)
        place = {"x": coordinate(x + 20), "y": coordinate(_MARGIN + 13), "class": "more"}
        SubElement(group, "text", place).text = kind
        x += _width(kind, _SMALL) + 38
    return x - _MARGIN


def _style() -> str:
    kinds = [*KINDS]
    lines = [
        # programs that know no variables take the declaration before
        f".bsls-graph {{ color: {_LIGHT['text']}; color: var(--bsls-text); background: var(--bsls-back);",
        f"  font-family: sans-serif; font-family: var(--vscode-font-family, system-ui, sans-serif); font-size: {_SIZE}px;",
        f"  {_variables(_LIGHT)} }}",
        f"@media (prefers-color-scheme: dark) {{ .bsls-graph {{ {_variables(_DARK)} }} }}",
        f".vscode-light .bsls-graph {{ {_variables(_LIGHT)} }}",
        f".vscode-dark .bsls-graph {{ {_variables(_DARK)} }}",
        ".bsls-graph text { fill: currentColor; stroke: none; }",
        f".bsls-graph .more {{ font-size: {_SMALL}px; opacity: .8; }}",
        ".bsls-graph .heading { font-size: 16px; font-weight: 600; }",
        ".bsls-graph .edges { opacity: .6; }",  # of the whole, as edges lie on each other
        ".bsls-graph .edge { fill: none; stroke: currentColor; }",
        ".bsls-graph .arrow { fill: currentColor; }",
        ".bsls-graph .edge:hover { stroke-width: 2.5; }",
        ".bsls-graph rect { fill-opacity: .13; stroke-width: 1.2; }",
        ".bsls-graph .criterion rect, .bsls-graph .evaluation rect, .bsls-graph .output rect { stroke-width: 2; }",
        ".bsls-graph .frame rect { fill: currentColor; fill-opacity: .04; stroke: currentColor; stroke-opacity: .25; }",
        ".bsls-graph .constant rect { stroke-dasharray: 3 2; }",
        ".bsls-graph .node:hover rect { fill-opacity: .3; }",
        ".bsls-graph .node[data-path] { cursor: pointer; }",
    ]
    for kind in kinds:
        colour, variable = _LIGHT[kind], f"var(--bsls-{kind})"
        lines.append(
            f".bsls-graph .{kind} rect {{ fill: {colour}; stroke: {colour}; fill: {variable}; stroke: {variable}; }}"
        )
    return "\n" + "\n".join(lines) + "\n"


def _variables(colours: dict[str, str]) -> str:
    return " ".join(
        f"--bsls-{name}: {f'var(--vscode-{_VSCODE[name]}, {colour})' if name in _VSCODE else colour};"
        for name, colour in colours.items()
    )


def _plain(text: str) -> str:
    # XML has no control characters, not even escaped; a damaged model file may have them in a name
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _shortened(name: str) -> str:
    """The end of a long name: many nodes have the beginning in common."""
    name = _plain(name)
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def _width(text: str, size: int) -> float:
    """About how wide `text` is, in a wide font."""
    return size * sum(_em(letter) for letter in text)


def _em(letter: str) -> float:
    if letter in "ijl.,:;'|![]() ":
        return 0.36
    if letter in "mwMW@%…":
        return 0.95
    if not letter.isascii():
        return 1.0
    return 0.7 if letter.isupper() else 0.62
