"""`cv`: the criteria of the models of several epochs over a data set, and which model is the best by each of them."""

from __future__ import annotations

import os
import time

from bsls.config.actions import compared_models
from bsls.config.commands import Command
from bsls.config.criteria import compared_nodes
from bsls.finding import BsError
from bsls.network.queries import reader_inputs
from bstorch.actions.common import loaded_network, model_path, reader_for, required_section
from bstorch.actions.evaluate import evaluate
from bstorch.context import RunContext
from bstorch.readers.base import Reader, check_streams
from bstorch.training.criteria import Criterion


def run(command: Command, context: RunContext) -> None:
    """Evaluates the models of `crossValidationInterval`; for the first that is not there the final model."""
    section = command.section
    final = model_path(command)
    pause = section.get_number("sleepTimeBetweenRuns", 0.0)
    reader_section = required_section(section, "reader")
    reader: Reader | None = None
    results: dict[str, list[Criterion]] = {}
    for path in compared_models(section):
        if not os.path.exists(path):
            context.say(f"Model {path} does not exist.")
            if final.text in results or not os.path.exists(final.text):
                continue
            path = final.text
        network = loaded_network(path)
        nodes = compared_nodes(network, section)
        inputs = reader_inputs(network, nodes)
        if reader is None:
            reader = reader_for(reader_section, inputs, context)
        else:
            check_streams(inputs, reader)
        context.say(f"Model {path} --> ")
        results[path] = evaluate(command, context, network, nodes, reader, model=path)
        context.flush()
        time.sleep(pause)
    if not results:
        raise BsError(
            "missing-model",
            f"there is neither a model of the epochs {section.require('crossValidationInterval').text} nor '{final.text}'",
            final.span,
            help="train it first, with keepCheckPointFiles, or correct the path",
        )
    _say_best(results, context)


def _say_best(results: dict[str, list[Criterion]], context: RunContext) -> None:
    """The first of the models with the least mean, for each criterion."""
    context.say("Best models:")
    context.say("------------")
    for i in range(min(map(len, results.values()))):
        path = min(results, key=lambda p: results[p][i].average)
        context.say(f"Based on Err[{i}]: Best model = {path} with min err {results[path][i].average:.8g}")
