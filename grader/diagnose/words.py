"""Every sentence that a diagnosis says to a student.

A sentence names what the wrong answer equals and where to look. It never shows the right formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.diagnose.catalogue import OPERATIONS, SENTENCES
from grader.diagnose.evidence import Sample
from grader.diagnose.numbers import show_sizes
from grader.diagnose.paths import Exchanged, Path, Scaled
from grader.diagnose.simple import Region
from grader.diagnose.slip import Slip
from grader.diagnose.swaps import Other, is_swapped

NOT_LOOKED_INTO = (
    "It was not looked into what went wrong here: the other gradients took all the time that there is for it. "
    "Mend those first."
)
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
        case "zeros_left_out":
            return (
                f"Your {name} is {yours} and {sample.value} is {right}. What is there is right, and the end of axis "
                f"{axes} is missing: it was not used, so its gradient is zero, and belongs to {name} all the same."
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


def say_written_in(size: str, number: int, case: str, name: str) -> str:
    """Say that a number stands where a size belongs."""
    return (
        f"Your {name} has {number} where {size} belongs. That is right in the case '{case}', where {size} is {number}, "
        f"and nowhere else. Look for a {number} in your code, and take the size from a tensor."
    )


def say_term(scaled: Scaled, sample: Sample, factor: float) -> str:
    """Say what happened to one path of a gradient that is a sum over paths."""
    name, path = sample.gradient.name, _through(scaled.path, sample.case.forward.output)
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
    output = sample.case.forward.output
    parts = [f"what comes back {_through(each.path, output)} {_became(each)}" for each in scaled]
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
        case "as_given":
            return f"Your {name} is exactly the upstream gradient {other.name}, as it was given. {step}"
        case "negated":
            return f"Your {name} is exactly minus {what}. {step}"
        case "turned":
            return f"Your {name} is exactly {what} with its last two axes swapped. {step}"
        case "summed":
            return f"Your {name} is exactly {what}, summed over axis {axes}. {step}"
        case "first" | "last":
            return f"Your {name} is exactly the {change} entry of {what} along axis {axes}. {step}"
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
    part = (
        f"In your {name}, the part that comes back {_through(exchanged.path, sample.case.forward.output)}"
        if exchanged.path.through
        else ""
    )
    if not exchanged.found:
        return f"{part or f'Your {name}'} lacks the factor {exchanged.right}; otherwise it is right."
    if not exchanged.right:
        return f"{part or f'Your {name}'} has one factor too many: {exchanged.found}. Otherwise it is right."
    return f"{part or f'Your {name}'} has {exchanged.found} where {exchanged.right} belongs. Otherwise it is right."


def say_slip(slip: Slip, sample: Sample) -> str:
    """Say what went wrong in one operation of one step."""
    kind, detail = _split(slip.kind)
    operation = OPERATIONS.get(slip.operation, slip.operation.lower())
    return SENTENCES[kind].sentence.format(
        d=sample.gradient.name,
        step=slip.step,
        read=slip.read or sample.value,
        detail=detail,
        op=operation,
        Op=operation[:1].upper() + operation[1:],
    )


def say_support(fact: str, place: Region, sample: Sample) -> str:
    """Say where a gradient is wrong, or where alone it was filled."""
    name, where = sample.gradient.name, _place(place, sample.expected.dim())
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


def _through(path: Path, output: str) -> str:
    if path.is_own:
        return f"to {path.through[0]} as an output of its own"
    if path.through == (output,):
        return f"straight from {output}"
    *more, last = [name for name in path.through if name != output][:3]  # through it comes everything
    return f"through {', '.join(more)} and {last}" if more else f"through {last}"


def _place(place: Region, dimensions: int) -> str:
    words = {"0": "row", "1": "column"} if dimensions == 2 else {}
    rows = words.get(place.about, f"entry along axis {place.about}")
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
    return f"in the {place.kind} {rows}"


def _advice(place: Region) -> str:
    match place.kind:
        case "repeated":
            return "With repeated indices, = and += keep one of the contributions; all of them should add up."
        case "zeros" | "ones":
            return f"Look at how {place.about} comes in."
        case "target" | "all_but_target":
            return "Those entries have a path to the output of their own."
        case "first" | "last":
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
