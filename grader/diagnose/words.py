"""Every sentence that a diagnosis says to a student.

A sentence names what the wrong answer equals and where to look. It never shows the right formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.diagnose.evidence import Sample
from grader.diagnose.numbers import show_sizes
from grader.diagnose.paths import Exchanged, Path, Scaled
from grader.diagnose.simple import Place
from grader.diagnose.slips import Slip
from grader.diagnose.swaps import Other, is_swapped

GIVEN_THEIRS = "Given the gradients of yours that it rests on: "


def say_mistakes(sentences: Sequence[str]) -> str:
    """Say the author's sentence, or all of them if several mistakes give the same numbers."""
    if len(sentences) == 1:
        return sentences[0]
    return "Your answer may have come about in more than one way. " + " Or: ".join(sentences)


def say_reshaping(kind: str, sample: Sample) -> str:
    """Say what was done to the shape of the right numbers."""
    name, about, axes = sample.gradient.name, *_split(kind)
    yours, right = tuple(sample.actual.shape), tuple(sample.expected.shape)
    match about:
        case "turned":
            return (
                f"Your {name} holds the right numbers with the last two axes swapped: {yours}, and {sample.value} "
                f"is {right}. Look at the order of the factors, or for a transpose."
            )
        case "axis_kept":
            return (
                f"The numbers of your {name} are right, but its shape is {yours} and {sample.value} is {right}. "
                "An axis of size 1 is left over; look for a keepdim."
            )
        case "axis_lost":
            return (
                f"The numbers of your {name} are right, but its shape is {yours} and {sample.value} is {right}. "
                "An axis of size 1 got lost; look for a sum without keepdim."
            )
        case "reordered":
            return (
                f"The numbers of your {name} are right and stand in the right order, but in the shape {yours}. "
                f"{sample.value} is {right}, and a gradient has the shape of its value."
            )
        case "not_expanded":
            return (
                f"Your {name} is {yours} and {sample.value} is {right}. The numbers are right, but there is only one "
                "copy of them: every entry that went into the sum gets its own."
            )
        case "not_summed":
            return (
                f"Your {name} still has {_axis_sizes(axes, yours)}, over which {sample.value} was shared. "
                "Added up there, it would be right: a broadcast in the forward is a sum in the backward."
            )
    return (
        f"Your {name} is the right gradient, but added up over {_axis_sizes(axes, right)}. "
        f"Each of those entries of {sample.value} has a gradient of its own."
    )


def say_factor(scaled: Scaled, sample: Sample, factor: float) -> str:
    """Say that a gradient is a multiple of the right one."""
    name = sample.gradient.name
    if scaled.names == ("0",):
        return f"Your {name} is zero everywhere. Was it made and never filled, or multiplied by something that is zero?"
    if scaled.names == ("-1",):
        return f"Your {name} is right but for its sign: every entry is negated. Look for a minus, lost or too many."
    if scaled.names:
        return f"Your {name} is the right gradient times {_number(scaled.names, factor, sample)}. {_where_from(scaled)}"
    return (
        f"Your {name} is the right gradient times {factor:.6g} here: its direction is right in every case, and only "
        "a number in front is not."
    )


def say_term(scaled: Scaled, sample: Sample, factor: float) -> str:
    """Say what happened to one path of a gradient that is a sum over paths."""
    name, path = sample.gradient.name, _through(scaled.path)
    if scaled.names == ("0",):
        return (
            f"A part of your {name} is missing: what comes back {path}. {sample.value} has more than one way to the "
            "output, and all of them add up."
        )
    if scaled.names == ("-1",):
        return (
            f"One part of your {name} has the wrong sign: what comes back {path}. The rest is right. "
            "Check each minus on that way, and that the parts are added."
        )
    return (
        f"One part of your {name} is off by a factor: what comes back {path} is there "
        f"{_number(scaled.names, factor, sample)} times. The rest is right."
    )


def say_two_terms(scaled: Sequence[Scaled], sample: Sample) -> str:
    """Say what happened to two paths at once."""
    parts = [f"what comes back {_through(each.path)} {_became(each)}" for each in scaled]
    return f"Two parts of your {sample.gradient.name} are off: {parts[0]}, and {parts[1]}. The rest is right."


