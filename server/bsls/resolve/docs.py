"""What the comment above a definition says."""

from __future__ import annotations

import re

from bsls.syntax import tree

_COMMENT = re.compile(r"\s*(?:#+|//+) ?(.*)")
_FAILS = re.compile(r"^CNTK 2\.7: fails (?:because (?P<reason>.*)\.|without (?P<needed>.*)\.)$", re.MULTILINE)


def doc_above(member: tree.Member) -> str:
    """The comment lines directly above a member that begins its line."""
    span = member.span
    lines = span.source.text[: span.start].split("\n")
    if lines.pop().strip():
        return ""
    found: list[str] = []
    while lines and (m := _COMMENT.fullmatch(lines.pop())):
        found.insert(0, m.group(1).rstrip())
    return "\n".join(found).strip()


def failure(member: tree.Member, call: tree.Call | None) -> str:
    """Why CNTK 2.7 cannot run a function of its library, as the comment says it: always, or in a `call` that leaves out
    what it needs; empty if it can."""
    found = _FAILS.search(doc_above(member))
    if found is None:
        return ""
    if found["reason"]:
        return found["reason"]
    if call is None:  # how it will be called is not known
        return ""
    given = {argument.name for argument in call.arguments}
    missing = [name for name in re.findall(r"(\w+)(?: = \w+)?(?: and |$)", found["needed"]) if name not in given]
    return f"it needs {' and '.join(missing)}" if missing else ""
