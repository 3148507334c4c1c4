"""A change to a model that an editing script cannot make."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "model-edit", "BS140", "A change to a model that an editing script cannot make.",
    """Scripts of the model editing language (`editPath`) change the graph node by node, so that nothing may be left
without its inputs.

    m = LoadModel ("net.dnn")
    SetDefaultModel (m)
    Remove (h)          # h is still an input of z: SetInput (z, 1, x) before, or Remove (z)""",
)  # fmt: skip