def say_other(other: Other, sample: Sample) -> str:
    """Say which other tensor was returned."""
    name, (change, axes) = sample.gradient.name, _split(other.change)
    what = "the upstream gradient dout" if other.name == "dout" else other.name
    step = _between(other.name, sample)
    match change:
        case "ones":
            return f"Your {name} is 1 everywhere. What comes back from the output has to be in it."
        case "of_ones":
            return (
                f"Your {name} is the right answer for an upstream gradient of ones. It does not use {other.name}, "
                "which is different for every entry."
            )
        case "negated":
            return f"Your {name} is exactly minus {what}. {step}"
        case "turned":
            return f"Your {name} is exactly {what} with its last two axes swapped. {step}"
        case "summed":
            return f"Your {name} is exactly {what}, summed over axis {axes}. {step}"
    if other.name != "dout" and other.name in sample.tensors:
        return (
            f"Your {name} is exactly {other.name}, a value of the forward. "
            "A gradient also has in it what comes back from the output."
        )
    if is_swapped(other, sample):
        return (
            f"Your {name} and your {other.name} are swapped: each has the numbers of the other. Look at the order in "
            "which you return them."
        )
    return f"Your {name} is exactly {what}. {step}"


def say_addition(other: Other, sample: Sample) -> str:
    """Say what was added to a right gradient."""
    word = "subtracted from" if other.change == "subtracted" else "added to"
    what = f"a sum of {other.name}" if other.change == "sum_added" else other.name
    return (
        f"Your {sample.gradient.name} is the right gradient with {what} {word} it. "
        "Is that a use of the value that the forward does not have, or are parentheses missing?"
    )


def say_product(consumers: Sequence[str], sample: Sample) -> str:
    """Say that the uses of a value were multiplied."""
    return (
        f"Your {sample.gradient.name} multiplies what comes back through {' and '.join(consumers)}. Each use moves "
        "the output by itself, so they add up."
    )


def say_shared(other: str, sample: Sample) -> str:
    """Say that two names stand for one tensor."""
    name = sample.gradient.name
    return (
        f"Your {name} and your {other} are the same tensor, bit for bit, and only {other} is right. Assigning a tensor "
        f"to a second name does not copy it: what is added to {other} in place lands in {name}, too. Look for a "
        "clone that is missing."
    )


def say_exchanged(exchanged: Exchanged, sample: Sample) -> str:
    """Say that a factor was exchanged, left out, or is one too many."""
    name = sample.gradient.name
    part = f"In your {name}, the part that comes back {_through(exchanged.path)}" if exchanged.path.through else ""
    if not exchanged.found:
        return f"{part or f'Your {name}'} lacks the factor {exchanged.right}; otherwise it is right."
    if not exchanged.right:
        return f"{part or f'Your {name}'} has one factor too many: {exchanged.found}. Otherwise it is right."
    return f"{part or f'Your {name}'} has {exchanged.found} where {exchanged.right} belongs. Otherwise it is right."


def say_slip(slip: Slip, sample: Sample) -> str:
    """Say what went wrong in one operation of one step."""
    kind, detail = _split(slip.kind)
    sentence = SLIPS.get((slip.operation, kind)) or SLIPS.get(("", kind)) or SLIPS["", ""]
    return sentence.format(
        d=sample.gradient.name,
        step=slip.step,
        read=slip.read or sample.value,
        detail=detail,
        op=OPERATIONS.get(slip.operation, slip.operation.lower()),
    )


def say_support(fact: str, place: Place, sample: Sample) -> str:
    """Say where a gradient is wrong, or where alone it was filled."""
    name, where = sample.gradient.name, _place(place)
    if fact == "zero_in":
        return f"Your {name} is zero {where}, and right everywhere else. Those entries have a gradient, too."
    if fact == "only_in":
        return f"Your {name} is right {where}, and zero everywhere else. The other entries have a gradient, too."
    return f"Your {name} is wrong only {where}, and right everywhere else. {_advice(place)}"


