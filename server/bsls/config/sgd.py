"""The `SGD` block as typed settings: defaults, units and limits of the reference, without any training code."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bsls.config.section import Section, Value
from bsls.finding import BsError
from bsls.source import Span

T = TypeVar("T")

DEFAULT_MINIBATCH_SIZE = 256
DEFAULT_MOMENTUM_PER_MINIBATCH = 0.9
GRADIENT_UPDATES = {
    "": "none", "none": "none", "normal": "none", "simple": "none",
    "adagrad": "adagrad", "rmsprop": "rmsProp", "fsadagrad": "fsAdagrad", "adam": "adam",
}  # fmt: skip
"""Words for `gradUpdateType` in lower case, and the rule that each stands for."""
RATE_CONTROLS = {
    "none": "none", "false": "none",
    "searchbeforeepoch": "searchBeforeEpoch", "beforeepoch": "searchBeforeEpoch", "before": "searchBeforeEpoch",
    "adjustafterepoch": "adjustAfterEpoch", "afterepoch": "adjustAfterEpoch", "after": "adjustAfterEpoch",
}  # fmt: skip
"""Words for `autoAdjustLR` in lower case, and what each stands for."""


def float32(value: float) -> float:
    """`value` rounded to a 32-bit float, in which the reference keeps rates and momenta."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


