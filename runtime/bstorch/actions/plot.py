"""`plot`: the graph of a model as a dot file of Graphviz, and a command that may draw it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator

from bsls.config.actions import Drawing, drawing
from bsls.config.commands import Command
from bsls.modelfile.atomic import make_folder
from bsls.network.network import Network
from bsls.network.node import GROUPS, Node
from bsls.schema.ops.normalization import STATISTICS
from bstorch.actions.common import existing_model, loaded_network, writing
from bstorch.context import RunContext
from bstorch.kernels.base import has_axis, shape_of

_DELAY_COLORS = {"PastValue": "lightgray", "FutureValue": "red"}
_DELAY = 'node [ shape = box3d  , color = {color}, style = "filled" , {more} ] '


def run(command: Command, context: RunContext) -> None:
    """Writes `outputDotFile` (default: the model's name and `.dot`), then runs `renderCmd` if there is one."""
    path = existing_model(command)
    drawn = drawing(command.section)
    network = loaded_network(path.text)
    named = command.section.get("outputDotFile")
    with writing(drawn.dot, path.span if named is None else named.span):
        make_folder(os.path.dirname(drawn.dot))
        with open(drawn.dot, "w", encoding="utf-8") as file:
            file.writelines(f" {statement}" for statement in dot_statements(network))
    context.say(f"Created network description in dot format: {drawn.dot}")
    if drawn.command:
        _draw(drawn, context)
    context.say("Done.")


def _draw(drawn: Drawing, context: RunContext) -> None:
    """Starts the program, without a shell; a picture that is not made ends no run."""
    line = shlex.join(drawn.command)
    if not drawn.may_run:
        context.say(f"WARNING: this command is not run, as a config may start programs of Graphviz only: {line}")
        return
    context.say("Executing third-party tool for rendering dot:")
    context.say(line)
    context.flush()
    try:
        code = subprocess.run(drawn.command, stdout=sys.stderr, check=False).returncode
    except OSError as error:
        context.say(f"WARNING: '{drawn.command[0]}' cannot be started: {error.strerror}. Is Graphviz installed?")
        return
    if code:
        context.say(f"WARNING: this command ended with the exit code {code}.")


def dot_statements(network: Network) -> Iterator[str]:
    """The dot file in the pieces that the reference writes, each with a blank before it."""
    nodes, groups = network.by_name(), network.groups
    yield "strict digraph {\n"
    yield "rankdir = BT ;  \n"
    yield "// special nodes \n"
    box = 'node [ shape = box     , color = gray , style = "filled, rounded"  ]; '
    yield _styled(box, (n for n in nodes if n.is_parameter))
    yield _styled("node [ shape = ellipse , color = red  , fillcolor = white ]; ", groups["feature"])
    yield _styled("node [ shape = diamond, color = brown, style = bold ] ;  ", groups["label"])
    yield _styled("node [ shape = doublecircle , color =  red , fillcolor = white  ]; ", groups["criterion"])
    box = 'node [ shape = box    , color = black, style = "dashed, filled",  fillcolor= limegreen ] ;'
    yield _styled(box, (n for n in nodes if n.op in STATISTICS))
    for op, color in _DELAY_COLORS.items():
        yield _styled(_DELAY.format(color=color, more="fillcolor = white"), (n for n in nodes if n.op == op))
    yield "node [ shape = ellipse, color = blue, fillcolor = white, style = solid ]; \n"
    yield "\n// add labels and operation name\n"
    for node in nodes:
        yield f' "{node.name}" [ label = "{node.name} [{_shape(node)}]\\n{node.op}" ] ;\n'
    for rank, names in (("source", ("feature",)), ("sink", ("criterion", "output", "evaluation"))):
        yield "subgraph {\n"
        yield f"\t\t rank={rank} ; "
        yield _quoted(n for group in names for n in groups[group]) + "\n}\n"
    for user, source in arcs(network):
        yield _arc(user, source)
    yield "\n}\n"


def arcs(network: Network) -> Iterator[tuple[Node, Node]]:
    """The pairs of a node and an input of it, from the special nodes on down and the last input first."""
    visited: set[Node] = set()
    for group in GROUPS:
        for root in network.groups[group]:
            work = [root]
            while work:
                node = work.pop()
                if node in visited:
                    continue
                yield from ((node, source) for source in node.inputs)
                work += (source for source in node.inputs if source not in visited)
                visited.add(node)


def _arc(user: Node, source: Node) -> str:
    color = _DELAY_COLORS.get(source.op)
    if color is None:
        return f'"{source.name}" -> "{user.name}" ; \n'
    stand_in = f'"{source.name}.dummy"'  # so that no loop is drawn
    label = f'label = "{source.name}\\n({source.op})"'
    return f'{_DELAY.format(color=color, more=label)}; {stand_in}\n{stand_in} -> "{user.name}" ; \n'


def _shape(node: Node) -> str:
    return " x ".join(map(str, shape_of(node).dims)) + (" x *" if has_axis(node) else "")


def _quoted(nodes: Iterable[Node]) -> str:
    return "".join(f'"{n.name}" ' for n in nodes)


def _styled(style: str, nodes: Iterable[Node]) -> str:
    names = _quoted(nodes)
    return f"{style}{names}; \n" if names else ""