def say_precision(kind: str, sample: Sample) -> str:
    """Say that a gradient is right to fewer digits than it should be."""
    name = sample.gradient.name
    if kind == "dtype":
        return (
            f"The numbers of your {name} are right, but its dtype is {str(sample.actual.dtype).removeprefix('torch.')} "
            "and should be float64. Look for a .float(), or for a tensor made with a dtype of its own."
        )
    if kind == "float32":
        return (
            f"Your {name} is right to about 7 digits, and its numbers are float32 numbers. Somewhere it went "
            "through float32: look for a .float() or a dtype argument."
        )
    return (
        f"Your {name} is very close, but not exact. A numerical derivative, or a small number added for safety, "
        "gives such errors; so does float32 on the way."
    )


def say_not_finite(kind: str, value: str, sample: Sample) -> str:
    """Say why a gradient is infinite or NaN."""
    name = sample.gradient.name
    if kind == "division":
        return f"Your {name} is not finite exactly where {value} is 0. Look for a division by it, or its logarithm."
    largest = float(sample.tensors[value].max())
    return (
        f"Your {name} is not finite where {value} is large: it goes up to {largest:.4g} in this case, and exp of "
        "anything above 709 is infinite. The forward takes care of that before it uses exp."
    )


OPERATIONS: Mapping[str, str] = {
    "Mm": "the matrix product",
    "Bmm": "the matrix product",
    "Mul": "the product",
    "Div": "the division",
    "Sum": "the sum",
    "Mean": "the mean",
    "Pow": "the power",
    "Index": "the lookup",
    "Neg": "the minus",
    "Sub": "the difference",
    "Add": "the addition",
    "Tanh": "tanh",
    "Exp": "exp",
    "Log": "log",
    "Max": "the maximum",
    "Amax": "the maximum",
    "Softmax": "the softmax",
}

