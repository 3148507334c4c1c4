"""Which streams a reader's block delivers, and whether they are what a network's inputs want."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bsls.config.section import Section
from bsls.finding import Edit, Finding, Fix
from bsls.network.node import Node
from bsls.source import Span

TEXT_READER = "CNTKTextFormatReader"


@dataclass(frozen=True, slots=True)
class Stream:
    """One input that a reader delivers.

    `name` is the network's input, `alias` the name in the data. `dim` is the number of values of a sample. `span` is
    where the stream is configured, `dim_span` where its `dim` stands.
    """

    name: str
    alias: str
    dim: int
    sparse: bool = False
    span: Span | None = None
    dim_span: Span | None = None


def reader_type(section: Section) -> str:
    """The `readerType` of a reader's block; the text format reader if there is none."""
    return section.get_string("readerType", TEXT_READER)


def text_streams(section: Section) -> tuple[list[Stream], Span] | None:
    """The streams of a text format reader's block and where they are configured; None where there is no `input`.

    Raises BsError for a stream without `dim` or with an unknown `format`.
    """
    block = section.own_section("input")
    if block is None:
        return None
    streams: list[Stream] = []
    for value in block:
        stream = block.own_section(value.key)
        assert stream is not None
        dim = stream.own("dim")
        if dim is None:
            dim = stream.require("dim")  # raises
        alias = stream.own("alias")
        form = stream.own("format")
        if form is None:
            form = stream.require("format")
        if form.text.lower() not in ("dense", "sparse"):
            raise form.error("must be dense or sparse", "write dense or sparse")
        streams.append(
            Stream(value.key, alias.text if alias is not None else value.key, dim.integer(), form.text.lower() == "sparse", value.key_span, dim.span)
        )
    return streams, block.span


def mismatches(inputs: Iterable[Node], streams: Sequence[Stream], place: Span | None) -> Iterator[Finding]:
    """What the inputs want and the reader does not deliver: a missing stream, another number of values a sample."""
    by_name = {s.name.lower(): s for s in streams}
    for node in inputs:
        stream = by_name.get(node.name.lower())
        elements = node.shape.elements if node.shape else 0
        if stream is None:
            known = ", ".join(f"'{s.name}'" for s in streams) or "none"
            wanted = {n.name.lower() for n in inputs}
            unused = [s for s in streams if s.name.lower() not in wanted]
            meant = [s for s in unused if s.name.lower() in get_close_matches(node.name.lower(), [u.name.lower() for u in unused], 1, 0.6)]
            fixes = [Fix(f"rename the stream to {node.name}", (Edit(s.span, node.name),)) for s in meant if s.span is not None]
            form = "sparse" if node.op == "SparseInputValue" else "dense"
            yield Finding(
                "input-not-in-reader", f"the network has an input '{node.name}', but the reader delivers only {known}", place,
                help=f'add {node.name} = {{ dim = {elements or 1} ; format = "{form}" }} to the reader\'s input block', fixes=fixes,
            )  # fmt: skip
        elif elements and elements != stream.dim:
            span = stream.dim_span or stream.span
            fixes = [Fix(f"change dim to {elements}", (Edit(stream.dim_span, str(elements)),))] if stream.dim_span is not None else []
            yield Finding(
                "reader-dim-mismatch",
                f"input '{node.name}' has the shape {node.shape}, {elements} value{'s' * (elements != 1)} a sample, but its stream has dim = {stream.dim}",
                span, help=f"write dim = {elements}, or change the network's input", fixes=fixes,
            )  # fmt: skip
