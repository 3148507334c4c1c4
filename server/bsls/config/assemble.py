"""One config out of files and `key=value` arguments, in the order given: the last assignment counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bsls.config.section import Section
from bsls.finding import BsError, Finding
from bsls.source import ExpandedText, Source
from bsls.syntax.brackets import with_matching_brackets
from bsls.syntax.outer import blank_comments

_INCLUDE = re.compile(r"^include=([^\n]*)", re.MULTILINE)


def assemble(parts: Iterable[Source], include: Callable[[str], Source] | None = None) -> Section:
    """The top block of the joined parts. `include` fetches the file of an `include=` line.

    A file that is included twice counts once. Brackets that do not match are problems of the block; it has the text
    with those that were probably meant.
    """
    sources = list(parts)
    first = next((s for s in sources if s.path != COMMAND_LINE), sources[0] if sources else Source("", ""))
    joined, problems = joined_text(sources, include)
    return Section("", joined, None, first.span(0, 0), problems)


def joined_text(
    parts: Iterable[Source], include: Callable[[str], Source] | None = None
) -> tuple[ExpandedText, list[Finding]]:
    """The text of the parts one after another, without comments, with the brackets that were probably meant; and what is
    wrong with the brackets."""
    texts: list[ExpandedText | str] = []
    seen: set[str] = set()

    def add(source: Source) -> None:
        text = ExpandedText.of(source).with_text(blank_comments(source.text))
        at = 0
        for m in _INCLUDE.finditer(text.text):
            texts.append(text.slice(at, m.start()))
            at = m.end()
            if "$" in m.group(1):
                raise BsError(
                    "include",
                    "an include line cannot use $x$",
                    source.span(m.start(), m.end()),
                    help="write the path out",
                )
            for path in filter(None, (p.strip().strip('"') for p in m.group(1).split("+"))):
                if include is not None and path not in seen:
                    seen.add(path)
                    try:
                        included = include(path)
                    except OSError as error:
                        raise BsError(
                            "missing-file",
                            f"cannot read the included file '{path}': {error.strerror}",
                            source.span(m.start(1), m.end(1)),
                            help="correct the path",
                        ) from error
                    except BsError as error:
                        error.finding.span = source.span(m.start(1), m.end(1))
                        raise
                    add(included)
        texts.append(text.slice(at, len(text)))
        texts.append("\n")

    for source in parts:
        add(source)
    return with_matching_brackets(ExpandedText.join(texts))


COMMAND_LINE = "<command line>"
"""Path of the source that holds an argument."""


def argument(text: str) -> Source:
    """A `key=value` argument as a source of its own."""
    return Source(COMMAND_LINE, text)


def parse_config(text: str, path: str = "config.cntk") -> Section:
    """The config in `text` alone."""
    return assemble([Source(path, text)])
