"""The table of config keys: well-formed throughout, and found as the config language looks keys up."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from bsls.features.describe import key_text
from bsls.schema import config

BASES = {"int", "float", "bool", "string", "path", "enum", "node", "block"}
TYPE = re.compile(r"(array|schedule)<(\w+)>|(\w+)")


def base_types(key: config.Key) -> set[str]:
    found = set()
    for part in key.types:
        match = TYPE.fullmatch(part)
        assert match, part
        found.add(match[2] or match[3])
    return found


def test_table_is_complete() -> None:
    assert len(config.blocks()) >= 75
    assert sum(len(config.block(name).own_keys) for name in config.blocks()) >= 640  # type: ignore[union-attr]


def check_entry(name: str, key: config.Key) -> None:
    assert re.fullmatch(r"\w+", key.name)
    types = base_types(key)
    assert types <= BASES
    assert key.doc.strip() == key.doc and key.doc.endswith(".")
    assert not (key.required and (key.default is not None or key.required_when))
    if "enum" in types:
        assert key.values
        if isinstance(key.default, str):
            assert key.allows(key.default)
    if key.range:
        assert types <= {"int", "float"}
        assert re.fullmatch(r"[\[(](-inf|-?\d+), (inf|\d+)[\])]", key.range)
        if isinstance(key.default, (int, float)):
            assert key.within(key.default)
    if "bool" in types and len(types) == 1 and key.default is not None:
        assert isinstance(key.default, bool)
    if types == {"int"} and key.default is not None:
        assert isinstance(key.default, (int, list)) and not isinstance(key.default, bool)
    if types == {"float"} and key.default not in (None, "1#INF"):
        assert isinstance(key.default, (int, float))
    if key.replaced_by:
        assert config.find(name, key.replaced_by) or config.find("top", key.replaced_by)


@pytest.mark.parametrize("name", config.blocks())
def test_block_is_well_formed(name: str) -> None:
    kind = config.block(name)
    assert kind and kind.doc.endswith(".")
    assert not kind.extends or config.block(kind.extends)
    targets = [o.block for o in kind.openings] + list(kind.choice.blocks.values() if kind.choice else ())
    assert all(config.block(target) for target in targets)
    for opening in kind.openings:
        if opening.key != "*":
            assert config.find(name, opening.key), opening.key
    for key in kind.own_keys.values():
        check_entry(name, key)


def test_every_block_can_be_reached_from_the_top() -> None:
    assert set(config.below("top")) | {"top"} == set(config.blocks())


def test_lookups_ignore_case() -> None:
    assert config.find("SGD", "MAXEPOCHS") is config.find("SGD", "maxEpochs") is config.keys("SGD")["maxepochs"]
    assert config.find("SGD", "maxepoch") is None
    assert config.find("no such block", "maxEpochs") is None


def test_aliases_are_found() -> None:
    assert config.find("train", "optimizer") is config.find("train", "SGD")


def test_inherited_keys() -> None:
    assert config.find("reader:ImageReader", "readerType") is config.find("reader", "readerType")
    assert config.find("trainRNN", "maxEpochs") is None
    assert config.find("trainRNN", "cvReader") is config.find("train", "cvReader")


def test_a_key_may_stand_further_out() -> None:
    found = config.find_below("train", "minibatchSize")
    assert found and found[0] == "SGD"
    assert config.find_below("top", "randomize")
    assert config.find_below("reader:CNTKTextFormatReader", "dim") is None  # a stream looks in its own block alone


@pytest.mark.parametrize(
    ("block", "key", "inner", "expected"),
    [
        ("top", "Anything", {"action": "write"}, "write"),
        ("top", "Anything", {"action": "test:write"}, "test"),
        ("top", "Anything", {"action": "nonsense"}, "command"),
        ("top", "Variable", {"x": "1"}, None),
        ("top", "sgd", {}, "SGD"),
        ("train", "sgd", {}, "SGD"),
        ("train", "optimizer", {}, "SGD"),
        ("train", "reader", {}, "reader:CNTKTextFormatReader"),
        ("train", "cvReader", {"readertype": "HTKDeserializers"}, "reader:HTKMLFReader"),
        ("train", "reader", {"readertype": "uciFastReader"}, "reader"),  # capitals of a readerType matter
        ("train", "reader", {"deserializers": "(…)"}, "reader:CompositeReader"),
        ("train", "reader", {"readers": "a:b"}, "reader"),
        ("reader", "a", {"readertype": "UCIFastReader"}, "reader:UCIFastReader"),
        ("reader:CNTKTextFormatReader.input", "x", {}, "reader:CNTKTextFormatReader.input.<name>"),
        ("reader:UCIFastReader", "y", {"labeldim": "3"}, "reader:UCIFastReader.labels"),
        ("reader:UCIFastReader", "x", {"dim": "3"}, "reader:UCIFastReader.features"),
        ("reader:CompositeReader", "deserializers", {"type": "ImageDeserializer"}, "deserializers"),
        ("deserializers.input.<stream>", "transforms", {"type": "Scale"}, "deserializers.transforms.Scale"),
        ("SGD.ParallelTrain", "modelaveragingsgd", {}, "SGD.ParallelTrain.ModelAveragingSGD"),
        ("SGD", "AutoAdjustLR", {}, None),
    ],
)
def test_blocks_opened_by_keys(block: str, key: str, inner: dict[str, str], expected: str | None) -> None:
    assert config.opens(block, key, inner) == expected
    assert config.opens(block, key, inner.get) == expected


def test_actions_mind_capitals() -> None:
    assert config.actions("dumpNode:Write:plot") == ["dumpNodes", "command", "plot"]


def test_values_and_ranges() -> None:
    kind = config.find("write.format", "type")
    rule = config.find("SGD", "gradUpdateType")
    rate = config.find("SGD", "dropoutRate")
    assert kind and rule and rate
    assert kind.allows("category") and not kind.allows("Category")
    assert rule.allows("ADAGRAD") and not rule.allows("adagradd")
    assert rate.within(0) and not rate.within(1) and not rate.within(-0.1)


def test_known_in_names_the_blocks_of_a_key() -> None:
    assert "SGD" in config.known_in("learningratesperSample")


def test_one_family_is_read_at_a_time() -> None:
    code = "from bsls.schema import config; config.keys('SGD'); print(config._family.cache_info().currsize)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "1"


def test_keys_of_our_own_are_said_to_be_so() -> None:
    ours = [key for name in config.blocks() for key in config.block(name).own_keys.values() if key.ours]  # type: ignore[union-attr]
    assert [key.name for key in ours] == [
        "matrixPrecision",
        "randomNumbers",
        "checkpointEvery",
        "recomputeActivations",
        "compile",
    ]
    assert all("**Of bsls**" in key_text(key) for key in ours)
