"""Texts in network descriptions that are names of nodes: what edit functions compare `node.name` with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bsls.resolve.scopes import parts
from bsls.syntax import tree
from bsls.syntax.brainscript import Members
from bsls.syntax.tree import Expr, String

BY_NAME = "ReplaceLinksToNamedNode"
"""The function of `BS.Network.Editing` whose first argument is the name of a node."""

BEFORE = re.compile(rf"(?:\.\s*name\s*[=!]=|\b{BY_NAME}\s*\()\s*$")
"""What stands before such a text, also where what follows does not parse yet."""


def node_texts(text: Members | Expr) -> Iterator[String]:
    """All such texts of a description."""
    for expr, _ in parts(text):
        match expr:
            case tree.Binary(op="==" | "!=", left=tree.Access(id="name"), right=String() as name):
                yield name
            case tree.Binary(op="==" | "!=", left=String() as name, right=tree.Access(id="name")):
                yield name
            case tree.Call(function=tree.Access(id=function), arguments=[tree.Argument(value=String() as name), *_]):
                if function == BY_NAME:
                    yield name
