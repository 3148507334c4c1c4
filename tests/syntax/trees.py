"""Trees of BrainScript as short texts."""

from __future__ import annotations

from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import Members
from bsls.syntax.tree import Expr


def members(text: str) -> Members:
    return Members(ExpandedText.of(Source("net.bs", text)), 0, len(text))


def shape(expr: Expr) -> str:
    """Numbers and names as they are, everything else as `(what parts)`."""
    match expr:
        case tree.Number():
            return f"{expr.value:g}"
        case tree.String():
            return repr(expr.value)
        case tree.Boolean():
            return str(expr.value).lower()
        case tree.Name():
            return expr.id
        case tree.Unary() | tree.Binary():
            return "(" + " ".join([expr.op, *map(shape, tree.children(expr))]) + ")"
        case tree.Access():
            return f"(. {shape(expr.object)} {expr.id})"
        case tree.Call():
            return "(call " + " ".join([shape(expr.function), *map(shape, expr.arguments)]) + ")"
        case tree.Argument():
            return f"{expr.name}={shape(expr.value)}" if expr.name else shape(expr.value)
        case tree.Parameter():
            return f"{expr.name}={shape(expr.default)}" if expr.default else expr.name
        case tree.Function():
            return f"(fn [{' '.join(map(shape, expr.parameters))}] {shape(expr.body)})"
        case tree.Record():
            return "{" + " ".join(f"{n}:{shape(m.value)}" for n, m in expr.members.items()) + "}"
        case tree.New():
            return f"(new {expr.type} {shape(expr.argument)})"
        case tree.Broken():
            return f"broken: {expr.finding}"
    word = {tree.Index: "index", tree.ArrayByIndex: "by", tree.Conditional: "if"}.get(type(expr), ":")
    return "(" + " ".join([word, *map(shape, tree.children(expr))]) + ")"


def everything(expr: Expr) -> list[Expr]:
    """The expression and all below it."""
    return [expr, *(part for child in tree.children(expr) for part in everything(child))]
