"""`bsls model rename`: other names for nodes of a model."""

from __future__ import annotations

import click


@click.command()
@click.argument("file")
@click.argument("names", nargs=-1, required=True, metavar="OLD=NEW...")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="The model to write.")
def command(file: str, names: tuple[str, ...], output: str) -> None:
    """Give nodes of a model other names, and write it as a model of version 31, which CNTK 2.7 reads.

    OLD is a name as in the model, or as BrainScript writes it (L4_W for L4.W). Names can be exchanged: a=b b=a.
    """
    from bsls.cli.model.nodes_named import named, pair
    from bsls.finding import BsError
    from bsls.modelfile import model, v1
    from bsls.network.validation import validate

    network = model.read(file)
    pairs = [(named(network, file, old), new) for old, new in (pair(text) for text in names)]
    if len({node for node, _ in pairs}) < len(pairs):
        raise click.UsageError("a node is given two names")
    keeping = {n.name.lower() for n in network} - {node.name.lower() for node, _ in pairs}
    for i, (node, new) in enumerate(pairs):
        taken = keeping | {other.lower() for _, other in pairs[:i]}
        if new.lower() in taken:
            raise BsError(
                "model-node", f"'{node.name}' cannot be called '{new}': there is a node of that name", None,
                help="names of nodes differ in more than their capitals",
            )  # fmt: skip
    axes = {node.name: new for node, new in pairs if node.op == "DynamicAxis"}
    for input in network.inputs:  # which know their axis by its name
        axis = input.attributes.get("dynamicAxis")
        input.attributes["dynamicAxis"] = axes.get(str(axis), axis)
    for i, (node, _) in enumerate(pairs):  # so that names can be exchanged
        network.rename(node, f"\0{i}")
    for node, new in pairs:
        network.rename(node, new)
    validate(network)
    v1.write(network, output)
