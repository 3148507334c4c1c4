"""A place in the outer config: the blocks around it, what kind each is, and whether a key or a value stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bsls.config.commands import Command
from bsls.config.section import VARIABLE
from bsls.features.document import Document
from bsls.finding import BsError
from bsls.schema import config as schema
from bsls.schema.config import Key
from bsls.source import ExpandedText, Span
from bsls.syntax.outer import CLOSERS, blank_comments, closing, scan_items
from bsls.syntax.raw import LANGUAGES, RawBlock, RawItem

_WORD_BEFORE = re.compile(r"[^\s=,;:\"(){}]*$")
_WORD_AFTER = re.compile(r"[^\s=,;:\"(){}*]*")
_QUOTED = re.compile(r"[^\"\r\n]*(?=\")")
_JOINED = ("include", "ndlmacros", "configfile")
"""Keys, in lower case, of paths that may be joined by `+`."""
_MAX_DEPTH = 20


@dataclass(slots=True, eq=False)
class ConfigPlace:
    """`blocks` are those around the place from the whole document in, `kinds` what they are in the table of keys
    (empty where that is not known), `chain` the items that hold them (one fewer).

    `item` is the item whose key or value stands at the place, None between items. `word` is what is being typed: a key,
    or one element of a value, without quotes.
    """

    document: Document
    chain: list[RawItem]
    blocks: list[RawBlock]
    kinds: list[str]
    item: RawItem | None
    in_value: bool
    word: Span
    offset: int = 0

    @property
    def block(self) -> RawBlock:
        return self.blocks[-1]

    @property
    def kind(self) -> str:
        return self.kinds[-1]

    @property
    def key(self) -> Key | None:
        """What the table says of the item's key, also where it belongs further in."""
        return None if self.item is None else key_of(self.kind, self.item.name)

    @property
    def in_quotes(self) -> bool:
        """Whether the value begins with a quotation mark, so that what is inserted needs none."""
        return self.item is not None and self.item.value.text.startswith('"')

    @property
    def path(self) -> Span:
        """The path that is being typed, without quotes: one of several where `+` may join them."""
        assert self.item is not None
        source, value = self.word.source, self.item.value
        if not self.in_quotes or not value.start < self.offset:
            start, end = self.word.start, self.word.end
        else:
            rest = _QUOTED.match(source.text, self.offset) or _WORD_AFTER.match(source.text, self.offset)
            start, end = value.start + 1, rest.end() if rest is not None else self.offset
        if self.item.name.lower() in _JOINED:
            start = max(start, source.text.rfind("+", start, self.offset) + 1)
            joined = source.text.find("+", self.offset, end)
            end = joined if joined >= 0 else end
        return source.span(start, end)

    def text(self, key: str) -> str | None:
        """The text of a key of the innermost block, as written but for quotes."""
        return text_of(self.block, key)


def key_of(kind: str, name: str) -> Key | None:
    """The key `name` of a kind of block, or of one inside of it whose lookup would climb there."""
    if not kind:
        return None
    found = schema.find(kind, name)
    if found is None and (below := schema.find_below(kind, name)) is not None:
        found = below[1]
    return found


def text_of(block: RawBlock, key: str) -> str | None:
    """The text of a key of a block without quotes; None where it is absent."""
    item = block.find(key)
    return None if item is None else unquoted(item.value.text)


def unquoted(text: str) -> str:
    """A value as it counts: without blanks and one pair of quotes around it, which may be still open."""
    text = text.strip()
    return text[1:].removesuffix('"') if text.startswith('"') else text


def place_in_config(document: Document, offset: int) -> ConfigPlace | None:
    """Where an offset is; None inside a comment or a block in another language."""
    source = document.source
    line = source.position(offset).line
    start = source.line_starts[line]
    before = source.text[start:offset]
    if blank_comments(source.line(line))[: offset - start].rstrip() != before.rstrip():
        return None
    place = ConfigPlace(document, [], [document.tree], ["top"], None, False, source.span(offset, offset), offset)
    while len(place.chain) < _MAX_DEPTH:
        item = next((i for i in place.block.items if i.span.start <= offset <= i.span.end), None)
        item = item or _continued(place.block, before, offset)
        inside = next((b for b in _blocks(item) if b.span.start < offset <= _inner_end(b)), None) if item else None
        if item is None or inside is None:
            break
        place.kinds.append(_kind(place, item, inside))
        place.chain.append(item)
        place.blocks.append(inside)
    else:
        return None
    if item is not None:
        if item.language and item.value.start < offset <= _inner_end(RawBlock(item.value)):
            return None
        place.item = item
        place.in_value = "=" in source.text[item.key.end : offset] or offset > item.value.start > item.key.end
    place.word = _word(place, offset)
    return place


