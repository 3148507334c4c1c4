"""Which commands a config has, and what is said of those that do not exist."""

from __future__ import annotations

import pytest

from bsls.config import parse_config
from bsls.config.commands import ACTIONS, BUILDERS, commands
from bsls.finding import BsError


@pytest.mark.parametrize(("text", "expected"), [
    ("command = a:b\na = [action = train]\nb = [action = write:test]", "a train, b write, b test"),
    ('command = "a"\na = [action = "train"]', "a train"),
    ("command = (a : a)\na = [action = test]", "a test, a test"),
    ("command = A\na = [action = train]", "A train"),
    ("command = a,b\na = [action = train]\nb = [action = test]", "a train"),
    ("command = $c$\nc = a\na = [action = train]", "a train"),
    ("command = a\na = {action = cv}", "a cv"),
    ("command = a\naction = test\na = [x = 1]", "a test"),
    ("train = [action = train]", "train train"),
])  # fmt: skip
def test_commands(text: str, expected: str) -> None:
    assert ", ".join(f"{c.name} {c.action}" for c in commands(parse_config(text))) == expected


@pytest.mark.parametrize(("text", "rule", "at", "help"), [
    ("x = 1", "missing-key", "", "add `command = name`"),
    ("command = trian\ntrain = [action = train]\ntest = [x = 1]", "unknown-command", "trian", "did you mean 'train'?"),
    ("command = zzz\ntrain = [action = train]\ntest = {x = 1}", "unknown-command", "zzz", "sections: train, test"),
    ("command = a\na = [x = 1]", "missing-key", "a", 'add `action = "train"`, or another action'),
    ("command = a\na = 1", "missing-key", "a", 'add `action = "train"`, or another action'),
    ("command = a\na = [action = trian]", "unknown-action", "trian", "did you mean 'train'?"),
    ('command = a\na = [action = "Write"]', "unknown-action", "Write", "did you mean 'write'?"),
    ("command = a\na = [action = train:dumpnodes]", "unknown-action", "dumpnodes", "did you mean 'dumpNodes'?"),
    ("command = a\na = [action = zzz]", "unknown-action", "zzz", "actions: train, trainRNN"),
])  # fmt: skip
def test_mistakes(text: str, rule: str, at: str, help: str) -> None:
    with pytest.raises(BsError) as caught:
        commands(parse_config(text))
    finding = caught.value.finding
    assert finding.span is not None
    assert (finding.rule, finding.span.text) == (rule, at)
    assert finding.help.startswith(help)
    if help.startswith("did you mean"):
        assert finding.fixes[0].edits[0].span == finding.span
        assert finding.fixes[0].edits[0].text in help


@pytest.mark.parametrize(("text", "key"), [
    ("", None),
    ("BrainScriptNetworkBuilder = {}", "BrainScriptNetworkBuilder"),
    ("ExperimentalNetworkBuilder = {} ; NDLNetworkBuilder = []", "NDLNetworkBuilder"),
    ("brainscriptnetworkbuilder = {} ; SimpleNetworkBuilder = []", "SimpleNetworkBuilder"),
])  # fmt: skip
@pytest.mark.parametrize("place", ["command = a\na = [action = train ; %s]", "command = a\n%s\na = [action = train]"])
def test_builder(place: str, text: str, key: str | None) -> None:
    """The first kind of network description counts, from the section or from around it."""
    (command,) = commands(parse_config(place % text))
    found = command.builder()
    assert (found.key.lower() if found else None) == (key.lower() if key else None)


def test_settings_of_a_command() -> None:
    text = "precision = Double\ntraceLevel = 2\nmodelPath = m\ncommand = a:b\na = [action = train]\nb = [action = test ; modelPath = default]"
    first, second = commands(parse_config(text))
    assert (first.precision, first.trace_level) == ("double", 2)
    assert first.model_path is not None and first.model_path.text == "m"
    assert second.model_path is None


def test_actions_that_write_a_model_say_where() -> None:
    assert {a.writes for a in ACTIONS.values() if a.network == "build"} == {"modelPath"}
    assert BUILDERS[0] == "createNetwork"
