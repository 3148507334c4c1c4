"""Definitions that nothing in a network description uses.

A member of the outermost record becomes a part of the network if it is a node, used or not; what is surely none, a
function, record, number or text, serves only those that name it. Members of other records are evaluated by need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bsls.library.index import sources
from bsls.resolve.scopes import parts, references
from bsls.syntax import tree
from bsls.syntax.brainscript import Members
from bsls.syntax.tree import Expr

SPECIAL = ("featureNodes", "labelNodes", "criterionNodes", "evaluationNodes", "outputNodes")


def unused(text: Members | Expr) -> Iterator[tree.Member]:
    """Definitions without use; none where a part of the text cannot be read, as it might use them."""
    everything = [expr for expr, _ in parts(text)]
    if any(isinstance(e, tree.Broken) for e in everything) or (isinstance(text, Members) and text.problems):
        return
    used: set[object] = {id(r.target) for r in references(text)}
    after_a_dot = {e.id for e in everything if isinstance(e, tree.Access)} | _members_that_the_library_uses()
    if isinstance(text, Members):
        for name in text.names:
            member = text.member(name)
            if name not in SPECIAL and _is_no_node(member.value) and id(member) not in used and name not in after_a_dot:
                yield member
    for record in _inner_records(everything):
        for name, member in record.members.items():
            if id(member) not in used and name not in after_a_dot:
                yield member


def _is_no_node(value: Expr) -> bool:
    if isinstance(value, tree.Array):
        return all(map(_is_no_node, value.elements))
    return isinstance(value, tree.Function | tree.Record | tree.Number | tree.String | tree.Boolean)


def _inner_records(everything: list[Expr]) -> Iterator[tree.Record]:
    """The records whose members are looked at one by one: not those that are given to something as a whole."""
    whole: set[int] = set()
    for expr in everything:
        if isinstance(expr, tree.New | tree.Argument):
            given = [expr.argument if isinstance(expr, tree.New) else expr.value]
            while given:
                part = given.pop()
                if isinstance(part, tree.Record):
                    whole.add(id(part))
                    given += [m.value for m in part.members.values()]
                elif isinstance(part, tree.Array):
                    given += part.elements
    yield from (e for e in everything if isinstance(e, tree.Record) and id(e) not in whole)


@cache
def _members_that_the_library_uses() -> frozenset[str]:
    """Names after a dot in the library: a record may be given to one of its functions."""
    return frozenset(name for source in sources() for name in re.findall(r"\.([A-Za-z_]\w*)", source.text))
