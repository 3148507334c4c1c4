"""The raw tree of a config: what stands in the document, nothing expanded, merged or left out.

It is for those who show the text (outline, folding, colours, completion): `$x$` is opaque, an `include` is an item like
any other, a block that is given twice is there twice. Where brackets do not match it has those that were probably meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bsls.finding import BsError
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brackets import bracket_pairs, with_matching_brackets
from bsls.syntax.outer import CLOSERS, blank_comments, closing, scan_items

LANGUAGES = {
    "brainscriptnetworkbuilder": "brainscript",
    "experimentalnetworkbuilder": "brainscript",
    "ndlnetworkbuilder": "ndl",
}
"""Keys, in lower case, of blocks in another language."""

Language = Literal["config", "brainscript", "ndl"]


def language_of(path: str) -> Language:
    """The language of a file by its name; `ndl` stands for both older description languages."""
    lower = path.lower()
    return "brainscript" if lower.endswith(".bs") else "ndl" if lower.endswith((".ndl", ".mel")) else "config"


@dataclass(slots=True)
class RawItem:
    """`key = value`; `value` includes brackets and quotes, and is empty for a bare word.

    `block` has the items of a value in brackets, unless the block is in another `language` or an array.
    """

    key: Span
    value: Span
    text: ExpandedText
    block: RawBlock | None = None
    language: str = ""

    @property
    def name(self) -> str:
        return self.key.text

    @property
    def span(self) -> Span:
        return Span(self.key.source, self.key.start, max(self.key.end, self.value.end))


@dataclass(slots=True)
class RawBlock:
    """The items between two brackets, or of the whole document. `span` includes the brackets."""

    span: Span
    items: list[RawItem] = field(default_factory=list)

    def find(self, key: str) -> RawItem | None:
        """The item called `key` (capitals do not matter) that counts: the last one."""
        return next((i for i in reversed(self.items) if i.name.lower() == key.lower()), None)

    def path_to(self, offset: int) -> list[RawItem]:
        """The items around an offset, from the outermost in; empty between items."""
        found: list[RawItem] = []
        block: RawBlock | None = self
        while block is not None:
            item = next((i for i in block.items if i.span.start <= offset <= i.span.end), None)
            if item is None:
                break
            found.append(item)
            block = item.block
        return found

    def walk(self) -> Iterator[RawItem]:
        """All items, those of blocks inside after their own."""
        for item in self.items:
            yield item
            if item.block is not None:
                yield from item.block.walk()


def leaves(block: RawBlock) -> Iterator[Span]:
    """The pieces of a block in order: keys, values that are no block of items, and what stands around them. Put together
    they are its text."""
    source, at = block.span.source, block.span.start
    for span in _words(block):
        if span.start > at:
            yield source.span(at, span.start)
        if span.end > span.start:
            yield span
        at = span.end
    if at < block.span.end:
        yield source.span(at, block.span.end)


def _words(block: RawBlock) -> Iterator[Span]:
    for item in block.items:
        yield item.key
        if item.block is None:
            yield item.value
        else:
            yield from _words(item.block)


def raw_tree(source: Source) -> RawBlock:
    """The raw tree of a document; never fails."""
    block = RawBlock(source.span(0, len(source.text)))
    try:
        text, _ = with_matching_brackets(ExpandedText.of(source).with_text(blank_comments(source.text)))
    except BsError:  # nested too deeply, as the check says
        return block
    block.items = _items(text, 0, len(text), bracket_pairs(text.text) or {})
    return block


def _items(text: ExpandedText, start: int, end: int, pairs: Mapping[int, int]) -> list[RawItem]:
    found: list[RawItem] = []
    for item in scan_items(text.text, start, end, pairs=pairs)[0]:
        key = text.text[item.key_start : item.key_end]
        value = text.slice(item.value_start, item.value_end)
        raw = RawItem(
            text.span(item.key_start, item.key_end), text.span(item.value_start, item.value_end), value,
            language=LANGUAGES.get(key.lower(), ""),
        )  # fmt: skip
        if value.text[:1] in ("[", "{") and raw.language == "":
            raw.block = RawBlock(raw.value)
            at = item.value_start
            while at < item.value_end and text.text[at] in ("[", "{"):  # `[ ... ] [ ... ]` is one block in two parts
                close = pairs[at] if at in pairs else closing(text.text, at, item.value_end)
                if close < 0:
                    close = item.value_end - text.text.endswith(CLOSERS[text.text[at]], at, item.value_end)
                raw.block.items += _items(text, at + 1, close, pairs)
                at = item.value_end - len(text.text[close + 1 : item.value_end].lstrip())
        found.append(raw)
    return found
