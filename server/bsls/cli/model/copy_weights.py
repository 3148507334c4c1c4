"""`bsls model copy-weights`: values of parameters from one model into another."""

from __future__ import annotations

import click


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OLD=NEW",
    help="A parameter of FROM, and the one of TO that gets its values.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="The model to write (default: TO).")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be copied.")
def command(source: str, target: str, maps: tuple[str, ...], output: str | None, dry_run: bool) -> None:
    """Copy values of parameters of FROM into those of the same names in TO, which is written as a model of version 31.

    With --map only what it names is copied; names as in the models, or as BrainScript writes them (L4_W for L4.W).
    Shapes must be equal: without --map a parameter of another shape is left alone, and said to be.
    """
    from bsls.cli.model.nodes_named import holder, pair
    from bsls.cli.render.totals import plain
    from bsls.finding import BsError
    from bsls.modelfile import model, v1
    from bsls.network.validation import validate
    from bsls.shape import Shape

    old, new = model.read(source), model.read(target)
    validate(new)
    pairs = [(holder(old, source, a), holder(new, target, b)) for a, b in (pair(text) for text in maps)]
    if not maps:
        pairs = [(n, twin) for n in old.by_name() if n.value and (twin := new.find(n.name)) and twin.value]
    copied = 0
    for node, twin in pairs:
        assert node.value is not None and twin.value is not None
        if node.value.dims != twin.value.dims:
            what = f"'{node.name}' is {Shape(node.value.dims)}, '{twin.name}' {Shape(twin.value.dims)}"
            if maps:
                raise BsError(
                    "model-node", f"{what}: the values do not fit", None, help="map parameters of equal shapes"
                )
            click.echo(f"left alone: {plain(what)}")
            continue
        twin.value = node.value
        copied += 1
        click.echo(f"{plain(node.name)} -> {plain(twin.name)} {Shape(node.value.dims)}")
    if not copied:
        raise BsError(
            "model-node", f"'{source}' and '{target}' have no parameters of equal names and shapes", None,
            help="say which correspond: --map OLD=NEW",
        )  # fmt: skip
    if not dry_run:
        v1.write(new, output or target)
