"""`include "path"` in BrainScript: the words of the file stand in its place, wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bsls.finding import BsError
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brackets import check_depth
from bsls.syntax.brainscript import tokens

MAX_TEXT = 4_000_000
"""Characters of a network description with all that it includes."""
MAX_NESTED = 100
"""Files that include one another."""

Read = Callable[[str, Span, Sequence[str]], tuple[str, Source]]
"""Finds and reads a file: the path as written, where that is, the folders to look in; gives its path and text."""


def with_includes(text: ExpandedText, read: Read, folders: Sequence[str] = ()) -> ExpandedText:
    """The text with all that it includes. `folders` are those in which a file is looked for by its name; that of the
    file around comes before them.

    Raises BsError at the place to blame: a file that cannot be read, that includes itself, or in which a string or a
    comment does not end (it would reach into the text behind it).
    """
    if "include" not in text.text:
        return text
    length = len(text)

    def expand(text: ExpandedText, around: tuple[str, ...], folders: tuple[str, ...]) -> list[ExpandedText | str]:
        nonlocal length
        parts: list[ExpandedText | str] = []
        at, keyword = 0, None
        for word in tokens(text.text):
            if around and word.lastgroup == "other" and word.group() in "'\"":
                place = text.span(word.start(), word.end())
                help = f"close it with {word.group()}"
                raise BsError("syntax", "string without closing quotation mark", place, help=help)
            if around and word.lastgroup == "other" and text.text.startswith("/*", word.start()):
                place = text.span(word.start(), word.start() + 2)
                raise BsError("syntax", "comment without closing */", place, help="close it with */")
            if keyword is not None and word.lastgroup == "literal" and word.group()[0] in "'\"":
                place = text.span(word.start(), word.end())
                path, source = read(word.group()[1:-1], place, folders)
                if source.path in around:
                    message = f"'{source.path}' is included by itself"
                    raise BsError("include", message, place, help="remove one of the includes")
                length += len(source.text)
                if length > MAX_TEXT or len(around) >= MAX_NESTED:
                    limit = f"{MAX_TEXT} characters" if length > MAX_TEXT else f"{MAX_NESTED} files inside one another"
                    raise BsError("include", f"more than {limit} are included", place, help="include less")
                parts.append(text.slice(at, keyword.start()))
                folder = path.replace("\\", "/").rpartition("/")[0]
                parts += expand(ExpandedText.of(source), (*around, source.path), (folder, *folders))
                parts.append("\n")
                at = word.end()
            keyword = word if word.lastgroup == "id" and word.group() == "include" else None
        parts.append(text.slice(at, len(text)))
        return parts

    found = expand(text, (), tuple(folders))
    if len(found) == 1:
        return text
    whole = ExpandedText.join(found)
    check_depth(whole)
    return whole
