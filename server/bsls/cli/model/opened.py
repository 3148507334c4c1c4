"""What a user names as a model: a model file, or the log of a run."""

from __future__ import annotations

from bsls.network.network import Network


def opened(path: str) -> Network:
    """The network in a model file of either generation, validated, or the one in a log of CNTK.

    It may have nodes of operations that are not known. Raises BsError (rule `model-file`) for what is neither.
    """
    from bsls.modelfile import model, training_log
    from bsls.network.validation import validate

    if training_log.is_log(path):
        return training_log.read(path)
    network = model.read(path, lenient=True)
    validate(network)
    return network
