"""Frames around the nodes of a record in a drawing, wherever nothing else stands among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bsls.network.node import Node
from bsls.network.records import Record

TITLE = 13.0
"""Height of the line with the record's name, inside at the top."""

_PADDING = 8.0
_LEAST, _MOST = 3, 30  # nodes within a frame: about as many as an LSTM has
_MOST_ALONE = 60  # where no smaller frames can be


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Of a box with all that belongs to it, or of a frame."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Rectangle) -> bool:
        """Whether they have a point in common."""
        apart = self.right < other.left or other.right < self.left or self.bottom < other.top or other.bottom < self.top
        return not apart


@dataclass(frozen=True, slots=True)
class Frame:
    """The record whose name it bears, the nodes within, and where it is."""

    record: Record
    nodes: tuple[Node, ...]
    place: Rectangle


def frames(record: Record, places: Mapping[Node, Rectangle]) -> list[Frame]:
    """Frames that do not touch each other: large ones, but never one around everything.

    `places` are those of all nodes.
    """
    found: list[Frame] = []
    for candidate in _candidates(record, places):
        if not any(candidate.place.meets(frame.place) for frame in found):
            found.append(candidate)
    return found


def _candidates(record: Record, places: Mapping[Node, Rectangle]) -> list[Frame]:
    nodes = record.all_nodes()
    whole = _frame(record, nodes, places) if len(nodes) <= _MOST and len(nodes) < len(places) else None
    if whole is not None:
        return [whole]
    inner = [frame for part in record.parts for frame in _candidates(part, places)]
    framed = {node for frame in inner for node in frame.nodes}
    rest = [node for node in nodes if node not in framed]
    remaining = _frame(record, rest, places) if len(rest) <= min(_MOST_ALONE, len(places) - 1) else None
    return [*inner, *([remaining] if remaining is not None else [])]


def _frame(record: Record, nodes: Sequence[Node], places: Mapping[Node, Rectangle]) -> Frame | None:
    """A frame around `nodes`; None if another node would be in it."""
    if not record.path or len(nodes) < _LEAST:
        return None
    within = [places[node] for node in nodes]
    place = Rectangle(
        min(r.left for r in within) - _PADDING,
        min(r.top for r in within) - _PADDING - TITLE,
        max(r.right for r in within) + _PADDING,
        max(r.bottom for r in within) + _PADDING,
    )
    inside = set(nodes)
    if any(place.meets(other) for node, other in places.items() if node not in inside):
        return None
    return Frame(record, tuple(nodes), place)
