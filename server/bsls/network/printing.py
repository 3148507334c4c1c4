"""Networks as text, in the words of the reference's log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bsls.network.loops import recurrent_loops
from bsls.network.network import Network
from bsls.network.validation import Validation

_PER_LINE = 3  # names of a loop's nodes


def validation_log(network: Network, validation: Validation) -> Iterator[str]:
    """The lines that the reference prints when a network was made or loaded."""
    roots = network.roots()
    yield ""
    yield "Post-processing network..."
    yield ""
    yield f"{len(roots)} roots:"
    for root in roots:
        yield f"\t{root.name} = {root.op}()"
    for number, loop in enumerate(recurrent_loops(network)):
        yield ""
        yield f"Loop[{number}] --> {loop.name} -> {len(loop.nodes)} nodes"
        yield ""
        for i in range(0, len(loop.nodes), _PER_LINE):
            yield "".join(f"\t{node.name}" for node in loop.nodes[i : i + _PER_LINE])
    for number, (todo, lines) in enumerate(validation.passes, 1):
        yield ""
        yield f"Validating network. {todo} nodes to process in pass {number}."
        yield ""
        yield from lines
    yield from ("", "Validating network, final pass.", "", "", "", "")
    yield "Post-processing network complete."
    yield ""


def evaluation_log(models: Iterable[tuple[Network, Validation]]) -> Iterator[str]:
    """The lines about several networks one after another: first those that were loaded, then the one that uses them."""
    for network, validation in models:
        yield from validation_log(network, validation)


def banner(command: str, action: str) -> Iterator[str]:
    """The box that the reference prints before each action."""
    edge = "#" * 78
    empty = f"#{'':76}#"
    text = f" {command} command ({action} action)"
    yield from ("", edge, empty, f"#{text:76}#", empty, edge, "")
