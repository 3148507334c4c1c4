"""The table of config keys and the code that reads the settings say the same."""

from __future__ import annotations

import dataclasses
import math

import pytest

from bsls.config.commands import ACTIONS, BUILDERS
from bsls.config.sgd import (
    DEFAULT_MINIBATCH_SIZE,
    DEFAULT_MOMENTUM_PER_MINIBATCH,
    GRADIENT_UPDATES,
    RATE_CONTROLS,
    RateControl,
    SGDSettings,
)
from bsls.schema import config

FIELDS = {
    "variance_time_constant": "varianceTimeConstant",
    "target_denominator": "fsAdagradTargetAvDenom",
    "rms_increase": "rms_wgt_inc",
    "rms_decrease": "rms_wgt_dec",
    "rms_max": "rms_wgt_max",
    "rms_min": "rms_wgt_min",
    "rms_gamma": "rms_gamma",
    "adam_mean_momentum": "adam_meanMomentum",
    "adam_variance_momentum": "adam_varMomentum",
    "adam_epsilon": "adam_epsilon",
    "average_multiplier": "normWithAveMultiplier",
    "recompute_activations": "recomputeActivations",
    "compile": "compile",
}
RATE_FIELDS = {
    "method": "autoAdjustLR",
    "reduce_if_improve_less_than": "reduceLearnRateIfImproveLessThan",
    "continue_reduce": "continueReduce",
    "interval": "learnRateAdjustInterval",
    "decrease_factor": "learnRateDecreaseFactor",
    "increase_if_improve_more_than": "increaseLearnRateIfImproveMoreThan",
    "increase_factor": "learnRateIncreaseFactor",
    "load_best_model": "loadBestModel",
    "use_validation": "UseCVSetControlLRIfCVExists",
    "use_evaluation": "UseEvalCriterionControlLR",
    "adjust_minibatch": "autoAdjustMinibatch",
    "minibatch_tuning_frequency": "minibatchSizeTuningFrequency",
    "minibatch_tuning_max": "minibatchSizeTuningMax",
    "minibatch_error_margin": "minibatchSearchCriterionErrorMargin",
    "previous_rates": "numPrevLearnRates",
    "best_search_epochs": "numBestSearchEpoch",
}


def default(block: str, name: str) -> object:
    key = config.find(block, name)
    assert key, name
    return math.inf if key.default == "1#INF" else key.default


def test_actions() -> None:
    command = config.block("command")
    assert command and command.choice
    known = {name for name, block in command.choice.blocks.items() if not config.block(block).removed}  # type: ignore[union-attr]
    key = config.find("command", "action")
    assert key and known == set(key.values) == set(ACTIONS)


def test_network_builders() -> None:
    assert all(config.find("train", name) for name in BUILDERS)


@pytest.mark.parametrize(
    ("block", "name", "words"),
    [("SGD", "gradUpdateType", GRADIENT_UPDATES), ("SGD.AutoAdjust", "autoAdjustLR", RATE_CONTROLS)],
)
def test_words(block: str, name: str, words: dict[str, str]) -> None:
    key = config.find(block, name)
    assert key and {value.lower() for value in key.values} == set(words) - {""}


def test_defaults_of_sgd() -> None:
    assert default("SGD", "minibatchSize") == DEFAULT_MINIBATCH_SIZE
    assert default("SGD", "momentumPerMB") == DEFAULT_MOMENTUM_PER_MINIBATCH
    found = {f.name: f.default for f in dataclasses.fields(SGDSettings) if f.name in FIELDS}
    assert found == {field: default("SGD", name) for field, name in FIELDS.items()}


def test_defaults_of_rate_control() -> None:
    found = {f.name: f.default for f in dataclasses.fields(RateControl) if f.name in RATE_FIELDS}
    assert found == {field: default("SGD.AutoAdjust", name) for field, name in RATE_FIELDS.items()}