def _continued(block: RawBlock, before: str, offset: int) -> RawItem | None:
    """The item whose value may go on after blanks on the same line."""
    last = max((i for i in block.items if i.span.end <= offset), key=lambda i: i.span.end, default=None)
    if last is None or not last.value.text or last.value.text.endswith(tuple('])}"')):
        return None
    between = last.value.source.text[last.span.end : offset]
    return last if len(between) <= len(before) and not between.strip(" \t") else None


def _inner_end(block: RawBlock) -> int:
    """The last offset inside the brackets; a block that is not closed goes on to its end."""
    text = block.span.text
    closed = len(text) > 1 and text[-1:] == CLOSERS.get(text[:1], "")
    return block.span.end - closed


def _blocks(item: RawItem) -> Iterator[RawBlock]:
    """The block of an item, or those in its array `( [ ... ] : [ ... ] )`."""
    if item.block is not None:
        yield item.block
    elif item.text.text.startswith("("):
        yield from _elements(item.text)


def _elements(array: ExpandedText) -> Iterator[RawBlock]:
    at, text = 1, array.text
    while at < len(text):
        if text[at] in "[{":
            end = closing(text, at) + 1 or len(text)
            yield RawBlock(array.span(at, end), list(_items(array.slice(at, end))))
            at = end
        else:
            at += 1


def _items(block: ExpandedText) -> Iterator[RawItem]:
    end = len(block) - (block.text[-1:] == CLOSERS[block.text[0]])
    for item in scan_items(block.text, 1, end)[0]:
        value = block.slice(item.value_start, item.value_end)
        key, place = block.span(item.key_start, item.key_end), block.span(item.value_start, item.value_end)
        inner = RawBlock(place, list(_items(value))) if value.text[:1] in ("[", "{") else None
        yield RawItem(key, place, value, inner, LANGUAGES.get(key.text.lower(), ""))


def _kind(place: ConfigPlace, item: RawItem, inside: RawBlock) -> str:
    """What kind of block `inside` is, the value of `item`."""
    if not place.kind:
        return ""
    found = schema.opens(place.kind, item.name, lambda key: text_of(inside, key))
    if found is not None or place.kind != "top":
        return found or ""
    action = text_of(place.block, "action")  # any other block at the top is one that a command may run
    return schema.choose("command", {"action": action}) if action else "command"


def _word(place: ConfigPlace, offset: int) -> Span:
    source = place.document.source
    if place.item is not None and not place.in_value and place.item.key.start <= offset:
        return place.item.key if offset <= place.item.key.end else source.span(offset, offset)
    start = source.line_starts[source.position(offset).line]
    if place.item is not None and place.in_value:
        start = max(start, min(place.item.value.start, offset))
    m = _WORD_BEFORE.search(source.text, start, offset)
    after = _WORD_AFTER.match(source.text, offset)
    assert m is not None and after is not None
    return source.span(m.start(), after.end())


def variable_at(document: Document, offset: int) -> tuple[str, Span] | None:
    """The `$x$` around an offset."""
    source = document.source
    line = source.position(offset).line
    start = source.line_starts[line]
    for m in VARIABLE.finditer(blank_comments(source.line(line))):
        if start + m.start() <= offset <= start + m.end():
            return m.group(1), source.span(start + m.start(), start + m.end())
    return None


def commands_at(place: ConfigPlace) -> list[Command]:
    """The commands that read the block around the place."""
    document = place.document
    if not place.chain:
        return list(document.commands)
    wanted = place.chain[0].key
    try:
        found = [c for c in document.commands if any(_same(b.span, wanted) for b in c.blocks())]
        if found or document.project is None:
            return found
        section = document.project.config.own_section(wanted.text)
        model = section.get("modelPath") if section is not None else None
        if model is None:
            return []
        # a section that no command runs yet: those that work on the same model
        return [c for c in document.commands if c.model_path is not None and c.model_path.text == model.text]
    except BsError:  # a `$x$` without value
        return []


def _same(a: Span, b: Span) -> bool:
    return a.source is b.source and a.start == b.start
