"""Where an offset is in the outer config."""

from __future__ import annotations

import pytest

from bsls.features.config_place import place_in_config, unquoted
from features.editing import at_cursor

READER = (
    'T = {\n    action = "train"\n    reader = {\n        readerType = "CNTKTextFormatReader"\n        %s\n    }\n}\n'
)
ARRAY = "T = {{ action = train ; reader = {{ deserializers = ({}) }} }}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # the kind of block, key or value, what is typed
        ("‸", "top key ''"),
        ("comm‸and", "top key 'command'"),
        ("command‸ = A", "top key 'command'"),
        ("command =‸", "top value ''"),
        ("command = ‸", "top value ''"),
        ("command = A:‸", "top value ''"),
        ("command = A:B‸C:D", "top value 'BC'"),
        ('command = "A:B‸C:D"', "top value 'BC'"),
        ("command = A ‸", "top value ''"),
        ('command = "A" ‸', "top key ''"),
        ("command = A\n‸", "top key ''"),
        ("a = 1 ; b‸", "top key 'b'"),
        ('modelPath = "a/b‸.dnn"', "top value 'a/b.dnn'"),
        ("outputNodeNames = L1.y[0‸]", "top value 'L1.y[0]'"),
        ("# comm‸ent", None),
        ("a = 1 # comm‸ent", None),
        ("T = {\n    ‸\n}", "command key ''"),
        ("T = {\n    act‸\n}", "command key 'act'"),
        ("T = {\n    act‸\n", "command key 'act'"),
        ("T = { action = train ; ‸ }", "train key ''"),
        ('T = [\n    action = "test:write"\n    ‸\n]', "test key ''"),
        ("action = write\nT = {\n    ‸\n}", "write key ''"),
        ("T = { action = train ; SGD = { AutoAdjust = { ‸ } } }", "SGD.AutoAdjust key ''"),
        ("SGD = {\n    maxEpochs = 3‸\n}", "SGD value '3'"),
        ("T = { SGD = { ‸ } }", "SGD key ''"),
        (READER % "‸", "reader:CNTKTextFormatReader key ''"),
        (READER % "input = { ‸ }", "reader:CNTKTextFormatReader.input key ''"),
        (READER % 'input = { x = { dim = 3 ; format = "de‸nse" } }', "reader:CNTKTextFormatReader.input.<name> value 'dense'"),
        ("T = { nonsense = { deep = { ‸ } } }", " key ''"),
        (ARRAY.format("{ type = CNTKTextFormatDeserializer ; ‸ }"), "deserializers key ''"),
        (ARRAY.format("{ input = { x = { dim‸ = 3 } } }"), "deserializers.input.<stream> key 'dim'"),
        (ARRAY.format('{ input = { x = { transforms = ({ type = "Crop" } : { type = "Mean" ; ‸ }) } } }'), "deserializers.transforms.Mean key ''"),
        (ARRAY.format("{ a = 1 }) ; ‸ ; (b = "), "reader:CompositeReader key ''"),
        ("T = { BrainScriptNetworkBuilder = { z = ‸ } }", None),
        ("T = { NDLNetworkBuilder = [ ‸ ] }", None),
        ("T = { BrainScriptNetworkBuilder = ‸{ } }", "command value ''"),
    ],
)  # fmt: skip
def test_places(text: str, expected: str | None) -> None:
    document, offset = at_cursor(text)
    place = place_in_config(document, offset)
    if place is None:
        assert expected is None
        return
    assert f"{place.kind} {'value' if place.in_value else 'key'} {place.word.text!r}" == expected
    assert len(place.blocks) == len(place.kinds) == len(place.chain) + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        (' "a" ', "a"),
        ('"a" "b"', 'a" "b'),
        ('a"b"', 'a"b"'),
        ('"a', "a"),
        ('"', ""),
        ('""', ""),
    ],
)
def test_values_without_quotes(text: str, expected: str) -> None:
    assert unquoted(text) == expected
