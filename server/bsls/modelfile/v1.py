"""CNTK v1 model files: what the reference's config files train, load and edit. Reads all versions, writes the last, 31.

A file lists the nodes with their payloads (the fields of `schema.ops`), then the inputs of each node, then the marked
groups. Weights are left in the file until they are asked for.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from bsls.finding import BsError
from bsls.modelfile import legacy
from bsls.modelfile.atomic import atomic_file
from bsls.modelfile.binary import BinaryReader, BinaryWriter, reading
from bsls.modelfile.checkpoint import IsCheckpoint
from bsls.modelfile.dictionary import HELP, is_dictionary
from bsls.modelfile.fields import read_field, write_field
from bsls.modelfile.weights import StoredMatrix, StoredWeights, read_matrix, write_matrix
from bsls.network.network import Network
from bsls.network.node import ELEMENT_SIZES, Node
from bsls.schema import ops
from bsls.schema.ops.base import Op
from bsls.shape import Dims, Shape

if TYPE_CHECKING:
    import numpy as np

VERSION = 31
"""The version that is written, and the newest that is read: that of CNTK 2.7."""

_WINDOW, _LONGEST_START = 1 << 16, 32
"""Bytes that are searched at once for the start of a node, and that such a start has at most."""

_RUN_COUNT = 5
"""Position of the sample count among the inputs of BatchNormalization."""

_GROUPS = (
    # group, marks of its begin and end, those of old files
    ("feature", ("BFeatureNodes",), ("EFeatureNodes",)),
    ("label", ("BLabelNodes",), ("ELabelNodes",)),
    ("criterion", ("BCriterionNodes", "BCriteriaNodes"), ("ECriterionNodes", "ECriteriaNodes")),
    (None, ("BNodesReqMultiSeqHandling",), ("ENodesReqMultiSeqHandling",)),  # not used any more
    ("evaluation", ("BEvalNodes",), ("EEvalNodes",)),
    ("output", ("BOutputNodes",), ("EOutputNodes",)),
    ("pair", ("BPairNodes",), ("EPairNodes",)),  # not supported any more
)


def read_version(path: str | os.PathLike[str]) -> int:
    """The version of a v1 model file, told by its first bytes; raises BsError as `read` does."""
    with reading(os.fspath(path), "CNTK model", HELP) as reader:
        return _version(reader)


def read(path: str | os.PathLike[str], *, lenient: bool = False) -> Network:
    """The network in a v1 model file, with the values of its parameters as `StoredWeights`; nodes have no shapes yet.

    Raises BsError (rule `model-file`) for what is no such file, damaged, or of a later version. Nodes of operations that
    are not known raise it as well, unless `lenient`: then they have no attributes.
    """
    path = os.fspath(path)
    with reading(path, "CNTK model", HELP) as reader:
        return _NetworkReader(reader, lenient).read()


def bytes_behind(path: str | os.PathLike[str]) -> int:
    """How many bytes a v1 model file has behind its end, which no reader looks at; raises BsError as `read` does."""
    with reading(os.fspath(path), "CNTK model", HELP) as reader:
        _NetworkReader(reader).read()
        return reader.left


class _NetworkReader:
    def __init__(self, reader: BinaryReader, lenient: bool = False) -> None:
        self.reader = reader
        self.lenient = lenient
        self.network = Network()
        self.version = 1

    def read(self) -> Network:
        reader = self.reader
        self.version = _version(reader)
        count = reader.count(bytes_each=4)
        reader.marker("BNodeList")
        for i in range(count):
            reader.part = f"node {i + 1} of {count}"
            self._node()
        reader.part = "the list of nodes"
        reader.marker("ENodeList")
        reader.marker("BRelation")
        for _ in range(count):
            self._inputs()
        reader.part = "the inputs of the nodes"
        reader.marker("ERelation")
        self._groups()
        reader.marker("ECN")
        legacy.convert(self.network, self.version)
        self._check_arity()
        if any(n.precision == "double" for n in self.network):
            self.network.precision = "double"
        return self.network

    def _node(self) -> None:
        reader = self.reader
        precision = reader.text() if self.version >= 7 else ""
        if any(p not in ELEMENT_SIZES for p in precision.split(",")) and precision:
            raise reader.error(f"has a node of the unknown precision '{precision}', in {reader.part}")
        operation, name = reader.text(), reader.text()
        if not name:
            raise reader.error(f"has a node without a name ({reader.part})")
        reader.part = f"node '{name}' ({operation})"
        op = ops.get(operation)
        if op is None and not self.lenient:
            raise BsError(
                "model-file",
                f"'{reader.path}' has the node '{name}' of the operation '{operation}', which is not supported",
                help=f"an operation that this version does not have, or a damaged file; `bsls model show {reader.path}` "
                "shows the rest",
            )
        if name in self.network:
            raise reader.error(f"has two nodes named '{name}'")
        node = Node(op.name if op else operation, name, precision=precision or "float")
        if op is not None:
            self._payload(node, op)
        else:
            self._skip_payload()
        self.network.add(node)

    def _skip_payload(self) -> None:
        """Goes on to where the next node begins, or the list ends: nothing says how long an unknown payload is."""
        reader = self.reader
        texts = [f"{precision}\0".encode("utf-16-le") for precision in ELEMENT_SIZES]
        starts = re.compile(b"|".join([*texts, "ENodeList\0".encode("utf-16-le")]))
        while reader.left:
            window = reader.peek(_WINDOW)
            found = starts.search(window)
            if found is None:
                reader.skip(max(len(window) - _LONGEST_START, 1))
                continue
            reader.skip(found.start())
            if self._node_begins():
                return
            reader.skip(1)
        raise reader.ends()

    def _node_begins(self) -> bool:
        """Whether the texts that a node begins with come next, or the end of the list; without going on."""
        reader, at = self.reader, self.reader.at
        try:
            if reader.next_is("ENodeList"):
                return True
            _, operation, name = reader.text(), reader.text(), reader.text()
            return operation.isascii() and operation.isidentifier() and bool(name) and name.isprintable()
        except BsError:
            return False
        finally:
            reader.at = at

    def _payload(self, node: Node, op: Op) -> None:
        """Attributes: what the file holds, what older versions had instead, and defaults for the rest."""
        attributes, matrix = node.attributes, None
        for field in op.fields:
            if not field.present(self.version, attributes) or legacy.is_absent(self.reader, op.name, field):
                continue
            if field.type == "matrix":
                matrix = read_matrix(self.reader)
            else:
                attributes.update(read_field(self.reader, field, self.version, node.element_size))
        for field in op.fields:
            if field.default is not None and self.version <= field.until:
                attributes.setdefault(field.attribute, field.default)
        if op.upgrade:
            op.upgrade(attributes, self.version)
        for attribute in op.attributes:
            if attribute.default is not None:
                attributes.setdefault(attribute.name, attribute.default)
        if matrix is not None:
            node.value = _stored_value(self.reader, node, matrix)

    def _find(self, name: str) -> Node:
        node = self.network.find(name)
        if node is None:
            raise self.reader.error(f"names a node '{name}' that it does not hold, in {self.reader.part}")
        return node

    def _inputs(self) -> None:
        reader = self.reader
        reader.part = "the inputs of the nodes"
        node = self._find(reader.text())
        reader.part = f"the inputs of '{node.name}'"
        node.inputs = [self._find(name) for name in reader.items(reader.text, bytes_each=2)]

    def _groups(self) -> None:
        reader = self.reader
        reader.part = "the groups of nodes"
        reader.marker("BRootNodes")
        for group, begins, ends in _GROUPS:
            reader.part = f"the {group} nodes" if group else "the groups of nodes"
            if not any(reader.next_is(begin) for begin in begins):
                if group == "label":
                    reader.next_is(ends[0])  # the reference demands it in either case
                continue
            nodes = [self._find(name) for name in reader.items(reader.text, bytes_each=2)]
            if not any(reader.next_is(end) for end in ends):
                reader.marker(ends[0])
            if group == "pair" and nodes:
                raise reader.error("has pair nodes, which CNTK 2.7 does not support any more")
            if group in self.network.groups:
                for node in nodes:
                    self.network.tag(node, group)
                    if group not in node.tags:
                        node.tags.append(group)
        reader.part = "the groups of nodes"
        reader.marker("ERootNodes")

    def _check_arity(self) -> None:
        for node in self.network:
            op = ops.get(node.op)
            if op is None:
                continue
            least, most = op.arity
            count = len(node.inputs)
            if count < least or (most is not None and count > most):
                wanted = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
                raise self.reader.error(f"gives '{node.name}' ({node.op}) {count} inputs instead of {wanted}")


def _version(reader: BinaryReader) -> int:
    """Reads the first marks; old files have no version section."""
    _refuse_other_kinds(reader)
    reader.marker("BCN")
    version = 1
    if reader.next_is("BVersion"):
        version = reader.u64()
        reader.marker("EVersion")
    if version > VERSION:
        raise BsError(
            "model-file",
            f"'{reader.path}' is a CNTK model of version {version}, later than version {VERSION} of CNTK 2.7",
            help="save it with CNTK 2.7 or older",
        )
    return version


def _refuse_other_kinds(reader: BinaryReader) -> None:
    """Names the kinds of files that are easily taken for a v1 model."""
    start = reader.peek(4096)
    if start.startswith(("BCKP".encode("utf-16-le"), "BVersion".encode("utf-16-le"))):
        raise IsCheckpoint(reader.path)
    if is_dictionary(start):
        raise BsError(
            "model-file",
            f"'{reader.path}' is a CNTK v2 model or checkpoint, made by the Python library",
            help="use a model that a config file trained",
        )


def _stored_value(reader: BinaryReader, node: Node, matrix: StoredMatrix) -> StoredWeights:
    """The values of `node`, left in the file; their size must fit the node's shape and precision.

    Mean and InvStdDev store no shape: theirs is a vector, or a matrix.
    """
    if matrix.element_size != node.element_size:
        raise reader.error(
            f"has elements of {matrix.element_size} bytes in {reader.part}, whose precision is {node.precision}"
        )
    dims: Any = node.attributes.get("dims")
    if not node.is_parameter:
        dims = (matrix.rows,) if matrix.cols == 1 else (matrix.rows, matrix.cols)
    elif prod(dims) != matrix.rows * matrix.cols or 0 in dims:
        shape = " x ".join(map(str, dims))
        raise reader.error(f"has {matrix.rows} x {matrix.cols} values for the shape [{shape}], in {reader.part}")
    return StoredWeights(reader.path, matrix.offset, dims, matrix.element_size, reader.stamp)


def write(network: Network, path: str | os.PathLike[str], values: Mapping[str, np.ndarray] | None = None) -> None:
    """Writes `network` as a model file of version 31, whole or not at all.

    `values` holds arrays (shape: dims reversed) by node name, which are taken instead of the nodes' own values; they
    are stored in the node's precision. Raises BsError if a parameter has no shape or no values yet, or if the system
    refuses; a file that was there is then unchanged.
    """
    with atomic_file(path) as file:
        _NetworkWriter(BinaryWriter(file), network, values or {}).write()


class _NetworkWriter:
    def __init__(self, writer: BinaryWriter, network: Network, values: Mapping[str, np.ndarray]) -> None:
        self.writer = writer
        self.network = network
        self.values = values

    def write(self) -> None:
        writer = self.writer
        nodes = self.network.by_name()
        writer.marker("BCN")
        writer.marker("BVersion")
        writer.u64(VERSION)
        writer.marker("EVersion")
        writer.u64(len(nodes))
        writer.marker("BNodeList")
        for node in nodes:
            self._node(node)
        writer.marker("ENodeList")
        writer.marker("BRelation")
        for node in nodes:
            self._names([node.name])
            writer.u64(len(node.inputs))
            self._names([i.name for i in node.inputs])
        writer.marker("ERelation")
        writer.marker("BRootNodes")
        for group, (begin, *_), (end, *_) in _GROUPS:
            if group in self.network.groups:
                members = self.network.groups[group]
                writer.marker(begin)
                writer.u64(len(members))
                self._names([n.name for n in members])
                writer.marker(end)
        writer.marker("ERootNodes")
        writer.marker("ECN")

    def _names(self, names: list[str]) -> None:
        for name in names:
            self.writer.text(name)

    def _node(self, node: Node) -> None:
        op = ops.get(node.op)
        if op is None:
            raise cannot_save(node, "its operation is not known")
        if node.is_input and 0 in node.attributes["dims"]:  # type: ignore[operator]
            raise cannot_save(node, "it has a dimension of no fixed size, which no v1 model file can hold")
        if not op.in_scripts:
            raise cannot_save(node, f"{op.name} is an operation of the v2 library, which no v1 model file can hold")
        self._names([node.precision, op.name, node.name])
        attributes = dict(node.attributes)
        if op.stored and node.shape:
            attributes.update(op.stored(attributes, [i.shape or Shape(()) for i in node.inputs], node.shape))
        if node.op == "BatchNormalization" and len(node.inputs) > _RUN_COUNT:
            attributes["runCount"] = self._sample_count(node.inputs[_RUN_COUNT])
        for field in op.fields:
            if not field.present(VERSION, attributes):
                continue
            if field.type == "matrix":
                self._value(node)
                continue
            try:
                write_field(self.writer, field, attributes, node.element_size)
            except (struct.error, OverflowError, TypeError, ValueError, KeyError) as error:
                problem = f"its attribute '{field.attribute}' cannot be stored as {field.type}: {error}"
                raise cannot_save(node, problem) from error

    def _sample_count(self, parameter: Node) -> int:
        """What a batch normalization notes as samples seen: the value of its count parameter."""
        count = float(self._array(parameter).reshape(-1)[0])
        return int(count) if 0 <= count < 2**64 else 0

    def _value(self, node: Node) -> None:
        values = self._array(node)
        if node.is_parameter:
            dims = parameter_dims(node)
        elif node.shape and values.size:
            dims = node.shape.dims
        else:
            dims = values.shape[::-1]
        rows, cols = (dims[0] if dims else 1), prod(dims[1:])
        if values.size != rows * cols:
            shape = " x ".join(map(str, dims))
            raise cannot_save(node, f"it has {values.size} values for the shape [{shape}]")
        write_matrix(self.writer, values, rows, cols, node.element_size)

    def _array(self, node: Node) -> np.ndarray:
        if node.name in self.values:
            return self.values[node.name]
        if node.value is not None:
            return node.value.array()
        if node.is_parameter:
            raise cannot_save(node, "it has no values yet")
        import numpy as np

        return np.empty((0, 0))  # a statistic that was not computed yet


def parameter_dims(node: Node) -> Dims:
    """The shape of a parameter: what validation found, else what was declared. It must be known."""
    dims: Any = node.shape.dims if node.shape else node.attributes.get("dims", (0,))
    if 0 in dims:
        shape = " x ".join(map(str, dims))
        raise cannot_save(node, f"its shape [{shape}] is not known; an operation that uses it would tell")
    return tuple(dims)


def cannot_save(node: Node, problem: str) -> BsError:
    """The error for a node that no model file can hold."""
    return BsError(
        "model-file", f"the node '{node.name}' ({node.op}) cannot be saved: {problem}", node.origin,
        help="change or remove the node, or save another part of the network",
    )  # fmt: skip
