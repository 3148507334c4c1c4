"""What decides on learning rates and minibatch sizes, given criteria; and a training that goes back some epochs."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bsls.config import parse_config
from bsls.config.sgd import SGDSettings, read_sgd
from bsls.finding import BsError
from bsls.project.project import Project
from bstorch.main import Runtime
from bstorch.training.criteria import Criterion
from bstorch.training.minibatch_search import MinibatchSearch
from bstorch.training.rate_control import COMPENSATION, FIRST_FACTOR, Progress, RateAdjustment, RateSearch


def settings(control: str, rest: str = "learningRatesPerSample = 0.1") -> SGDSettings:
    text = f"SGD = [ maxEpochs = 9 ; minibatchSize = 64 ; {rest} ; AutoAdjust = [ {control} ] ]"
    section = parse_config(text).own_section("SGD")
    assert section is not None
    return read_sgd(section)


class Run:
    """Follows epochs of given criteria; going back takes rate and criterion as they were after that epoch."""

    def __init__(self, control: str) -> None:
        self.lines: list[str] = []
        self.adjustment = RateAdjustment(settings("autoAdjustLR = adjustAfterEpoch ; " + control), 0, self.lines.append)
        self.progress = Progress(1.0)
        self.stored: dict[int, tuple[float, float]] = {0: (1.0, math.inf)}
        self.epoch: int | None = 0
        self.rates: list[float] = []

    def follow(self, *criteria: float) -> list[float]:
        """The rates with which the epochs were trained."""
        for criterion in criteria:
            assert self.epoch is not None
            self.rates.append(self.progress.learning_rate)
            decision = self.adjustment.follow(self.epoch, criterion, self.progress, self._back)
            assert decision is not None
            if decision.ends:
                self.epoch = None
            elif decision.back_to is not None:
                self.epoch = decision.back_to
                self.stored[self.epoch] = (self.progress.learning_rate, self.progress.previous_criterion)
            else:
                self.epoch += 1
                self.stored[self.epoch] = (self.progress.learning_rate, self.progress.previous_criterion)
        return self.rates

    def _back(self, epochs: int) -> None:
        self.progress.learning_rate, self.progress.previous_criterion = self.stored[epochs]


def test_a_worse_epoch_is_trained_again_with_a_lower_rate():
    run = Run("learnRateDecreaseFactor = 0.5")
    assert run.follow(1.0, 0.8, 0.9, 0.7, 0.6) == [1.0, 1.0, 1.0, 0.5, 0.5]
    assert run.epoch == 4
    assert run.lines == ["learnRatePerSample reduced to 0.5"]


def test_the_schedule_rules_as_long_as_it_has_a_rate_of_its_own():
    """There is one for the first epoch."""
    assert Run("learnRateDecreaseFactor = 0.5").follow(1.0, 2.0, 1.5)[1:] == [1.0, 0.5]


def test_every_second_epoch_decides_with_the_mean():
    run = Run("learnRateDecreaseFactor = 0.5 ; learnRateAdjustInterval = 2 ; loadBestModel = false")
    assert run.follow(1.0, 0.6, 0.9, 0.71, 0.1, 0.1) == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    assert run.lines == ["learnRatePerSample reduced to 0.5"]


def test_going_back_two_epochs():
    run = Run("learnRateDecreaseFactor = 0.5 ; learnRateAdjustInterval = 2")
    assert run.follow(1.0, 0.6, 0.9, 0.71) == [1.0] * 4
    assert run.epoch == 2
    assert run.follow(0.8, 0.7)[4:] == [0.5, 0.5]
    assert run.epoch == 4


def test_a_large_gain_raises_the_rate():
    run = Run(
        "increaseLearnRateIfImproveMoreThan = 0.1 ; learnRateIncreaseFactor = 3 ; reduceLearnRateIfImproveLessThan = 0.01"
    )
    assert run.follow(1.0, 0.8, 0.75, 0.749) == [1.0, 1.0, 3.0, 3.0]
    assert run.progress.learning_rate == pytest.approx(3 * 0.618)


def test_once_reduced_it_goes_on_down_and_the_second_small_gain_ends_it():
    run = Run("continueReduce = true ; reduceLearnRateIfImproveLessThan = 0.05 ; learnRateDecreaseFactor = 0.5")
    assert run.follow(1.0, 0.9, 0.89, 0.7, 0.6, 0.59) == [1.0, 1.0, 1.0, 0.5, 0.25, 0.125]
    assert run.epoch is None


def test_no_number_leads_back_or_ends():
    run = Run("learnRateDecreaseFactor = 0.5")
    run.follow(1.0, 0.9, math.nan)
    assert (run.epoch, run.progress.learning_rate) == (2, 0.5)
    plain = RateAdjustment(settings("autoAdjustLR = none"), 0, print)
    assert plain.follow(0, math.nan, Progress(1.0), lambda epochs: None) is None


# --- search ------------------------------------------------------------------------------------------------------------


class Trials:
    """Takes part as a trial; `criterion` gives the result for a rate and a size."""

    def __init__(self, criterion: Callable[[float, int], float]) -> None:
        self.criterion = criterion
        self.made: list[tuple[str, float, int, int]] = []

    def __call__(self, epoch: int, rate: float, size: int, samples: int, prefix: str) -> Criterion:
        self.made.append((prefix, rate, size, samples))
        return Criterion(self.criterion(rate, size), 1)


def searched(criterion: Callable[[float], float], control: str, epoch: int, rest: str) -> tuple[float, Trials]:
    trials = Trials(lambda rate, size: criterion(rate))
    search = RateSearch(settings("autoAdjustLR = searchBeforeEpoch ; " + control, rest), lambda line: None)
    return search.search(epoch, math.inf, trials, known=False), trials


def test_the_largest_rate_that_is_no_worse_than_none():
    found, trials = searched(lambda rate: 2.0 if rate > 0.005 else 1.0, "numBestSearchEpoch = 0", 0, "epochSize = 640")
    first = FIRST_FACTOR / 8
    assert [t[1] for t in trials.made] == [0.0, *(pytest.approx(first * 0.618**k) for k in range(1, len(trials.made)))]
    assert trials.made[-2][1] > 0.005 >= found == trials.made[-1][1]
    assert {t[3] for t in trials.made} == {640}
    assert [t[0] for t in trials.made[:2]] == ["  BaseAdaptiveLearnRateSearch:", "  AdaptiveLearnRateSearch:"]


def test_the_bracket_closes_around_the_best_rate():
    best = 1e-3
    found, trials = searched(lambda rate: abs(math.log(rate / best)) if rate else 1.5, "", 0, "epochSize = 640")
    assert best / 1.7 < found < best * 1.7
    assert {t[0].split("Adaptive")[0].strip() for t in trials.made} == {
        "Base",
        "",
        "DetailBase",
        "DetailRight",
        "DetailLeft",
    }


def test_earlier_rates_are_where_the_search_begins():
    search = RateSearch(settings("autoAdjustLR = searchBeforeEpoch"), lambda line: None)
    search.note(0, 0.02)
    search.note(1, 0.01)
    trials = Trials(lambda rate, size: 1.0)
    assert search.search(2, 1.0, trials, known=True) == pytest.approx(0.02 / COMPENSATION / COMPENSATION * 0.618)


@pytest.mark.parametrize(
    ("criterion", "found", "sizes"),
    [
        (lambda size: 1.0, 256, [64, 64, 128, 192, 256]),
        (lambda size: 1.0 if size < 150 else 1.02, 128, [64, 64, 128, 192]),
        (lambda size: 1.0 if size < 150 else 1.005, 256, [64, 64, 128, 192, 256]),
    ],
)
def test_sizes_grow_until_the_criterion_does(criterion, found, sizes):
    trials = Trials(lambda rate, size: criterion(size))
    search = MinibatchSearch(settings("autoAdjustMinibatch = true ; minibatchSizeTuningMax = 256"), print, 64)
    assert search.size(0, 0.1, 1.0, trials) == 64 and not trials.made  # the schedule has one
    assert search.size(1, 0.1, 1.0, trials) == found
    assert [t[2] for t in trials.made] == sizes


def test_sizes_at_most_double_and_need_not_be_searched_in_each_epoch():
    control = "autoAdjustMinibatch = true ; minibatchSizeTuningFrequency = 2"
    lines: list[str] = []
    search = MinibatchSearch(settings(control), lines.append, 128)
    trials = Trials(lambda rate, size: 1.0)
    assert search.size(2, 0.1, 1.0, trials) == 128 and not trials.made
    assert "skipped, keeping minibatchSize of 128" in lines[0]
    assert search.size(3, 0.1, 1.0, trials) == 256
    assert [t[2] for t in trials.made] == [64, 64, 128, 192, 256]


def test_a_much_lower_rate_leaves_the_largest_size():
    trials = Trials(lambda rate, size: 1.0)
    search = MinibatchSearch(settings("autoAdjustMinibatch = true"), print, 64)
    assert search.size(3, 0.1, 0.01, trials) == 128 and not trials.made


def test_a_mean_that_begins_anew_within_an_interval():
    """A run that goes on from a checkpoint of CNTK has no mean of the epochs before."""
    adjustment = RateAdjustment(
        settings("autoAdjustLR = adjustAfterEpoch ; learnRateAdjustInterval = 2"), 3, lambda line: None
    )
    progress = Progress(1.0, 0.5)
    assert adjustment.follow(3, 0.9, progress, lambda epochs: None) is not None
    assert adjustment.follow(2, 0.4, progress, lambda epochs: None) is not None
    assert adjustment.follow(3, 0.4, progress, lambda epochs: None) is not None


def test_a_lower_rate_allows_larger_sizes():
    trials = Trials(lambda rate, size: 1.0 if size == 128 else 2.0)
    search = MinibatchSearch(settings("autoAdjustMinibatch = true"), print, 64)
    assert search.size(1, 0.1, 0.25, trials) == 128


# --- whole runs --------------------------------------------------------------------------------------------------------

CONFIG = """
command = train ; precision = "double"
train = {
    action = "train" ; modelPath = "m/net" ; makeMode = true ; traceLevel = 1
    BrainScriptNetworkBuilder = {
        x = Input {2} ; y = Input {1} ; w = ParameterTensor {(1:2), init = "fixedValue", value = 0.1}
        ce = SquareError (y, w * x) ; criterionNodes = (ce)
    }
    SGD = {
        maxEpochs = EPOCHS ; minibatchSize = 2 ; momentumPerMB = 0 ; RATES
        AutoAdjust = { CONTROL }
    }
    reader = { readerType = "CNTKTextFormatReader" ; file = "data.txt" ; randomize = false
        input = { x = { dim = 2 ; format = "dense" } ; y = { dim = 1 ; format = "dense" } } }
}
"""


def trained(folder: Path, control: str, epochs: int = 6, rates: str = "learningRatesPerSample = 0.01") -> list[str]:
    text = CONFIG.replace("CONTROL", control).replace("EPOCHS", str(epochs)).replace("RATES", rates)
    (folder / "c.cntk").write_text(text)
    (folder / "data.txt").write_text("".join(f"|x {i % 3} {i % 2} |y {(i % 3) - (i % 2)}\n" for i in range(6)))
    log = io.StringIO()
    Runtime(stderr=log).run(Project(["configFile=c.cntk"], foresee=False))
    return log.getvalue().splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


RAISING = (
    "autoAdjustLR = adjustAfterEpoch ; increaseLearnRateIfImproveMoreThan = 0 ; learnRateIncreaseFactor = 8 ; "
    "learnRateDecreaseFactor = 0.5 ; "
)


def test_back_over_two_epochs_with_their_files(folder):
    lines = trained(folder, RAISING.replace("8", "60") + "learnRateAdjustInterval = 2")
    back = next(i for i, line in enumerate(lines) if line.startswith("Loading (rolling back to)"))
    number = int(lines[back].rstrip(".").rpartition(".")[2])
    between = f"SGD: removing model and checkpoint files for epoch {number + 1} after rollback to epoch {number}"
    assert between in lines[back:]
    assert f"SGD: revoke back to and update checkpoint file for epoch {number}" in lines[back:]
    again = next(line for line in lines[back:] if line.startswith("Starting Epoch"))
    assert again.startswith(f"Starting Epoch {number + 1}:")
    assert {"net", "net.ckp", *(f"net.{k}" for k in range(6))} <= set(os.listdir("m"))
    assert not any(name.endswith(".tmp") for name in os.listdir("m"))


@pytest.mark.parametrize("control", [RAISING, RAISING.replace("8", "60") + "learnRateAdjustInterval = 2"])
def test_a_run_that_was_cut_off_goes_on_and_back_as_without(control, folder):
    """The rate is in the checkpoint of the model that training went back to; that of the decision before is kept."""
    whole = trained(folder, control, 6)
    finished = [line for line in whole if line.startswith("Finished Epoch")]
    for name in os.listdir("m"):
        os.unlink(f"m/{name}")
    trained(folder, control, 3)
    os.rename("m/net", "m/net.3")
    os.rename("m/net.ckp", "m/net.3.ckp")
    os.rename("m/net.bsls.json", "m/net.3.bsls.json")
    resumed = [line for line in trained(folder, control, 6) if line.startswith("Finished Epoch")]
    without_time = [line.rpartition(" epochTime")[0] for line in finished]
    assert [line.rpartition(" epochTime")[0] for line in resumed] == without_time[-len(resumed) :]
    assert any(line.startswith("Loading (rolling back to)") for line in whole)


def test_the_end_by_a_second_small_gain_leaves_a_final_model(folder):
    control = "autoAdjustLR = adjustAfterEpoch ; continueReduce = true ; reduceLearnRateIfImproveLessThan = 1"
    lines = trained(folder, control)
    assert "Finished training and saved final model" in lines
    assert sum(line.startswith("Finished Epoch") for line in lines) == 3
    assert "net" in os.listdir("m")


def test_a_rate_below_the_least_one_leaves_a_final_model(folder):
    control = "autoAdjustLR = adjustAfterEpoch ; reduceLearnRateIfImproveLessThan = 1 ; learnRateDecreaseFactor = 1e-9"
    lines = trained(folder, control)
    assert any("is less than minLearningRatePerSample" in line for line in lines)
    assert "net" in os.listdir("m")


def test_a_search_before_the_first_epoch_begins_with_the_initial_model(folder):
    lines = trained(folder, "autoAdjustLR = searchBeforeEpoch ; numSamples4Search = 4", 2, rates="")
    assert any(line.startswith(" SearchForBestLearnRate Epoch[1]: Best") for line in lines)
    assert sum(line.startswith("Finished Epoch") for line in lines) == 2


def test_no_rate_to_adjust_is_an_error(folder):
    with pytest.raises(BsError) as caught:
        trained(folder, "autoAdjustLR = adjustAfterEpoch", 2, rates="")
    assert caught.value.finding.rule == "missing-key"
    assert "epoch 1" in caught.value.finding.message


@pytest.mark.parametrize(
    "key", ["numPrevLearnRates", "minibatchSizeTuningFrequency", "minibatchSizeTuningMax", "numSamples4Search"]
)
def test_numbers_out_of_range(key):
    with pytest.raises(BsError) as caught:
        settings(f"{key} = 0")
    assert caught.value.finding.rule == "config-value"