# By operation and kind of slip; the operation "" stands for any.
SLIPS: Mapping[tuple[str, str], str] = {
    ("", ""): "Your {d} is what comes out if one thing goes wrong at {step}. Look at {op} there.",
    ("", "skipped"): "Your {d} is what comes out if {op} in {step} is passed by, as if it had slope 1. Look at {step}.",
    (
        "",
        "negated",
    ): "Your {d} is what comes out if the sign is turned around at {op} in {step}. Look for a minus there.",
    ("", "slope_only"): "Your {d} is what comes out if {op} in {step} gives its slope alone. What came back to {step} "
    "must be multiplied in.",
    ("", "divided_by_slope"): "Your {d} divides by the slope of {op} in {step}. The chain rule multiplies.",
    ("", "added_to_slope"): "Your {d} adds the slope of {op} in {step} to what came back. The chain rule multiplies.",
    ("", "subtracted_slope"): "Your {d} subtracts the slope of {op} in {step} from what came back. The chain rule "
    "multiplies.",
    ("", "slope_twice"): "Your {d} has the slope of {op} in {step} in it twice. Each step is gone through once.",
    (
        "",
        "divided_by_upstream",
    ): "Your {d} divides by what came back to {step}. An upstream gradient is always a factor.",
    ("", "upstream_ones"): "Your {d} does not use what came back to {step}; it is what comes out for an upstream "
    "gradient of ones.",
    ("", "upstream_exchanged"): "Your {d} is what comes out if {detail} is sent back through {step}, in place of what "
    "came back to {step}.",
    (
        "",
        "upstream_first",
    ): "Your {d} uses what came back to {step} at the first entry of axis {detail} only. All of them count.",
    (
        "",
        "upstream_last",
    ): "Your {d} uses what came back to {step} at the last entry of axis {detail} only. All of them "
    "count; a loop that assigns keeps the last one.",
    (
        "",
        "not_summed",
    ): "{read} was shared by many entries of {step}, and your {d} is what comes out if their gradients "
    "are not added up.",
    ("", "summed_to_one"): "Your {d} adds up everything to one number, at {step}. Each entry of {read} has a gradient "
    "of its own.",
    ("", "axis_kept"): "The numbers of your {d} are right, but an axis of size 1 is left over. Look for a keepdim.",
    ("", "axis_lost"): "The numbers of your {d} are right, but an axis of size 1 got lost. Look for a missing keepdim.",
    ("", "first_only"): "Your {d} uses the first entry of axis {detail} only, at {step}. All of them share {read}.",
    (
        "",
        "last_only",
    ): "Your {d} uses the last entry of axis {detail} only, at {step}. All of them share {read}; a loop "
    "that assigns keeps the last one.",
    ("", "summed_over"): "Your {d} is summed over axis {detail} of {step}, the wrong one. Which axis was {read} shared "
    "along?",
    ("", "averaged_over"): "Your {d} is a mean over axis {detail} of {step}. That is neither the axis nor the sum.",
    ("", "upstream_itself"): "Your {d} is what comes out if what came back to {step} is handed on to {read} unchanged. "
    "Between the two there is a step with a slope.",
    ("", "slope_at"): "Your {d} takes the slope of {op} in {step} at {detail}. That is not what the slope is made of.",
    ("", "partner"): "Your {d} is what comes out if {read} is multiplied by {detail} on the way to {step}. The forward "
    "multiplies it by something else.",
    ("", "partner_over"): "Your {d} divides by {detail} where {read} goes into {step}.",
    ("", "own_factor"): "At {step}, your {d} multiplies by the factor itself. In a product, each factor gets the other "
    "one.",
    (
        "",
        "product_instead",
    ): "At {step}, your {d} multiplies by the whole product. Only the other factor scales a move.",
    ("", "quotient_rule"): "At {step}, your {d} follows the rule of a quotient, and the forward has a product.",
    ("", "mask_missing"): "Your {d} leaves the mask of {step} out. An entry that is dropped cannot change the output.",
    (
        "",
        "turned_upside_down",
    ): "Your {d} is one over the right gradient of {step}: what should be multiplied was divided.",
    ("", "mask_inverted"): "Your {d} keeps what the mask drops at {step}, and drops what it keeps.",
    (
        "",
        "parentheses_lost",
    ): "Your {d} is what comes out at {step} if parentheses are missing: a product or a quotient "
    "binds tighter than a minus.",
    (
        "",
        "square_missing",
    ): "Your {d} has a slope of {op} in {step} without a square. It must be the same at a point and "
    "at its mirror image.",
    ("", "square_added"): "Your {d} has a plus in the slope of {op} in {step}. The slope gets smaller away from zero.",
    ("", "sigmoid_rule"): "Your {d} uses the rule of the sigmoid in {step}, and the forward has {op}.",
    ("", "tanh_rule"): "Your {d} uses the rule of tanh in {step}, and the forward has {op}.",
    ("", "relu_rule"): "Your {d} uses the rule of the ReLU in {step}, and the forward has {op}.",
    ("", "bracket_squared"): "Your {d} squares a whole bracket in the slope of {op} in {step}.",
    ("", "applied_twice"): "Your {d} applies {op} once more to {step}. {step} has been through it already.",
    ("", "upstream_in_the_slope"): "Your {d} has {step} and what came back to it exchanged in the slope of {op}.",
    ("", "one_missing"): "Your {d} has only one part of the slope of {op} in {step}.",
    ("", "power_rule"): "Your {d} uses the power rule in {step}. In {op} the variable is the exponent.",
    ("", "input_as_slope"): "Your {d} uses the input of {op} in {step} as its slope.",
    ("", "differentiated_twice"): "Your {d} has {op} in {step} differentiated once too often.",
    ("", "exp_rule"): "Your {d} uses the rule of exp in {step}, and the forward has {op}.",
    ("", "output_as_input"): "Your {d} uses the output of {op} in {step} where its input belongs.",
    ("", "number_added"): "Your {d} adds {detail} inside {op} in {step}. The forward does not.",
    (
        "",
        "exponent_kept",
    ): "Your {d} keeps the exponent in {step} as it was. The derivative of a power has another one.",
    ("", "factor_missing"): "Your {d} lowers the exponent in {step}, but a factor that comes with it is missing.",
    ("", "neither_lowered_nor_factor"): "Your {d} uses the power in {step} as its own slope.",
    ("", "exponent_raised"): "Your {d} raises the exponent in {step}. It goes the other way.",
    ("", "exponent_turned"): "Your {d} has an exponent of the wrong sign in {step}. Check where the slope is large.",
    ("", "square_assumed"): "Your {d} uses the rule for a square in {step}. The exponent is another one.",
    ("", "towards_exponent"): "Your {d} differentiates {step} towards its exponent, which brings in a logarithm.",
    ("", "slope_of_a_line"): "Your {d} has the same slope everywhere for {op} in {step}. A power is steeper in some "
    "places than in others.",
    ("", "integrated"): "Your {d} uses the rule for an integral in {step}.",
    ("", "inner_number_missing"): "Your {d} leaves out the small number that the forward adds before {op} in {step}.",
    ("", "not_expanded"): "Your {d} is what came back to {step}, not yet handed to every entry that went into it.",
    (
        "",
        "upstream_summed",
    ): "Your {d} adds up what came back to {step} once more. Each entry of {step} stands for itself.",
    (
        "",
        "times_input",
    ): "Your {d} multiplies by {read} at {op} in {step}. That step has slope 1, however large an entry is.",
    ("", "only_first"): "Your {d} is filled from the first entry of an axis only, at {op} in {step}.",
    ("", "only_last"): "Your {d} is filled from the last entry of an axis only, at {op} in {step}. A loop that assigns "
    "keeps the last one.",
    (
        "",
        "not_transposed",
    ): "Your {d} multiplies by the other factor as it stands, at {op} in {step}. Check which of its "
    "axes should meet which.",
    (
        "",
        "reshaped",
    ): "Your {d} turns a factor over by reshaping it, at {op} in {step}. That keeps the numbers in order; "
    "a transpose does not.",
    ("", "result_turned"): "Your {d} lies on its side: rows and columns are swapped, at {op} in {step}.",
    ("", "other_order"): "Your {d} has the two factors of {op} in {step} in the other order.",
    (
        "",
        "partner_ones",
    ): "Your {d} does not use the other factor of {op} in {step}; it is what comes out if that is ones.",
    (
        "",
        "summed_before",
    ): "Your {d} adds up before it multiplies, at {op} in {step}. Each pair has a product of its own.",
    ("", "products_not_summed"): "Your {d} still has an axis that {op} in {step} adds up. Its products are right.",
    ("", "not_routed"): "Your {d} is what came back to {step}, not yet put where {op} took it from.",
    ("", "to_every_entry"): "Your {d} gives what came back to every entry. {op} in {step} reads a single one.",
    ("", "smallest"): "Your {d} gives what came back to the smallest entry, and the forward takes the largest.",
    ("", "positive_entries"): "Your {d} gives what came back to every positive entry, as for a ReLU. {op} compares "
    "entries with each other.",
    ("", "maximum_of_other_axis"): "Your {d} looks for the maximum along the wrong axis, in {step}.",
    (
        "",
        "every_row",
    ): "Your {d} fills the chosen columns in every row: [:, index] takes all pairs. Each row has its own.",
    ("", "not_collected"): "Your {d} is what came back to {step}, not yet collected where {op} took it from.",
    ("", "overwritten"): "Your {d} is what comes out if what is looked up several times is written instead of added: "
    "with repeated indices, = and += keep one of them.",
    ("", "everywhere"): "Your {d} is filled everywhere. {op} in {step} reads some entries only.",
    (
        "",
        "averaged_per_token",
    ): "Your {d} is a mean over the uses of each row. Every use moves the output, so they add up.",
    ("", "same_for_all"): "Your {d} gives every used row the same sum. A row gets what belongs to its own places.",
    ("", "shifted"): "Your {d} has its rows shifted by one at {op} in {step}. Indices count from 0.",
    ("", "axes_mixed"): "Your {d} is what comes out if two axes are exchanged by reshaping, at {op} in {step}.",
    (
        "",
        "shared_sum_ignored",
    ): "Your {d} keeps the sum in the softmax {step} fixed. Every entry changes it, and so all others of its row.",
    ("", "diagonal_only"): "Your {d} has the effect of each entry on its own {step} only. It also moves the others.",
    ("", "sum_not_weighted"): "Your {d} takes a plain sum in the softmax {step}. Its entries do not weigh alike.",
    ("", "plain_mean"): "Your {d} takes a plain mean in the softmax {step}. Its entries do not weigh alike.",
    ("", "sum_added"): "Your {d} adds what comes through the shared sum of the softmax {step}. A larger sum makes all "
    "smaller.",
    ("", "mean_for_sum"): "Your {d} takes a mean in the softmax {step} where nothing is divided.",
    (
        "Softmax",
        "parentheses_lost",
    ): "One part of your {d} is not scaled by {step}. Check that it sums to zero along the axis of the softmax.",
    ("", "not_scaled"): "Your {d} is not scaled by {step}. An entry of almost no probability moves almost nothing.",
    ("", "scaled_twice"): "Your {d} is scaled by {step} once too often.",
    ("", "log_softmax_rule"): "Your {d} is the gradient through a log-softmax. {step} has no log in it.",
    ("", "upstream_as_target"): "Your {d} is {step} minus what came back to it, as if that were a target.",
    ("", "other_axis"): "Your {d} sums over the wrong axis of the softmax {step}.",
}