class Schedule(Generic[T]):
    """A value for each epoch (from 0); the last one holds for all later epochs."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[T]) -> None:
        self.values = tuple(values)

    def __getitem__(self, epoch: int) -> T:
        return self.values[min(epoch, len(self.values) - 1)]

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"Schedule{self.values}"


@dataclass(frozen=True, slots=True)
class Every:
    """How often something happens: every so many minibatches, or seconds. Never where both are 0."""

    minibatches: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RateControl:
    """The `AutoAdjust` block."""

    method: str = "none"
    reduce_if_improve_less_than: float = 0.0
    continue_reduce: bool = False
    interval: int = 1
    decrease_factor: float = 0.618
    increase_if_improve_more_than: float = math.inf
    increase_factor: float = 1.382
    load_best_model: bool = True
    use_validation: bool = True
    use_evaluation: bool = False
    adjust_minibatch: bool = False
    minibatch_tuning_frequency: int = 1
    minibatch_tuning_max: int = 1048576
    minibatch_error_margin: int = 1
    previous_rates: int = 5
    best_search_epochs: int = 1
    search_samples: Schedule[int] = field(default_factory=lambda: Schedule([500 * DEFAULT_MINIBATCH_SIZE]))


@dataclass(frozen=True, slots=True)
class Parts:
    """Into how many parts minibatches are cut, or how many samples a part has at most (None: as many as there are)."""

    number: int = 1
    most_samples: int | None = None


@dataclass(frozen=True, slots=True)
class SGDSettings:
    """What the `SGD` block says. Rates, momenta and time constants are rounded to 32-bit floats.

    `epoch_size` is in samples, 0 for one pass over the data. `rates` are per sample where `rates_per_minibatch` is
    false; `momenta` are per sample, per minibatch, or time constants in samples as `momentum_unit` says.
    """

    section: Section
    max_epochs: int
    epoch_size: int
    minibatch_size: Schedule[int]
    rates: Schedule[float] | None
    rates_per_minibatch: bool
    momenta: Schedule[float]
    momentum_unit: str  # "sample" or "minibatch"
    nesterov: bool
    update: str  # a value of GRADIENT_UPDATES
    l1_weight: float
    l2_weight: float
    skip_batch_normalization: bool  # no regularisation of its scale and bias
    clipping_threshold: float  # per sample
    clip_by_truncation: bool
    noise_deviation: float
    dropout_rate: Schedule[float]
    normalization_time_constant: Schedule[float]
    blend_time_constant: Schedule[float]
    min_rate: float
    rate_control: RateControl
    keep_checkpoints: bool
    save_best_per_criterion: bool
    train_criterion: str
    evaluation_criterion: str
    trace_level: int
    show_every: int
    show_first: int
    truncated: bool
    parts: Parts
    adaptation: str
    adaptation_weight: float
    gradient_check: bool
    use_all_data_for_precompute: bool
    variance_time_constant: float = 720000.0
    target_denominator: float = 1.0
    rms_increase: float = 1.2
    rms_decrease: float = 0.75
    rms_max: float = 10.0
    rms_min: float = 0.1
    rms_gamma: float = 0.99
    adam_mean_momentum: float = 0.9
    adam_variance_momentum: float = 0.999
    adam_epsilon: float = 1e-8
    average_multiplier: bool = True
    recompute_activations: bool = False
    compile: bool = False
    checkpoint_every: Every = Every()
    tensorboard_folder: str = ""
    tensorboard_every: int | None = None  # minibatches from one value to the next, 0 for none; None: as `show_every`

    def learning_rate(self, epoch: int) -> float:
        """The scheduled rate per sample in `epoch` (from 0); per-minibatch rates are divided by the configured size."""
        assert self.rates is not None
        rate = self.rates[epoch]
        return float32(rate / self.minibatch_size[epoch]) if self.rates_per_minibatch else rate

    def momentum_per_sample(self, epoch: int) -> float:
        """The momentum of one sample; that of a minibatch of n samples is its n-th power."""
        momentum = self.momenta[epoch]
        return momentum ** (1.0 / self.minibatch_size[epoch]) if self.momentum_unit == "minibatch" else momentum

    @property
    def adapts_to_original(self) -> bool:
        """Whether `adapt` mixes what the original model says into the targets."""
        return self.adaptation == "kl" and self.adaptation_weight > 0

    def span(self, key: str) -> Span:
        """Where `key` is set, else the block."""
        value = self.section.get(key)
        return self.section.span if value is None else value.span


def _refuse_per_minibatch(section: Section, rates: bool, momenta: bool) -> None:
    """With `truncated`, rates and momenta must be per sample: also the momentum that counts where none is given. A
    momentum of 0 is the same either way."""
    key = "learningRatesPerMB" if rates else "momentumPerMB"
    if rates or momenta:
        value = section.get(key)
        raise BsError(
            "conflicting-keys",
            "with truncated = true, learning rates and momentum must be given per sample",
            section.span if value is None else value.span,
            help="use learningRatesPerSample and momentumPerSample or momentumAsTimeConstant",
        )


def read_sgd(section: Section, precision: str = "float") -> SGDSettings:
    """The settings of an `SGD` block.

    Raises BsError: `missing-key` where maxEpochs or every learning rate is missing, `config-value` for values of a wrong
    type or out of range, `conflicting-keys` for keys that exclude one another.
    """
    sizes = _sizes(section)
    control = _rate_control(section, sizes)
    rates, per_minibatch = _learning_rates(section, control)
    momenta, unit = _momenta(section)
    if section.get_boolean("truncated", False):
        _refuse_per_minibatch(section, per_minibatch, unit == "minibatch" and any(momenta.values))
    return SGDSettings(
        section=section,
        max_epochs=_max_epochs(section),
        epoch_size=_epoch_size(section, sizes),
        minibatch_size=sizes,
        rates=rates,
        rates_per_minibatch=per_minibatch,
        momenta=momenta,
        momentum_unit=unit,
        nesterov=section.get_boolean("useNAG", False),
        update=_update(section),
        l1_weight=section.get_number("L1RegWeight", 0.0),
        l2_weight=section.get_number("L2RegWeight", 0.0),
        skip_batch_normalization=section.get_boolean("disableRegInBatchNormalization", False),
        clipping_threshold=section.get_number("clippingThresholdPerSample", math.inf),
        clip_by_truncation=section.get_boolean("gradientClippingWithTruncation", True),
        noise_deviation=float32(section.get_number("gaussianNoiseInjectStd", 0.0)),
        dropout_rate=_dropout(section),
        normalization_time_constant=_numbers(section, "batchNormalizationTimeConstant"),
        blend_time_constant=_numbers(section, "batchNormalizationBlendTimeConstant"),
        min_rate=float32(section.get_number("minLearningRatePerSample", 1e-9)),
        rate_control=control,
        keep_checkpoints=section.get_boolean("keepCheckPointFiles", False),
        save_best_per_criterion=section.get_boolean("saveBestModelPerCriterion", False),
        train_criterion=section.get_string("trainCriterionNodeName", ""),
        evaluation_criterion=section.get_string("evalCriterionNodeName", ""),
        trace_level=section.get_integer("traceLevel", 0),
        show_every=section.get_integer("numMBsToShowResult", 10),
        show_first=section.get_integer("firstMBsToShowResult", 0),
        truncated=section.get_boolean("truncated", False),
        parts=read_parts(section),
        adaptation=_adaptation(section),
        adaptation_weight=_adaptation_weight(section),
        gradient_check=_gradient_check(section, precision),
        use_all_data_for_precompute=section.get_boolean("UseAllDataForPreComputedNode", True),
        variance_time_constant=section.get_number("varianceTimeConstant", 720000.0),
        target_denominator=section.get_number("fsAdagradTargetAvDenom", 1.0),
        rms_increase=section.get_number("rms_wgt_inc", 1.2),
        rms_decrease=section.get_number("rms_wgt_dec", 0.75),
        rms_max=section.get_number("rms_wgt_max", 10.0),
        rms_min=section.get_number("rms_wgt_min", 0.1),
        rms_gamma=section.get_number("rms_gamma", 0.99),
        adam_mean_momentum=section.get_number("adam_meanMomentum", 0.9),
        adam_variance_momentum=section.get_number("adam_varMomentum", 0.999),
        adam_epsilon=section.get_number("adam_epsilon", 1e-8),
        average_multiplier=section.get_boolean("normWithAveMultiplier", True),
        recompute_activations=section.get_boolean("recomputeActivations", False),
        compile=section.get_boolean("compile", False),
        checkpoint_every=_interval(section, "checkpointEvery"),
        tensorboard_folder=section.get_string("tensorBoardLogDir", ""),
        tensorboard_every=_optional_integer(section, "tensorBoardNumMBsToLogResult"),
    )


def _max_epochs(section: Section) -> int:
    value = section.require("maxEpochs")
    if value.integer() < 0:
        raise value.error("there are at least 0 epochs", "give the number of epochs to train")
    return value.integer()


def _sizes(section: Section) -> Schedule[int]:
    values = section.get_array("minibatchSize")
    if not values:
        return Schedule([DEFAULT_MINIBATCH_SIZE])
    for value in values:
        if value.integer() <= 0:
            raise value.error("a minibatch has at least one sample", "give a positive number of samples")
    return Schedule([v.integer() for v in values])


def _epoch_size(section: Section, sizes: Schedule[int]) -> int:
    value = section.get("epochSize")
    if value is None:
        return 0
    size = value.integer()
    if size and size < max(sizes.values):
        raise value.error(
            f"an epoch of {size} samples is smaller than the minibatch of {max(sizes.values)}",
            "make epochSize at least minibatchSize, or 0 for one pass over the data",
        )
    return max(size, 0)


def _learning_rates(section: Section, control: RateControl) -> tuple[Schedule[float] | None, bool]:
    per_sample = section.get_array("learningRatesPerSample")
    per_minibatch = section.get_array("learningRatesPerMB")
    if per_sample and per_minibatch:
        raise BsError(
            "conflicting-keys",
            "learningRatesPerSample and learningRatesPerMB are both given",
            per_minibatch[0].span,
            help="remove one of them",
        )
    given = per_sample or per_minibatch
    if given:
        return Schedule([float32(v.number()) for v in given]), not per_sample
    if control.method == "none":
        raise BsError(
            "missing-key",
            f"block '{section.path}' gives neither learningRatesPerSample nor learningRatesPerMB",
            section.span,
            help="add `learningRatesPerSample = ...`, or let autoAdjustLR find a rate",
        )
    return None, False


def _momenta(section: Section) -> tuple[Schedule[float], str]:
    given = [
        (k, v) for k in ("momentumPerSample", "momentumPerMB", "momentumAsTimeConstant") if (v := section.get_array(k))
    ]
    if not given:
        return Schedule([float32(DEFAULT_MOMENTUM_PER_MINIBATCH)]), "minibatch"
    if len(given) > 1:
        names = " and ".join(k for k, _ in given)
        raise BsError(
            "conflicting-keys",
            f"only one of {names} can give the momentum",
            given[1][1][0].span,
            help="keep one of them",
        )
    key, values = given[0]
    if key == "momentumAsTimeConstant":
        return Schedule([_momentum_of_time_constant(v) for v in values]), "sample"
    return Schedule(
        [_checked_momentum(v, float32(v.number())) for v in values]
    ), "minibatch" if key == "momentumPerMB" else "sample"


def _momentum_of_time_constant(value: Value) -> float:
    constant = float32(value.number())
    if constant == 0.0:
        return 0.0
    try:
        momentum = math.exp(-1.0 / constant)
    except OverflowError:
        momentum = math.inf
    return _checked_momentum(value, float32(momentum))


def _checked_momentum(value: Value, momentum: float) -> float:
    if not 0.0 <= momentum < 1.0:
        raise value.error(
            "a momentum is at least 0 and below 1",
            "give a momentum from 0 to 0.99, or a time constant of at least 0 samples",
        )
    return momentum


def _dropout(section: Section) -> Schedule[float]:
    values = section.get_array("dropoutRate")
    if not values:
        return Schedule([0.0])
    for value in values:
        if not 0.0 <= value.number() < 1.0:
            raise value.error(
                "a dropout rate is at least 0 and below 1", "give the share of values to drop, such as 0.5"
            )
    return Schedule([v.number() for v in values])


def _numbers(section: Section, key: str) -> Schedule[float]:
    values = section.get_array(key)
    return Schedule([v.number() for v in values] if values else [0.0])


def read_parts(section: Section) -> Parts:
    """What a block of a training or a test says about parts of minibatches."""
    most = section.get("maxSamplesInRAM")
    if most is not None and most.integer() < 1:
        raise most.error("at least 1 sample has to be in memory", "give a number of samples")
    return Parts(section.get_integer("numSubminibatches", 1), None if most is None else most.integer())


def _optional_integer(section: Section, key: str) -> int | None:
    value = section.get(key)
    return None if value is None else value.integer()


_INTERVAL = re.compile(r"(\d+(?:\.\d+)?)\s*(s|seconds?|min|minutes?|h|hours?)|(\d+)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _interval(section: Section, key: str) -> Every:
    value = section.get(key)
    if value is None or not value.text.strip():
        return Every()
    found = _INTERVAL.fullmatch(value.text.strip().lower())
    if found is None:
        raise value.error("no interval", "give a number of minibatches such as 1000, or a time such as 30 s or 5 min")
    if found[3]:
        return Every(minibatches=int(found[3]))
    return Every(seconds=float(found[1]) * _SECONDS[found[2][0]])


def _word(section: Section, key: str, words: dict[str, str], default: str, valid: str) -> str:
    value = section.get(key)
    if value is None:
        return default
    found = words.get(value.text.lower())
    if found is None:
        raise value.error("an unknown word", f"use one of {valid}")
    return found


def _update(section: Section) -> str:
    update = _word(section, "gradUpdateType", GRADIENT_UPDATES, "none", "none, adagrad, rmsProp, fsAdagrad, adam")
    return "adagrad" if section.get_boolean("useAdagrad", False) else update


def _adaptation(section: Section) -> str:
    words = {"": "none", "none": "none", "kl": "kl", "klreg": "kl"}
    return _word(section, "adaptationRegType", words, "none", "none, kl")


def _adaptation_weight(section: Section) -> float:
    value = section.get("adaptationRegWeight")
    if value is None:
        return 0.0
    if not 0.0 <= value.number() <= 1.0:
        raise value.error("the weight is from 0 to 1", "give a share such as 0.5")
    return value.number()


def _gradient_check(section: Section, precision: str) -> bool:
    value = section.get("gradientcheck")
    if value is None:
        return False
    if value.boolean() and precision != "double":
        raise value.error("gradients can only be checked with double precision", 'set precision = "double"')
    return value.boolean()


def _rate_control(section: Section, sizes: Schedule[int]) -> RateControl:
    block = section.section("AutoAdjust")
    default_samples = Schedule([500 * size for size in sizes.values])
    if block is None:
        return RateControl(search_samples=default_samples)
    decrease = block.get_number("learnRateDecreaseFactor", 0.618)
    increase = block.get_number("learnRateIncreaseFactor", 1.382)
    for key, bad, limit in (
        ("learnRateDecreaseFactor", decrease > 1, "at most 1"),
        ("learnRateIncreaseFactor", increase < 1, "at least 1"),
    ):
        if bad:
            raise block.require(key).error(f"the factor is {limit}", f"give a factor that is {limit}")
    for key, least in (("numPrevLearnRates", 1), ("minibatchSizeTuningFrequency", 1), ("minibatchSizeTuningMax", 1)):
        if (value := block.get(key)) is not None and value.integer() < least:
            raise value.error(f"at least {least} is needed", f"give {least} or more")
    return RateControl(
        method=_word(block, "autoAdjustLR", RATE_CONTROLS, "none", "none, searchBeforeEpoch, adjustAfterEpoch"),
        reduce_if_improve_less_than=block.get_number("reduceLearnRateIfImproveLessThan", 0.0),
        continue_reduce=block.get_boolean("continueReduce", False),
        interval=max(1, block.get_integer("learnRateAdjustInterval", 1)),
        decrease_factor=decrease,
        increase_if_improve_more_than=block.get_number("increaseLearnRateIfImproveMoreThan", math.inf),
        increase_factor=increase,
        load_best_model=block.get_boolean("loadBestModel", True),
        use_validation=block.get_boolean("UseCVSetControlLRIfCVExists", True),
        use_evaluation=block.get_boolean("UseEvalCriterionControlLR", False),
        adjust_minibatch=block.get_boolean("autoAdjustMinibatch", False),
        minibatch_tuning_frequency=block.get_integer("minibatchSizeTuningFrequency", 1),
        minibatch_tuning_max=block.get_integer("minibatchSizeTuningMax", 1048576),
        minibatch_error_margin=block.get_integer("minibatchSearchCriterionErrorMargin", 1),
        previous_rates=block.get_integer("numPrevLearnRates", 5),
        best_search_epochs=block.get_integer("numBestSearchEpoch", 1),
        search_samples=_search_samples(block, sizes, default_samples),
    )


def _search_samples(block: Section, sizes: Schedule[int], default: Schedule[int]) -> Schedule[int]:
    minibatches = block.get_array("numMiniBatch4LRSearch")  # the older key, in minibatches
    if minibatches:
        return Schedule([v.integer() * sizes[i] for i, v in enumerate(minibatches)])
    samples = block.get_array("numSamples4Search")
    for value in samples or ():
        if value.integer() <= 0:
            raise value.error("a trial takes at least one sample", "give a positive number of samples")
    return Schedule([v.integer() for v in samples]) if samples else default
