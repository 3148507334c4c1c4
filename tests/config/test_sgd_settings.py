"""The SGD block as typed settings."""

from __future__ import annotations

import math

import pytest

from bsls.config import parse_config
from bsls.config.sgd import SGDSettings, float32, read_sgd
from bsls.finding import BsError


def settings(text: str) -> SGDSettings:
    section = parse_config(f"SGD = [\nmaxEpochs = 3 ; learningRatesPerSample = 0.1\n{text}\n]").own_section("SGD")
    assert section is not None
    return read_sgd(section)


def test_defaults():
    found = settings("")
    assert (found.max_epochs, found.epoch_size, found.minibatch_size[0]) == (3, 0, 256)
    assert found.momentum_per_sample(0) ** 256 == pytest.approx(0.9)
    assert (found.update, found.show_every, found.show_first) == ("none", 10, 0)
    assert found.min_rate == float32(1e-9)


def test_schedules_repeat_their_last_value():
    found = settings("minibatchSize = 8:16*2:32\ndropoutRate = 0.5*2:0")
    assert [found.minibatch_size[e] for e in range(6)] == [8, 16, 16, 32, 32, 32]
    assert [found.dropout_rate[e] for e in range(4)] == [0.5, 0.5, 0, 0]


def test_rates_are_32_bit_floats():
    assert settings("").learning_rate(0) == float32(0.1) != 0.1


def test_rates_per_minibatch_are_divided_by_the_configured_size():
    text = "SGD = [ maxEpochs = 2 ; minibatchSize = 10:20 ; learningRatesPerMB = 0.5 ]"
    section = parse_config(text).own_section("SGD")
    assert section is not None
    found = read_sgd(section)
    assert [found.learning_rate(e) for e in range(3)] == [float32(0.05), float32(0.025), float32(0.025)]


@pytest.mark.parametrize(
    ("text", "momentum"),
    [
        ("momentumPerSample = 0.75", 0.75),
        ("momentumAsTimeConstant = 100", float32(math.exp(-0.01))),
        ("momentumAsTimeConstant = 0", 0.0),
        ("momentumPerMB = 0.5\nminibatchSize = 4", 0.5**0.25),
        ("momentumPerMB = 0", 0.0),
    ],
)
def test_momentum_of_a_sample(text, momentum):
    assert settings(text).momentum_per_sample(0) == pytest.approx(momentum, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "rule", "at"),
    [
        ("SGD = [\nmaxEpochs = 2\n]", "missing-key", "SGD"),
        ("SGD = [\nlearningRatesPerMB = 1\n]", "missing-key", "SGD"),
        ("SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; learningRatesPerSample = 2 ]", "conflicting-keys", "1"),
        (
            "SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; momentumPerMB = .5 ; momentumPerSample = .25 ]",
            "conflicting-keys",
            ".5",
        ),
        ("SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; momentumPerMB = 0.5:1 ]", "config-value", "1"),
        ("SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; dropoutRate = 1 ]", "config-value", "1"),
        ("SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; epochSize = 100 ]", "config-value", "100"),
        ("SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; gradUpdateType = fast ]", "config-value", "fast"),
        ("SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; gradientcheck = true ]", "config-value", "true"),
        ("SGD = [\nmaxEpochs = 2 ; learningRatesPerMB = 1 ; maxSamplesInRAM = 0 ]", "config-value", "0"),
    ],
)
def test_mistakes_are_found_where_they_are(text, rule, at):
    section = parse_config(text).own_section("SGD")
    assert section is not None
    with pytest.raises(BsError) as caught:
        read_sgd(section)
    finding = caught.value.finding
    assert finding.rule == rule
    assert finding.span is not None
    assert finding.span.text == at
    assert finding.help


@pytest.mark.parametrize(
    ("keys", "accepted"),
    [("learningRatesPerSample = 0.1 ; momentumPerMB = 0", True), ("learningRatesPerSample = 0.1 ; momentumPerMB = 0:0.5", False),
     ("learningRatesPerSample = 0.1", False), ("learningRatesPerMB = 0.1 ; momentumPerMB = 0", False)],
)  # fmt: skip
def test_truncated_wants_what_is_per_sample(keys: str, accepted: bool) -> None:
    block = parse_config(f"truncated = true\nSGD = [ maxEpochs = 1 ; {keys} ]").section("SGD")
    assert block is not None
    if accepted:
        assert not any(read_sgd(block).momenta.values)
    else:
        with pytest.raises(BsError, match="per sample"):
            read_sgd(block)
