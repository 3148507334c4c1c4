"""Blocks of a config and their values: look-up through enclosing blocks, `$x$` expansion, merging, types."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from bsls.finding import BsError, Finding
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brackets import bracket_pairs
from bsls.syntax.outer import OPENERS, VARIABLE, closing, list_separator, scan_elements, scan_items
from bsls.syntax.raw import LANGUAGES

_INTEGER = re.compile(r"[+-]?[0-9]+$")
_TRUE = {"t", "true", "T", "True", "TRUE", "1"}
_FALSE = {"f", "false", "F", "False", "FALSE", "0", ""}
_REPEATED = re.compile(r"([^*]*)\*(.*)", re.DOTALL)
_BLANK = " \t"
_MAX_LENGTH = 1_000_000
_MAX_NESTED = 100
"""Variables in the values of variables."""
_MAX_ELEMENTS = 1_000_000


class Value:
    """The value of a key: text as it counts (expanded, without quotes) and where it was written."""

    __slots__ = ("key", "key_span", "raw")

    def __init__(self, key: str, raw: ExpandedText, key_span: Span) -> None:
        self.key = key
        self.raw = raw
        self.key_span = key_span

    @property
    def bare(self) -> ExpandedText:
        """The text without quotes and blanks around it."""
        raw = self.raw.strip()
        if len(raw) >= 2 and raw.text[0] == raw.text[-1] == '"':
            return raw.slice(1, len(raw) - 1).strip(_BLANK)
        return raw

    @property
    def text(self) -> str:
        text = self.raw.text.strip()
        return text[1:-1].strip(_BLANK) if len(text) >= 2 and text[0] == text[-1] == '"' else text

    @property
    def span(self) -> Span:
        return self.raw.strip().span() if self.raw.text.strip() else self.key_span

    @property
    def is_default(self) -> bool:
        """Whether it is the word that means "as if not given"."""
        return self.text == "default"

    def error(self, message: str, help: str = "") -> BsError:
        return BsError("config-value", f"{self.key} = {self.text or '(nothing)'}: {message}", self.span, help=help)

    def string(self) -> str:
        return self.text

    def boolean(self) -> bool:
        if self.text in _TRUE:
            return True
        if self.text in _FALSE:
            return False
        raise self.error("true or false is expected", "write true or false")

    def integer(self) -> int:
        if not _INTEGER.match(self.text):
            raise self.error("a whole number is expected", "write digits only")
        number = int(self.text) if len(self.text) < 30 else 2**63
        if abs(number) >= 2**63:
            raise self.error("this number is too large", "at most 9223372036854775807 is possible")
        return number

    def number(self) -> float:
        if self.text.lower().endswith("#inf"):
            return -math.inf if self.text.startswith("-") else math.inf
        try:
            if "_" in self.text or not self.text.isascii():
                raise ValueError
            return float.fromhex(self.text) if self.text.lower().startswith("0x") else float(self.text)
        except (ValueError, OverflowError):
            raise self.error("a number is expected", "write a number such as 0.01 or 1e-3") from None

    def array(self) -> list[Value]:
        """`a:b*3:c` as values a, b, b, b, c; brackets around the whole are optional.

        A sign directly after the bracket separates in the place of the colon: `(;a;b)`.
        """
        found: list[Value] = []
        for element in self._elements():
            count = 1
            repeated = _REPEATED.match(element.text) if element.text[:1] not in OPENERS else None
            if repeated:
                if not repeated.group(2):
                    break
                count = Value(self.key, element.slice(*repeated.span(2)), self.key_span).integer()
                element = element.slice(*repeated.span(1)).strip()
            if len(found) + count > _MAX_ELEMENTS:
                raise self.error("these are too many elements", f"at most {_MAX_ELEMENTS} are possible")
            found += [Value(self.key, element, self.key_span)] * count
        return found

    @property
    def cut_off(self) -> ExpandedText | None:
        """The element `a*` without a number, where the array ends as in the reference; None without one."""
        repeated = (e for e in self._elements() if e.text[:1] not in OPENERS and e.text.endswith("*"))
        return next((e for e in repeated if e.text.count("*") == 1), None)

    def _elements(self) -> Iterator[ExpandedText]:
        raw = self.raw.strip()
        return (raw.slice(start, end).strip() for start, end in scan_elements(raw.text))


class Section:
    """A block of a config, or the whole of it (without parent).

    Keys ignore case. A block that is given again is merged into the earlier one, any other value replaces it.
    """

    def __init__(
        self,
        name: str,
        text: ExpandedText,
        parent: Section | None = None,
        span: Span | None = None,
        problems: Sequence[Finding] = (),
    ) -> None:
        self.name = name
        self.text = text
        self.parent = parent
        self.span = span if span is not None else text.span()
        self._values: dict[str, Value] | None = None
        self._problems: list[Finding] = list(problems)
        self._sections: dict[str, Section] = {}
        self._expansions: dict[str, str] = {}
        self.unresolved: dict[tuple[Source, int], Finding] | None = None
        """At the top: takes down, by place, each `$x$` that has no value. None: that is an error."""

    @property
    def top(self) -> Section:
        """The block around all others."""
        section = self
        while section.parent is not None:
            section = section.parent
        return section

    @property
    def path(self) -> str:
        """Names from the top, `train:SGD`; empty at the top."""
        if self.parent is None:
            return ""
        return f"{self.parent.path}:{self.name}" if self.parent.path else self.name

    @property
    def problems(self) -> list[Finding]:
        """What is wrong with the syntax of this block itself (not of the blocks inside)."""
        self._parse()
        return self._problems

    def all_problems(self) -> Iterator[Finding]:
        """What is wrong with the syntax of this block and the blocks inside, and with `$x$` in those."""
        yield from self.problems
        for value in self:
            if value.raw.text[:1] in ("[", "{") and value.key.lower() not in LANGUAGES:
                try:
                    inner = self.own_section(value.key)
                except BsError as error:
                    yield error.finding
                    continue
                if inner is not None:
                    yield from inner.all_problems()

    def __iter__(self) -> Iterator[Value]:
        return iter(self._parse().values())

    def keys(self) -> list[str]:
        """Keys of this block as written."""
        return [v.key for v in self]

    def _parse(self) -> dict[str, Value]:
        if self._values is not None:
            return self._values
        values: dict[str, Value] = {}
        found: list[Finding] = []
        text = self.text.text
        top = self.parent is None
        pairs = bracket_pairs(text) if top else None
        for start, end in [(0, len(text))] if top else _bodies(text):
            separator = ";" if top else list_separator(text, start, ";")[0]
            items, problems = scan_items(text, start, end, separator=separator, top=top, pairs=pairs)
            found += [p.finding(self.text) for p in problems]
            for item in items:
                key = text[item.key_start : item.key_end]
                raw = (
                    ExpandedText.standing_for("true", self.text.span(item.key_start, item.key_end))
                    if item.bare
                    else self.text.slice(item.value_start, item.value_end)
                )
                old = values.pop(key.lower(), None)
                if old is not None and raw.text.startswith("["):
                    raw = ExpandedText.join([old.raw, " ", raw])
                values[key.lower()] = Value(key, raw, self.text.span(item.key_start, item.key_end))
        if self._values is None:  # another thread may have been faster
            self._problems += found
            self._values = values
        return self._values

    def own(self, key: str) -> Value | None:
        """The value of `key` in this block itself, expanded."""
        value = self._parse().get(key.lower())
        return None if value is None else Value(value.key, self.expand(value.raw), value.key_span)

    def lookup(self, key: str) -> Value | None:
        """The value of `key` here or in the nearest enclosing block that has it."""
        holder = self.holder(key)
        return holder.own(key) if holder else None

    def holder(self, key: str) -> Section | None:
        """The block from which `lookup` takes `key`."""
        section: Section | None = self
        while section is not None and key.lower() not in section._parse():
            section = section.parent
        return section

    def section(self, key: str) -> Section | None:
        """The block called `key` here or in an enclosing block."""
        holder = self.holder(key)
        return holder.own_section(key) if holder else None

    def own_section(self, key: str) -> Section | None:
        """The block called `key` in this block itself."""
        if key.lower() not in self._sections:
            value = self.own(key)
            if value is None:
                return None
            if VARIABLE.fullmatch(value.raw.text.strip()):  # not a block, but it should have become one
                finding = (self.top.unresolved or {}).get((value.span.source, value.span.start))
                raise BsError.of(finding) if finding is not None else value.error("a block is expected")
            self._sections[key.lower()] = Section(value.key, value.raw, self, value.key_span)
        return self._sections[key.lower()]

    def sections_of(self, key: str) -> list[Section]:
        """The blocks in the array `key` of this block: `([..] : [..])`."""
        value = self.own(key)
        return [] if value is None else [Section(key, v.raw, self, v.span) for v in value.array()]

    def expand(self, raw: ExpandedText) -> ExpandedText:
        """`raw` with each `$name$` replaced by its value as seen from this block.

        One without a value raises BsError, or, where `unresolved` takes it down, stands for itself.
        """
        parts: list[ExpandedText] = []
        at = 0
        for m in VARIABLE.finditer(raw.text):
            span = raw.span(m.start(), m.end())
            try:
                value = self._expanded(m.group(1), span, ())
            except BsError as error:
                unresolved = self.top.unresolved
                if unresolved is None:
                    raise
                unresolved.setdefault((span.source, span.start), error.finding)
                continue
            parts += [raw.slice(at, m.start()), ExpandedText.standing_for(value, span)]
            at = m.end()
        return ExpandedText.join([*parts, raw.slice(at, len(raw))]) if parts else raw

    def written(self, span: Span) -> Span:
        """Where the text at `span` was given: the value of a variable, where `span` is nothing but `$name$`."""
        variable = VARIABLE.fullmatch(span.text.strip('" '))
        holder = self.holder(variable.group(1)) if variable else None
        if variable is None or holder is None:
            return span
        inner = holder._parse()[variable.group(1).lower()].bare.span()
        return inner if inner == span else holder.written(inner)

    def _expanded(self, name: str, span: Span, within: tuple[str, ...]) -> str:
        """The value of a variable, with the variables in it replaced; `within` are those being replaced around it."""
        known = self._expansions.get(name.lower())
        if known is not None:
            return known
        if name.lower() in within:
            raise BsError(
                "cyclic-variable", f"${name}$ is defined by itself", span, help="give it a value that does not use it"
            )
        if len(within) >= _MAX_NESTED:
            raise BsError(
                "cyclic-variable", f"more than {_MAX_NESTED} variables stand in the values of one another", span,
                help="write the value of one of them out",
            )  # fmt: skip
        value = self._variable(name, span)
        parts: list[str] = []
        at = length = 0
        for m in VARIABLE.finditer(value.text):
            inner = self._expanded(m.group(1), value.span(m.start(), m.end()), (*within, name.lower()))
            parts += [value.text[at : m.start()], inner]
            at = m.end()
            length += len(inner)
            if length > _MAX_LENGTH:
                raise BsError("cyclic-variable", f"${name}$ becomes longer than {_MAX_LENGTH} characters", span)
        text = self._expansions[name.lower()] = "".join([*parts, value.text[at:]])
        return text

    def _variable(self, name: str, span: Span) -> ExpandedText:
        holder = self.holder(name)
        value = holder._parse()[name.lower()] if holder is not None else None
        if value is None or value.is_default:
            raise BsError(
                "undefined-variable",
                f"${name}$ has no value",
                span,
                help=f"define {name} at the top of the config, or give it on the command line: {name}=... (bsls check: --set {name}=...)",
            )
        if "\n" in value.raw.text:
            raise BsError(
                "undefined-variable",
                f"${name}$ stands for a text of several lines, which is not possible",
                span,
                help="use a value of one line",
            )
        return value.bare

    # --- typed look-up -----------------------------------------------------------------------------------------------

    def get(self, key: str) -> Value | None:
        """As `lookup`, but None also where the value is the word `default`."""
        value = self.lookup(key)
        return None if value is None or value.is_default else value

    def get_string(self, key: str, default: str) -> str:
        value = self.get(key)
        return default if value is None else value.string()

    def get_integer(self, key: str, default: int) -> int:
        value = self.get(key)
        return default if value is None else value.integer()

    def get_number(self, key: str, default: float) -> float:
        value = self.get(key)
        return default if value is None else value.number()

    def get_boolean(self, key: str, default: bool) -> bool:
        value = self.get(key)
        return default if value is None else value.boolean()

    def get_array(self, key: str) -> list[Value] | None:
        value = self.get(key)
        return None if value is None else value.array()

    def require(self, key: str) -> Value:
        """The value of `key`, or an error at this block that it is missing."""
        value = self.get(key)
        if value is not None and not value.raw.text.strip():  # as the scan of the block says it
            raise BsError(
                "syntax", f"no value given for '{value.key}'", value.key_span,
                help="write a value after '=', or remove the key",
            )  # fmt: skip
        if value is None or not value.text:
            where = f"block '{self.path}'" if self.path else "the config"
            raise BsError("missing-key", f"{where} has no value for '{key}'", self.span, help=f"add `{key} = ...`")
        return value


def _bodies(text: str) -> list[tuple[int, int]]:
    """The insides of the blocks that follow one another in `text` (more than one where a block was merged).

    Items without brackets around them are one, too.
    """
    if text.lstrip()[:1] not in tuple("[{("):
        quoted = text.lstrip()[:1] == '"'
        return [(text.index('"') + 1, text.rindex('"'))] if quoted else [(0, len(text))]
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        if text[at] in "[{(":
            close = closing(text, at)
            close = len(text) if close < 0 else close
            found.append((at + 1, close))
            at = close + 1
        else:
            at += 1
    return found
