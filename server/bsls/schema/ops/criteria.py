"""Training criteria and error counts: one number for all samples of a minibatch."""

from __future__ import annotations

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import SCALAR, check_inputs, infer_from, named, reduce_pair
from bsls.shape import Shape


def _logistic(ctx: ShapeContext) -> Shape:
    result = reduce_pair(ctx)
    if len(ctx.inputs) > 2:
        infer_from(ctx, 2, ctx.inputs[1].dims)
        if ctx.final and ctx.inputs[2].elements != ctx.inputs[0].elements:
            raise ShapeError(
                f"the weights {named(ctx, 2)} do not match the labels {named(ctx, 0)}",
                2,
                f"one weight per label: {Shape(ctx.inputs[0].dims, ctx.inputs[2].axis)}",
            )
    return result


def _classification_error(ctx: ShapeContext) -> Shape:
    result = reduce_pair(ctx)
    if len(ctx.inputs) > 2 and ctx.inputs[2].elements != 1 and (ctx.final or ctx.inputs[2].known):
        raise ShapeError(f"topN must be a single number, not {named(ctx, 2)}", 2, "use a Constant")
    return result


def _class_based(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    if ctx.final:
        labels, hidden, weights, logits = ctx.inputs
        if labels.elements != 4:
            raise ShapeError(
                f"the labels {named(ctx, 0)} must have 4 elements",
                0,
                "word index, class index, index of the first word of the class, and the one behind its last word",
            )
        if hidden.elements != weights.dim(0):
            raise ShapeError(
                f"the weights {named(ctx, 2)} do not match the hidden vector {named(ctx, 1)}",
                2,
                f"they need {hidden.elements} rows, and a column per word",
            )
        for i, shape in ((1, hidden), (3, logits)):
            if shape.axis != labels.axis:
                raise ShapeError(f"{named(ctx, i)} and {named(ctx, 0)} must have the same dynamic axis", i)
    return Shape(SCALAR)


def _must_be(ctx: ShapeContext, index: int, operations: tuple[str, ...], what: str) -> None:
    if ctx.final and ctx.operation(index) not in operations:
        raise ShapeError(f"operand '{ctx.operand(index)}' must be {what}, but it is a {ctx.operation(index)}", index)


def _dummy(ctx: ShapeContext) -> Shape:
    """A number; there must be a derivative for each element of the prediction."""
    check_inputs(ctx)
    for i in (0, 1):
        _must_be(ctx, i, ("InputValue",), "an input")
    if ctx.final and ctx.inputs[1].elements != ctx.inputs[2].elements:
        raise ShapeError(f"{named(ctx, 1)} has not as many elements as the prediction {named(ctx, 2)}", 1)
    return Shape(SCALAR)


def _noise_contrastive(ctx: ShapeContext) -> Shape:
    """Labels of 2 (noises + 1) numbers: the word and noise words, each with its log probability."""
    check_inputs(ctx)
    if ctx.final:
        labels, hidden, weights, bias = ctx.inputs
        if hidden.elements != weights.dim(0):
            raise ShapeError(
                f"the weights {named(ctx, 2)} do not match the hidden vector {named(ctx, 1)}",
                2,
                f"they need {hidden.elements} rows, and a column per word",
            )
        if bias.elements != weights.elements // weights.dim(0):
            raise ShapeError(f"the bias {named(ctx, 3)} must have an element for each column of {named(ctx, 2)}", 3)
        if labels.axis is None or labels.axis != hidden.axis:
            raise ShapeError(f"{named(ctx, 0)} and {named(ctx, 1)} must have the same dynamic axis", 0)
    return Shape(SCALAR)


def _sequence_training(ctx: ShapeContext) -> Shape:
    """Labels, scores and log likelihoods of the same classes, frame by frame."""
    result = reduce_pair(ctx)
    _must_be(ctx, 0, ("InputValue", "SparseInputValue"), "an input")
    if ctx.final and ctx.inputs[2].elements != ctx.inputs[1].elements:
        raise ShapeError(
            f"{named(ctx, 2)} does not match the scores {named(ctx, 1)}",
            2,
            f"it would have to be {Shape(ctx.inputs[1].dims, ctx.inputs[2].axis)}",
        )
    return result


def _lattice(ctx: ShapeContext) -> Shape:
    if ctx.attributes.get("doReferenceAlign"):
        raise ShapeError("training with alignment was never finished", help="set doReferenceAlign = false")
    return _sequence_training(ctx)


def _forward_backward(ctx: ShapeContext) -> Shape:
    result = reduce_pair(ctx)
    _must_be(ctx, 0, ("LabelsToGraph",), "LabelsToGraph (labels)")
    if ctx.final and ctx.inputs[0].elements != ctx.inputs[1].elements:
        raise ShapeError(
            f"the labels {named(ctx, 0)} and the scores {named(ctx, 1)} differ in the number of classes",
            1,
            "both have an element for each class, the blank included",
        )
    return result


_RANKING = "gain, score and queryId have one number per document; those of a query stand together, sorted by gain."

OPS: tuple[Op, ...] = (
    Op(
        "SquareError",
        ("target", "prediction"),
        reduce_pair,
        "Sum over all elements and frames of (target - prediction)^2; neither halved nor averaged.",
    ),
    Op(
        "CrossEntropyWithSoftmax",
        ("labels", "z"),
        reduce_pair,
        "Minus the sum over frames of sum_i labels_i log(softmax(z))_i, for scores z and labels that sum to 1. The "
        "gradient to z is softmax(z) - labels.",
        reference_limits="CNTK 2.7 cannot compute it on the CPU where the labels are sparse and the scores dense.",
    ),
    Op(
        "CrossEntropy",
        ("labels", "p"),
        reduce_pair,
        "Minus the sum over frames of sum_i labels_i log(p_i), for probabilities p; the logarithm is at least -85.1.",
    ),
    Op(
        "Logistic",
        ("labels", "p", "weight?"),
        _logistic,
        "Minus the sum of log(y p + (1 - y)(1 - p)) for labels y of 0 or 1 and probabilities p. With weights w: minus N "
        "times the weighted mean, N sum(w log(...)) / sum(w).",
    ),
    Op(
        "ClassificationError",
        ("labels", "z", "topN?"),
        _classification_error,
        "The number of frames in which the largest element of z (the first of equals) is not that of the labels; with "
        "topN, in which the label is not among the topN largest. It has no gradient.",
        old_names=("ErrorPrediction",),
    ),
    Op(
        "ClassBasedCrossEntropyWithSoftmax",
        ("labels", "h", "W", "classLogits"),
        _class_based,
        "Two-level softmax for large vocabularies: minus the sum over frames of log softmax of the word within its "
        "class, from the columns of W^T h that belong to the class, plus log softmax(classLogits) of the class.",
    ),
    Op(
        "NCEBasedCrossEntropyWithSoftmax",
        ("labels", "h", "W", "bias"),
        _noise_contrastive,
        "Noise-contrastive estimation for large vocabularies: tells the word from noise words, which the labels list "
        "with their log probabilities under the noise, by the scores W^T h + bias. Evaluation uses the whole softmax.",
        fields=(Field("evalMode", "i32", default=2),),
        reference_limits="CNTK 2.7 refuses a bias that does not depend on the data.",
    ),
    Op(
        "LambdaRank",
        ("gain", "score", "queryId"),
        reduce_pair,
        f"Learning to rank: (1 - mean NDCG over the queries) times 100 times the number of frames. {_RANKING}",
    ),
    Op(
        "NDCG1Eval",
        ("gain", "score", "queryId"),
        reduce_pair,
        "Mean over the queries of the gain of the document with the best score, relative to the best gain, times 100 "
        f"times the number of frames. {_RANKING} It has no gradient.",
    ),
    Op(
        "EditDistanceError",
        ("x", "y"),
        reduce_pair,
        "Errors of token strings per token of x, times the number of frames: each sequence becomes the string of the "
        "indices of its largest elements, and the substitutions, deletions and insertions of the cheapest edit are "
        "counted. It has no gradient.",
        (
            Attribute("subPen", "number", 1.0, "Cost of a substitution."),
            Attribute("delPen", "number", 1.0, "Cost of a deletion."),
            Attribute("insPen", "number", 1.0, "Cost of an insertion."),
            Attribute("squashInputs", "boolean", False, "Take equal neighbours for one token."),
            Attribute("tokensToIgnore", "integers", (), "Tokens that do not count."),
        ),
        (
            Field("subPen", "f32", default=1.0),
            Field("delPen", "f32", default=1.0),
            Field("insPen", "f32", default=1.0),
            Field("squashInputs", "bool", default=False),
            Field("tokensToIgnore", "vec_u64", default=()),
        ),
    ),
    Op(
        "ForwardBackward",
        ("graph", "z"),
        _forward_backward,
        "Connectionist temporal classification: minus the log probability, under the scores z, of all alignments of the "
        "labels, which LabelsToGraph marks. With delayConstraint, only of those in which a label comes at most so many "
        "frames after its place in graph.",
        (
            Attribute("blankTokenId", "integer", doc="Class of the blank."),
            Attribute("delayConstraint", "integer", -1, "Greatest delay of a label in frames; -1: any."),
        ),
        (Field("delayConstraint", "i32", default=-1), Field("blankTokenId", "u64")),
    ),
    Op(
        "DummyCriterion",
        ("objectives", "derivatives", "prediction"),
        _dummy,
        "The sum of the objectives. They and the derivatives by the prediction are data, which another program computed.",
    ),
    Op(
        "SequenceWithSoftmax",
        ("labels", "z", "logLikelihoods"),
        _sequence_training,
        "Sequence-discriminative criterion for speech: from the scores z and the scaled log likelihoods of a hybrid "
        "recognizer, on lattices that the reader brings along.",
    ),
    Op(
        "LatticeSequenceWithSoftmax",
        ("labels", "z", "logLikelihoods", "lattice"),
        _lattice,
        "As SequenceWithSoftmax, with the lattices as a fourth input.",
        (
            Attribute("symListPath", "string", doc="File with the list of symbols."),
            Attribute("phonePath", "string", doc="File with the phone models."),
            Attribute("stateListPath", "string", doc="File with the list of states."),
            Attribute("transProbPath", "string", doc="File with the transition probabilities."),
            Attribute("latticeConfigPath", "string", "LatticeNode.config", "If there, it replaces the four paths."),
            Attribute("hSmoothingWeight", "number", 0.95, "Weight of the criterion beside the frame criterion."),
            Attribute("frameDropThresh", "number", 1e-10, "Posterior below which a frame is left out."),
            Attribute("doReferenceAlign", "boolean", False, "Align the reference; was never finished."),
            Attribute("seqGammarUsesMBR", "boolean", False, "Minimum Bayes risk in the place of mutual information."),
            Attribute("seqGammarAMF", "number", 14.0, "Scale of the acoustic model."),
            Attribute("seqGammarLMF", "number", 14.0, "Scale of the language model."),
            Attribute("seqGammarBMMIFactor", "number", 0.0, "Boosting factor."),
            Attribute("seqGammarWordPen", "number", 0.0, "Penalty for each word."),
        ),
        (
            Field("symListPath", "wstr"),
            Field("phonePath", "wstr"),
            Field("stateListPath", "wstr"),
            Field("transProbPath", "wstr"),
            Field("latticeConfigPath", "wstr"),
            Field("frameDropThresh", "f64", default=1e-10),
            Field("hSmoothingWeight", "f64", default=0.95),
            Field("seqGammarAMF", "f64", default=14.0),
            Field("seqGammarLMF", "f64", default=14.0),
            Field("seqGammarWordPen", "f64", default=0.0),
            Field("seqGammarBMMIFactor", "f64", default=0.0),
            Field("seqGammarUsesMBR", "bool", default=False),
            Field("doReferenceAlign", "bool", default=False),
        ),
        reference_limits="CNTK 2.7 has it for float only.",
    ),
)
