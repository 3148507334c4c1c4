"""BS.Network.CloneFunction with arguments that do not fit."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "clone", "BS103", 'BS.Network.CloneFunction with arguments that do not fit.',
    r"""    f = BS.Network.CloneFunction ((net.x : net.y), net.z)     # z does not depend on y

The first argument lists all inputs of the new function, the second its output or a record of outputs; `parameters` is
'learnable' (copied and trained on), 'constant' (copied and frozen) or 'shared' (not copied).""",
)  # fmt: skip
