"""The functions of NDL and the commands of editing scripts fit the operations, and each name means one thing."""

from __future__ import annotations

import pytest

from bsls.schema import mel, ndl
from bsls.schema.ops import get


@pytest.mark.parametrize("function", ndl.FUNCTIONS, ids=lambda f: f.name)
def test_function(function: ndl.Function) -> None:
    op = get(function.operation)
    assert op is not None
    for name in (function.name, function.alternate):
        assert not name or ndl.find(name.upper()) is function
    for form in function.forms:
        assert all(o.doc.endswith(".") for o in form.options)
        if function.name != "BatchNormalization":
            nodes = sum(a.kind == "node" for a in form.arguments)
            assert op.arity[0] <= nodes or not op.inputs


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("LoadM", "LoadModel"), ("loadmodelw", "LoadModelWithName"), ("Lo", None), ("Save", "SaveModel"), ("SaveMo", "SaveModel"),
        ("Copy", "CopyNode"), ("CopyS", "CopySubTree"), ("Del", "RemoveNode"), ("Remove", "RemoveNode"), ("Set", None),
        ("SetProp", "SetProperty"), ("SetPropertyFor", "SetPropertyForSubTree"), ("RenameNode", None), ("Dump", "DumpModel"),
        ("DumpN", "DumpNode"), ("CreateModel", "CreateModel"), ("", None),
    ],
)  # fmt: skip
def test_abbreviated_commands(word: str, name: str | None) -> None:
    found = mel.find(word)
    assert (found.name if found else None) == name
