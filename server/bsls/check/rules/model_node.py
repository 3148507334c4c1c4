"""A node that a loaded network does not have, or that is written in the wrong way."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "model-node", "BS102", 'A node that a loaded network does not have, or that is written in the wrong way.',
    r"""    net = BS.Network.Load ("model.dnn")
    feat = BS.Network.CloneFunction (net.x, net.L4.y)     # write net.L4_y

The log prints the node's name as `L4.y`, but a loaded network has no records: its members are its nodes, and in their
names `.` becomes `_`. Brackets do not: a node called `h[1]` cannot be reached by name.""",
)  # fmt: skip
