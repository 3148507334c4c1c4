"""Which nodes of a network a training minimises and shows, and which ones a test or a write computes."""

from __future__ import annotations

from collections.abc import Sequence

from bsls.config.section import Section, Value
from bsls.config.sgd import SGDSettings
from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node


def criterion_nodes(network: Network, settings: SGDSettings) -> list[Node]:
    """The criteria; only the first one is trained."""
    named = _named_node(network, settings.section, "trainCriterionNodeName", settings.train_criterion)
    found = [named] if named is not None else network.groups["criterion"]
    if not found:
        raise BsError(
            "no-criterion",
            "the network has no training criterion",
            settings.section.span,
            help="add criterionNodes = (...) to the network, or trainCriterionNodeName to SGD",
        )
    return list(found)


def evaluation_nodes(network: Network, settings: SGDSettings, criteria: Sequence[Node]) -> list[Node]:
    """The nodes that are evaluated beside the criteria, each once."""
    named = _named_node(network, settings.section, "evalCriterionNodeName", settings.evaluation_criterion)
    found = [named] if named is not None else network.groups["evaluation"]
    return [n for n in dict.fromkeys(found) if n not in criteria]


def _named_node(network: Network, section: Section, key: str, name: str) -> Node | None:
    if not name:
        return None
    node = network.find(name)
    if node is None:
        value = section.get(key)
        raise BsError(
            "unknown-node", f"the network has no node '{name}'", value.span if value else section.span,
            help=f"{key} names a node of the network",
        )  # fmt: skip
    return node


def test_nodes(network: Network, section: Section) -> tuple[list[Node], list[Value]]:
    """What a test computes, and the names in `evalNodeNames` that the network does not have.

    These are the nodes of `evalNodeNames`; where it has none of them, all evaluation nodes and then the criteria.
    Raises BsError where there is nothing to compute, or a node is no single number.
    """
    names = section.get_array("evalNodeNames") or []
    found, unknown = named_nodes(network, names)
    if not found:
        found = list(dict.fromkeys([*network.groups["evaluation"], *network.groups["criterion"]]))
    if not found and names:
        raise BsError(
            "unknown-node", "the network has none of the nodes that evalNodeNames lists, and no evaluation nodes nor a criterion",
            names[0].span, help=_nodes_of(network),
        )  # fmt: skip
    if not found:
        raise BsError(
            "no-criterion", "the network has neither evaluation nodes nor a criterion", section.span,
            help="name what to evaluate with evalNodeNames",
        )  # fmt: skip
    for node in found:
        if node.shape is not None and node.shape.elements != 1:
            span = next((v.span for v in names if network.find(v.text) is node), node.origin or section.span)
            raise BsError(
                "no-criterion", f"'{node.name}' has the shape {node.shape}; only a single number can be evaluated", span,
                help="name a criterion or an evaluation node",
            )  # fmt: skip
    return found, unknown


def compared_nodes(network: Network, section: Section) -> list[Node]:
    """What a `cv` computes of each model: as a test, but a name that a model does not have is an error."""
    found, unknown = test_nodes(network, section)
    for value in unknown:
        raise BsError("unknown-node", f"the models have no node '{value.text}'", value.span, help=_nodes_of(network))
    return found


def output_nodes(network: Network, section: Section) -> tuple[list[Node], list[Value]]:
    """What a write computes, and the names in `outputNodeNames` that the network does not have.

    These are the nodes of `outputNodeNames`, else the output nodes. Raises BsError where there are none, and where
    there are several although `nodeUnitTest` wants the gradients of one.
    """
    names = section.get_array("outputNodeNames") or []
    found, unknown = named_nodes(network, names)
    if names and not found:
        raise BsError(
            "unknown-node", "the network has none of the nodes that outputNodeNames lists", names[0].span,
            help=_nodes_of(network),
        )  # fmt: skip
    found = found or list(dict.fromkeys(network.groups["output"]))
    if not found:
        raise BsError(
            "no-output", "the network has no output nodes", section.span, help="name what to write with outputNodeNames"
        )
    tested = section.get("nodeUnitTest")
    if tested is not None and tested.boolean() and len(found) != 1:
        raise tested.error(
            f"gradients are those of a single node, but {len(found)} are written", "name one node with outputNodeNames"
        )
    return found, unknown


def named_nodes(network: Network, names: Sequence[Value]) -> tuple[list[Node], list[Value]]:
    """The nodes of these names, each once, and the names that the network does not have."""
    nodes = [network.find(v.text) for v in names]
    unknown = [v for v, n in zip(names, nodes, strict=True) if n is None]
    return list(dict.fromkeys(n for n in nodes if n is not None)), unknown


def _nodes_of(network: Network) -> str:
    nodes = [n.name for n in network.by_name() if not n.is_parameter and "[" not in n.name]
    return f"nodes: {', '.join(nodes[:10])}" + (", ..." if len(nodes) > 10 else "")
