"""What a user names as a model: a model file, or the log of a run."""

from __future__ import annotations

from dataclasses import dataclass

from bsls.network.network import Network


@dataclass(frozen=True, slots=True)
class Opened:
    """A network and where it is from: `version` is that of a v1 model file; a log has neither weights nor attributes."""

    network: Network
    kind: str
    version: int | None = None
    is_log: bool = False


def opened(path: str) -> Opened:
    """The network in a model file of either generation, validated, or the one in a log of CNTK.

    It may have nodes of operations that are not known. Raises BsError (rule `model-file`) for what is neither.
    """
    from bsls.modelfile import model, training_log
    from bsls.network.validation import validate

    if training_log.is_log(path):
        return Opened(training_log.read(path), "log of CNTK", is_log=True)
    network = model.read(path, lenient=True)
    validate(network)
    version = model.version(path)
    return Opened(network, "CNTK v2 model" if version is None else f"CNTK v1 model (version {version})", version)
