"""`bsls model from-safetensors`: values of parameters out of a safetensors file."""

from __future__ import annotations

import click


@click.command()
@click.argument("tensors")
@click.argument("model", required=False)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="TENSOR=NODE",
    help="A tensor, and the parameter of MODEL that gets its values.",
)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="The model to write.")
def command(tensors: str, model: str | None, maps: tuple[str, ...], output: str) -> None:
    """Write a model of version 31: MODEL with the values of the tensors in a safetensors file.

    A tensor of the shape (c, r) fits a parameter [r x c]. Without --map the tensors must be those of the names that the
    parameters have, as `bsls export --to safetensors` writes them. Without MODEL the new model has nothing but the
    parameters, from which a config or an editing script can take them.
    """
    from bsls.cli.model.nodes_named import holder, pair
    from bsls.cli.render.totals import counted, plain
    from bsls.finding import BsError
    from bsls.modelfile import model as models
    from bsls.modelfile import safetensors, v1
    from bsls.network.network import Network
    from bsls.network.node import Node
    from bsls.network.validation import validate
    from bsls.resolve.names import similar
    from bsls.shape import Shape

    found = safetensors.read(tensors)
    if not found:
        raise BsError("model-file", f"'{tensors}' has no tensors", help="give a file with values of parameters")
    names = [pair(text, "TENSOR=NODE") for text in maps] or [(name, name) for name in found]
    network = Network() if model is None else models.read(model)
    validate(network)
    for tensor, name in names:
        weights = found.get(tensor)
        if weights is None:
            meant = similar(tensor, list(found))
            raise BsError(
                "model-node", f"'{tensors}' has no tensor '{tensor}'",
                help=f"did you mean '{meant}'?" if meant else f"it has: {', '.join(list(found)[:8])}",
            )  # fmt: skip
        if 0 in weights.dims:
            raise BsError("model-node", f"the tensor '{tensor}' has no values", help="leave it out with --map")
        if model is None:
            node = Node("LearnableParameter", name, precision=weights.precision)
            node.attributes.update(dims=weights.dims, learningRateMultiplier=1.0)
            if name in network:
                raise BsError("model-node", f"there are two tensors '{name}'", help="give one another name with --map")
            network.add(node)
        else:
            node = holder(network, model, name)
            assert node.value is not None
            if node.value.dims != weights.dims:
                raise BsError(
                    "model-node",
                    f"the tensor '{tensor}' is {Shape(weights.dims)}, as CNTK has it, and '{node.name}' {Shape(node.value.dims)}",
                    help="a tensor has the dimensions of the parameter in reverse order",
                )
        node.value = weights
    v1.write(network, output)
    click.echo(f"{plain(output)}: {counted(len(names), 'parameter')} from {plain(tensors)}")
