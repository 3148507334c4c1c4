"""Texts after formatting, and what must be the same before and after it."""

from __future__ import annotations

import re

from trees import members, shape

from bsls.check.fix import edited
from bsls.config.assemble import parse_config
from bsls.config.section import Section, Value
from bsls.source import Source
from bsls.syntax import tree
from bsls.syntax.brainscript import Members
from bsls.syntax.format import Style, format_edits
from bsls.syntax.outer import VARIABLE
from bsls.syntax.raw import LANGUAGES, Language

_NDL = re.compile(r'"[^"]*"|[^\s,;=()\[\]{}"]+|[,;=()\[\]{}"]|\n\s*')


def formatted(text: str, language: Language, style: Style | None = None) -> str:
    edits = format_edits(Source("x", text), language, style)
    assert all(not e.text.strip() and not e.span.text.strip() for e in edits)
    return edited(text, edits)


def meaning(text: str, language: Language) -> object:
    """What a text says, without its layout."""
    text = VARIABLE.sub(lambda m: "_" * len(m.group()), text)  # as a word, which it becomes part of
    if language == "brainscript":
        return _network(members(text))
    if language == "ndl":
        return [w if not w.isspace() else "\n" for w in _NDL.findall(text.strip())]
    return _section(parse_config(text))


def _network(found: Members) -> object:
    names: dict[str, object] = {}
    for name, (start, end) in found.names.items():
        value = found.member(name).value
        # what does not parse stays to the letter, up to the comments: these are blank here
        text = "\n".join(line.rstrip() for line in found.text.text[start:end].split("\n"))
        names[name] = text if isinstance(value, tree.Broken) else (shape(value), found.doc(name))
    return names, sorted(p.message for p in found.problems)


def _section(section: Section) -> object:
    problems = sorted(p.message for p in section.problems)
    return [(v.key, _value(v, section)) for v in section], problems


def _value(value: Value, section: Section) -> object:
    raw = value.raw
    if raw.text[:1] in ("{", "[") and LANGUAGES.get(value.key.lower()) == "brainscript":
        return _network(Members(raw, 1, len(raw) - 1))
    if raw.text[:1] in ("{", "["):
        return _section(Section(value.key, raw, section))
    if raw.text[:1] == "(" and LANGUAGES.get(value.key.lower()) != "brainscript":
        elements = Value(value.key, raw, value.key_span).array()
        return [_value(e, section) if len(e.raw) < len(raw) else e.raw.text.split() for e in elements]
    if LANGUAGES.get(value.key.lower()) == "brainscript":
        return _network(members(f"x = {raw.text}"))
    return raw.text
