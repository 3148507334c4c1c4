"""A node that a loaded network does not have, or that is written in the wrong way."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.finding import Finding, Severity
from bsls.network.cloning import duplicate
from bsls.resolve.names import node_help
from bsls.resolve.node_texts import node_texts


def check(context: Context) -> Iterator[Finding]:
    """Names in edit functions that no node has: they change nothing, and a run does not say so.

    What is wrong with `net.name`, and with names in scripts, is found where they are evaluated.
    """
    for checked in context.networks:
        evaluation = checked.evaluation
        if evaluation is None or not evaluation.loaded or not all(m.complete for m in evaluation.loaded):
            continue
        text = evaluation.scope.source if evaluation.scope is not None else evaluation.expression
        known = {name for model in evaluation.loaded for name in model.names}
        known |= {node.name for node in evaluation.network or ()}
        for name in node_texts(text) if text is not None else ():
            if name.value not in known:
                span = name.home.text.span(name.home.offset + name.start + 1, name.home.offset + name.end - 1)
                first = evaluation.loaded[0]
                help, fixes = node_help(name.value, duplicate(first.network, first.names), span)
                yield Finding(
                    "model-node", f"the loaded network has no node '{name.value}': nothing is changed here", span,
                    Severity.WARNING, help=help or "names of nodes are those that the log prints; capitals matter", fixes=fixes,
                )  # fmt: skip


RULE = Rule(
    "model-node", "BS102", 'A node that a loaded network does not have, or that is written in the wrong way.',
    r"""    net = BS.Network.Load ("model.dnn")
    feat = BS.Network.CloneFunction (net.x, net.L4.y)     # write net.L4_y

The log prints the node's name as `L4.y`, but a loaded network has no records: its members are its nodes, and in their
names `.` becomes `_`. Brackets do not: a node called `h[1]` is reached through the inputs of another one, as
`net.z.inputs[0]`. Of two nodes that are written the same, as `a.b_c` and `a_b.c`, the first one by name is meant.

In edit functions (`node.name == "L4.y"`) and in scripts of the model editing language (`m.L4.y`, `m.L4.*`) names are
those that the log prints.""",
    check,
)  # fmt: skip