def _number(names: Sequence[str], factor: float, sample: Sample) -> str:
    sizes = show_sizes(" ".join(names), sample)
    spoken = " or ".join(names)
    inside = f" ({sizes})" if sizes else ""
    plain = f"{factor:.6g}"
    return plain if plain == spoken else f"{spoken}{inside}"


def _where_from(scaled: Scaled) -> str:
    if scaled.factors[0] < 0:
        return "Look for a minus and for what is divided or multiplied."
    if any(name.startswith("1/") or name.endswith("mean") for name in scaled.names):
        return "Look for a mean where a sum belongs, or a number that is divided by once too often."
    return "Look for a number that is left out, or that is multiplied in once too often."


def _became(scaled: Scaled) -> str:
    if scaled.names == ("0",):
        return "is missing"
    if scaled.names == ("-1",):
        return "has the wrong sign"
    return f"is there {' or '.join(scaled.names)} times"


def _through(path: Path) -> str:
    *more, last = path.through[:3]
    return f"through {', '.join(more)} and {last}" if more else f"through {last}"


def _place(place: Place) -> str:
    rows = {"0": "row", "1": "column"}.get(place.about, f"entry along axis {place.about}")
    match place.kind:
        case "repeated":
            return f"in the rows of tokens that {place.about} holds more than once"
        case "token_0":
            return "in the row of token 0"
        case "target":
            return f"in the column that {place.about} picks in each row"
        case "all_but_target":
            return f"outside the column that {place.about} picks in each row"
        case "zeros":
            return f"where {place.about} is 0"
        case "ones":
            return f"where {place.about} is 1"
        case "negative":
            return f"where {place.about} is negative"
        case "positive":
            return f"where {place.about} is positive"
        case "first" | "last":
            return f"in the {place.kind} {rows}"
    return f"in all but the {place.kind.removeprefix('all_but_')} {rows}"


def _advice(place: Place) -> str:
    match place.kind:
        case "repeated":
            return "With repeated indices, = and += keep one of the contributions; all of them should add up."
        case "zeros" | "ones":
            return f"Look at how {place.about} comes in."
        case "target" | "all_but_target":
            return "Those entries have a path to the output of their own."
        case "first" | "last" | "all_but_first" | "all_but_last":
            return "Look at a loop or an index that begins or ends too soon."
    return "Look at what is special there."


def _between(other: str, sample: Sample) -> str:
    """Say how another gradient lies to the one that was asked for."""
    value = sample.case.forward.output if other == "dout" else other.removeprefix("d")
    if value in replace(sample, is_deep=True).plans:
        return f"Between {sample.value} and {value} the forward has a step that you have not gone back through."
    return f"{sample.value} has another place in the forward, and a gradient of its own."


def _split(kind: str) -> tuple[str, str]:
    before, _, after = kind.partition(":")
    return before, after


def _axis_sizes(axes: str, shape: tuple[int, ...]) -> str:
    names = [f"axis {axis} (size {shape[int(axis)]})" for axis in axes.split(",") if axis]
    return " and ".join(names)
