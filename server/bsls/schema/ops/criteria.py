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
)
