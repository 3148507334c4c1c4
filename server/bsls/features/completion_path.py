"""Completion of paths: models that commands write, and what lies in folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from bsls.config.commands import Command
from bsls.features.completion_item import Completion
from bsls.features.document import Document
from bsls.finding import BsError
from bsls.project.files import Files
from bsls.project.project import is_model_name
from bsls.source import ExpandedText, Source, Span

_SEPARATOR = re.compile(r"[/\\]")
_SEGMENT = re.compile(r"[^/\\]*")


def model_paths(
    document: Document,
    replace: Span,
    offset: int,
    *,
    quote: bool = False,
    but: Sequence[Command] = (),
    written: Span | None = None,
) -> Iterator[Completion]:
    """Models for the path at `replace`: those that commands write, model files beside them, and folders.

    Left out are what the commands `but` write, and the path that is itself written in the span `written`.
    """
    replace = _in_line(replace, offset)
    own = {command.name for command in but}
    seen: set[str] = set()
    for model in document.project.models() if document.project is not None else ():
        seen.add(model.path)
        if model.command in own and not model.config:
            continue
        if written is not None and model.span is not None and _is_inside(model.span, written):
            continue
        detail, sort = "file", "2"
        if model.command:
            detail, sort = f"written by {model.command}", "0"
            if model.config:
                detail, sort = f"{detail} in {model.config}", "1"
        insert = f'"{model.path}"' if quote else model.path
        yield Completion(model.path, "file", insert, replace, detail, sort=sort + model.path.lower())
    for item in paths(document, replace, offset, quote=quote, wanted=is_model_name):
        folder = _folder(replace.source.text[replace.start : offset])
        if folder + item.label not in seen:
            yield item


def paths(
    document: Document,
    replace: Span,
    offset: int,
    *,
    quote: bool = False,
    wanted: Callable[[str], bool] | None = None,
    files: Files | None = None,
) -> Iterator[Completion]:
    """Files (those whose names are `wanted`) and folders for the path at `replace`, which is without quotes.

    `files` say where paths count from, if that is not where those of the document do. Only the part of the path between two separators is completed in which the offset is.
    """
    source, files = document.source, files or document.files
    if files is None:
        return
    replace = _in_line(replace, offset)
    folder = _folder(source.text[replace.start : offset])
    start = replace.start + len(folder)
    typed = source.text[start:offset]
    if "$" in typed:  # the folder may be in its value
        return
    if "$" in folder and document.config is not None:
        try:
            folder = document.config.expand(ExpandedText.of(Source("", folder))).text
        except BsError:  # a `$x$` without value
            return
    rest = _SEGMENT.match(source.text, offset, replace.end)
    end = rest.end() if rest is not None else offset
    inside = end < replace.end  # a separator follows
    for name, is_folder in files.entries(folder, typed):
        if '"' in name or not (is_folder or wanted is None or wanted(name)):
            continue
        label = f"{name}/" if is_folder else name
        insert = name if inside else f'"{name}"' if quote and not is_folder else label
        detail, sort = ("folder", "4") if is_folder else ("", "3")
        yield Completion(label, "file", insert, source.span(start, end), detail, sort=sort + name.lower())


def _in_line(span: Span, offset: int) -> Span:
    """The part of a span in the line of an offset; a path that goes on in the next line is one that is not closed."""
    text = span.source.text
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    return span.source.span(max(span.start, start), min(span.end, len(text) if end < 0 else end))


def _folder(path: str) -> str:
    """A path up to its last separator."""
    return path[: max((m.end() for m in _SEPARATOR.finditer(path)), default=0)]


def _is_inside(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end
