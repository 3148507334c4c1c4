"""What is said where `net.name` names no node of a loaded network, or perhaps another one than was meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bsls.evaluate.values import NetworkValue
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.naming import access_name, access_path, is_written_for_brackets, written_alike
from bsls.network.node import Node
from bsls.resolve.names import similar
from bsls.source import Span
from bsls.syntax import tree

_BRACKETS = "only '.' becomes '_', brackets do not"
_REST = re.compile(r"\w+(?:\s*\.\s*[A-Za-z_]\w*|\s*\[\s*\d+\s*\])*")
"""A name with what is written behind it, as far as that can be a part of a node's name."""
_PART_END = re.compile(r"(?<=[\w\]])(?=\s*[.\[]|$)")
_MAX_SHOWN = 12


def no_such_node(model: NetworkValue, link: tree.Access, rest: Sequence[tree.Access]) -> BsError:
    """For `net.a` without such a node; `rest` are the accesses that follow."""
    error = inner_node(model, link)
    if error is not None:
        return error
    path, network = model.path, model.loaded
    bracket = next((n for n in network if is_written_for_brackets(link.id, n)), None)
    if bracket is not None:
        return _in_brackets(model, bracket, link.id_span, link.id_span, safe=False)
    written, span = _written(link)
    bracket = network.find(similar(written, (n.name for n in network)) or "") if "[" in written else None
    if bracket is not None and "[" in bracket.name:
        return _in_brackets(model, bracket, link.id_span, span, safe=False)
    elements = [n.name for n in network.by_name() if n.name.lower().startswith(f"{link.id.lower()}[")]
    if elements:
        return BsError(
            "model-node", f"the node '{elements[0]}' of '{path}' cannot be reached by name", link.id_span,
            help=f"{_BRACKETS}: go through the inputs of another node",
        )  # fmt: skip
    names = [link.id, *(a.id for a in rest)]
    reachable = [a for n in network.by_name() if (a := access_name(network, n))]
    meant = similar("_".join(names), reachable) or similar(link.id, reachable)
    span = link.id_span
    if meant and rest and similar(link.id, reachable) != meant:
        span = Span(span.source, span.start, rest[-1].id_span.end)
    fixes = [Fix(f"change to {meant}", (Edit(span, meant),), safe=True)] if meant else []
    nodes = "its nodes: " + ", ".join(reachable[:_MAX_SHOWN]) + (", ..." if len(reachable) > _MAX_SHOWN else "")
    return BsError(
        "model-node", f"unknown identifier '{link.id}': the loaded network '{path}' has no such node", span,
        help=f"did you mean '{meant}'?" if meant else nodes, fixes=fixes,
    )  # fmt: skip


def inner_node(model: NetworkValue, link: tree.Access) -> BsError | None:
    """For `net.a.b` or `net.a[0].b` where the log has a node `a.b` or `a[0].b`: how that is written."""
    network, path = model.loaded, model.path
    written, _ = _written(link)
    for end in sorted({e.start() for e in _PART_END.finditer(written)} - {len(link.id)}, reverse=True):
        node = network.find("".join(written[:end].split()))
        if node is None:
            continue
        at = link.home.offset + link.id_start
        span = link.home.text.span(at, at + end)
        name = access_name(network, node)
        if name is None:
            return _in_brackets(model, node, link.id_span, span, safe=True)
        return BsError(
            "model-node", f"the loaded network '{path}' has no record '{link.id}'", span,
            help=f"nodes of a loaded network are not records: '.' in a node's name becomes '_', so write {name}",
            fixes=[Fix(f"change to {name}", (Edit(span, name),), safe=True)],
        )  # fmt: skip
    return None


def _written(link: tree.Access) -> tuple[str, Span]:
    """The name behind the dot with all that follows as a name of a node might."""
    text, at = link.home.text, link.home.offset + link.id_start
    m = _REST.match(text.text, at)
    end = m.end() if m is not None else at + len(link.id)
    return text.text[at:end], text.span(at, end)


def _in_brackets(model: NetworkValue, node: Node, place: Span, written: Span, *, safe: bool) -> BsError:
    """For a node whose name cannot be written, which was tried at `written`."""
    way = access_path(model.loaded, node)
    message = f"the node '{node.name}' of '{model.path}' cannot be reached by name"
    plain = "give the node a plain name when the network is made"
    if way is None:
        return BsError("model-node", message, place, help=f"{_BRACKETS}: {plain}")
    return BsError(
        "model-node", message, place, help=f"{_BRACKETS}: write {way}, or {plain}",
        fixes=[Fix(f"change to {way}", (Edit(written, way),), safe=safe)],
    )  # fmt: skip


def written_like_another(model: NetworkValue, link: tree.Access) -> Finding | None:
    """For `net.a_b` where `a.b` is meant because it comes first, and there is an `a_b` of other parts as well."""
    if link.id in model.network:
        return None
    network = model.loaded
    meant, *others = written_alike(network, link.id)
    if not others:
        return None
    hidden = access_path(network, others[0])
    return Finding(
        "model-node", f"'{link.id}' means '{meant.name}' here; '{others[0].name}' of '{model.path}' is written the same",
        link.id_span, Severity.WARNING,
        help=f"if that was meant, write {hidden}" if hidden else "only the first one by name can be reached so",
        fixes=[Fix(f"change to {hidden}", (Edit(link.id_span, hidden),))] if hidden else [],
    )  # fmt: skip
