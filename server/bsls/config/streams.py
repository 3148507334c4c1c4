"""Which streams a reader's block delivers, and whether they are what a network's inputs want."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bsls.config.section import Section, Value
from bsls.finding import BsError, Edit, Finding, Fix
from bsls.network.node import Node
from bsls.source import Span

TEXT_READER = "CNTKTextFormatReader"
TEXT_DESERIALIZER = "CNTKTextFormatDeserializer"


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


def other_reader(section: Section) -> Value | None:
    """The value by which a reader's block asks for another reader than one of text; None if it does not."""
    value = section.own("readers")
    if value is not None:
        return value
    if section.own("deserializers") is not None:
        types = (block.own("type") for block in section.sections_of("deserializers"))
        return next((t for t in types if t is not None and t.text != TEXT_DESERIALIZER), None)
    value = section.get("readerType")
    return None if value is None or value.text.lower() == TEXT_READER.lower() else value


def reader_streams(section: Section) -> tuple[list[Stream], Span]:
    """The streams of a reader of text, or of all its deserializers, and where they are configured; see `text_streams`."""
    deserializers = section.own("deserializers")
    if deserializers is None:
        return text_streams(section)
    streams: dict[str, Stream] = {}
    for block in deserializer_blocks(section):
        for stream in text_streams(block)[0]:
            if stream.name in streams:
                raise BsError(
                    "config-value", f"two deserializers deliver a stream '{stream.name}'", stream.span,
                    help="leave one of them out",
                )  # fmt: skip
            streams[stream.name] = stream
    return list(streams.values()), deserializers.span


def deserializer_blocks(section: Section) -> list[Section]:
    """The blocks in `deserializers = ([ ... ] : [ ... ])`; raises BsError where there are none, or one has no `type`."""
    blocks = section.sections_of("deserializers")
    value = section.own("deserializers")
    example = f'write deserializers = ([ type = "{TEXT_DESERIALIZER}" ; module = "{TEXT_READER}" ; file = ... ; input = ... ])'
    if not blocks:
        raise BsError(
            "missing-key", "the reader has no deserializers", value.span if value else section.span, help=example
        )
    for block in blocks:
        if block.text.text.lstrip()[:1] not in ("[", "{"):
            raise BsError("config-value", "a deserializer is a block", block.span, help=example)
        for key in ("type", "module"):
            block.require(key)
    return blocks


def text_streams(section: Section) -> tuple[list[Stream], Span]:
    """The streams of a text format reader's block and where they are configured.

    Raises BsError where there are none, or for a stream whose `dim`, `format` or `alias` does not do.
    """
    block = section.own_section("input")
    example = 'add input = { NAME = { dim = N ; format = "dense" } } with an entry for each input of the network'
    if block is None:
        raise BsError("missing-key", "the reader has no 'input' block", section.span, help=example)
    streams = [_stream(block, value.key) for value in block]
    if not streams:
        raise BsError("missing-key", "the 'input' block of the reader is empty", block.span, help=example)
    aliases: dict[str, str] = {}
    for stream in streams:
        if stream.alias in aliases:
            raise BsError(
                "config-value", f"streams '{aliases[stream.alias]}' and '{stream.name}' are both called '{stream.alias}' in the data",
                stream.span, help="give each stream an alias of its own",
            )  # fmt: skip
        aliases[stream.alias] = stream.name
    return streams, block.span


def _stream(inputs: Section, name: str) -> Stream:
    block = inputs.own_section(name)
    assert block is not None
    dim, form, alias = block.own("dim"), block.own("format"), block.own("alias")
    if dim is None:
        raise BsError("missing-key", f"stream '{name}' has no 'dim'", block.span, help="add dim = its number of values")
    if form is None:
        raise BsError(
            "missing-key", f"stream '{name}' has no 'format'", block.span, help='add format = "dense" or "sparse"'
        )
    if form.text.lower() not in ("dense", "sparse"):
        raise form.error("a stream is 'dense' or 'sparse'", 'write format = "dense" or format = "sparse"')
    if dim.integer() < 1:
        raise dim.error("a sample has at least 1 value")
    if alias is not None and not alias.text:
        raise alias.error("the name in the data must not be empty")
    return Stream(
        name, alias.text if alias else name, dim.integer(), form.text.lower() == "sparse", block.span, dim.span
    )


def mismatches(inputs: Sequence[Node], streams: Sequence[Stream], place: Span | None) -> Iterator[Finding]:
    """What the inputs want and the reader does not deliver: a missing stream, another number of values a sample."""
    by_name = {s.name: s for s in streams}  # capitals matter
    wanted = {n.name for n in inputs}
    for node in inputs:
        stream = by_name.get(node.name)
        elements = node.shape.elements if node.shape else 0
        if stream is None:
            known = ", ".join(f"'{s.name}'" for s in streams) or "none"
            twin = next((s.name for s in streams if s.name.lower() == node.name.lower()), None)
            if twin is not None:
                known += f"; capitals count: the stream is called '{twin}'"
            unused = [s for s in streams if s.name not in wanted]
            meant = [
                s
                for s in unused
                if s.name.lower() in get_close_matches(node.name.lower(), [u.name.lower() for u in unused], 1, 0.6)
            ]
            fixes = [
                Fix(f"rename the stream to {node.name}", (Edit(s.span, node.name),))
                for s in meant
                if s.span is not None
            ]
            form = "sparse" if node.op == "SparseInputValue" else "dense"
            yield Finding(
                "input-not-in-reader", f"the network has an input '{node.name}', but the reader delivers no such stream, only {known}", place,
                help=f'add {node.name} = {{ dim = {elements or 1} ; format = "{form}" }} to the reader\'s input block', fixes=fixes,
            )  # fmt: skip
        elif elements and elements != stream.dim:
            span = stream.dim_span or stream.span
            fixes = (
                [Fix(f"change dim to {elements}", (Edit(stream.dim_span, str(elements)),))]
                if stream.dim_span is not None
                else []
            )
            yield Finding(
                "reader-dim-mismatch",
                f"input '{node.name}' has the shape {node.shape}, {elements} value{'s' * (elements != 1)} a sample, but the reader's stream has dim = {stream.dim}",
                span, help=f"write dim = {elements}, or change the network's input", fixes=fixes,
            )  # fmt: skip
