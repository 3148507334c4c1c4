"""One config out of files and `key=value` arguments, in the order given: the last assignment counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bsls.config.section import Section
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.source import ExpandedText, Source, Span
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
    sources = list(parts)
    seen = {s.path for s in sources}
    around: list[str] = []
    warnings: list[Finding] = []

    def add(source: Source) -> None:
        around.append(source.path)
        text = ExpandedText.of(source).with_text(blank_comments(source.text))
        at = 0
        for m in _INCLUDE.finditer(text.text):
            texts.append(text.slice(at, m.start()))
            at = m.end()
            for path in _included(source, m):
                if include is None:
                    continue
                place = source.span(m.start(1), m.end(1))
                try:
                    included = include(path)
                except OSError as error:
                    raise BsError(
                        "missing-file", f"cannot read the included file '{path}': {error.strerror}", place,
                        help="correct the path",
                    ) from error  # fmt: skip
                except BsError as error:
                    error.finding.span = place
                    raise
                if included.path in around:
                    message = f"'{path}' is included by itself; this line has no effect"
                    warnings.append(Finding("include", message, place, Severity.WARNING, "remove the line"))
                elif included.path not in seen:
                    seen.add(included.path)
                    add(included)
        texts.append(text.slice(at, len(text)))
        texts.append("\n")
        around.pop()

    for source in sources:
        add(source)
    joined, problems = with_matching_brackets(ExpandedText.join(texts))
    return joined, [*problems, *warnings]


def _included(source: Source, line: re.Match[str]) -> list[str]:
    """The paths of an `include=` line, as the reference takes them: all that stands between the `+`."""
    if "$" in line.group(1):
        raise BsError(
            "include",
            "an include line cannot use $x$",
            source.span(line.start(), line.end()),
            help="write the path out",
        )
    paths = line.group(1).rstrip("\r").split("+")
    for path in paths:
        if path != path.strip() or '"' in path:
            place = source.span(line.start(1), line.end(1))
            plain = "+".join(p.strip().strip('"') for p in paths)
            raise BsError(
                "include", f"quotes, blanks and comments behind it are part of the path of an include line: '{path}'",
                place, help="write include=path and nothing else in the line",
                fixes=[Fix(f"change to include={plain}", (Edit(place, plain),), safe=True)],
            )  # fmt: skip
    return [path for path in paths if path]


COMMAND_LINE = "<command line>"
"""Path of the source that holds an argument."""


def argument(text: str) -> Source:
    """A `key=value` argument as a source of its own."""
    return Source(COMMAND_LINE, text)


def parse_config(text: str, path: str = "config.cntk") -> Section:
    """The config in `text` alone."""
    return assemble([Source(path, text)])


def option_span(name: str, value: str) -> Span:
    """The place of the value of an option `--name value`, for what is wrong with it."""
    source = Source(COMMAND_LINE, f"--{name} {value}")
    return source.span(len(name) + 3, len(source.text))
