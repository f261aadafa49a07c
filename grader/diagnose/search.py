"""A wrong gradient to what is wrong with it, by trying one explanation after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from grader.course import Exercise, Gradient
from grader.course.mistakes import Mistake
from grader.diagnose import words
from grader.diagnose.evidence import Sample, are_equal, are_equal_where_finite, collect, find_matching
from grader.diagnose.numbers import WrittenIn, find_written_shape
from grader.diagnose.paths import Exchanged, exchanged, find_scaled, find_two_scaled
from grader.diagnose.simple import Region, find_not_finite, find_precision, find_reshaping, find_support
from grader.diagnose.slip import Slip
from grader.diagnose.slips import slips
from grader.diagnose.swaps import Other, additions, find_shared, is_beside, other_tensors, products_of_uses
from grader.verdict.compare import Verdict
from grader.verdict.follow import Trial

Samples = Sequence[Sample]
CERTAIN, LIKELY = "certain", "likely"


@dataclass(frozen=True)
class Diagnosis:
    """What a wrong gradient equals, in one or two sentences to the student.

    `id` is a stable slug such as "factor:1/N". `certainty` is "certain" where the answer is reproduced in
    every case and no other name fits as well, else "likely".
    """

    id: str
    message: str
    certainty: str


# What is said where the time for explanations was used up by others.
NOT_LOOKED_INTO = Diagnosis("not_looked_into", words.NOT_LOOKED_INTO, LIKELY)

Explanation = Callable[[Samples], Diagnosis | None]


# Slips that are also said as one factor too many or too few, and better so.
VAGUE = (
    "added_to_slope",
    "subtracted_slope",
    "upstream_exchanged",
    "skipped",
    "upstream_itself",
    "slope_twice",
    "divided_by_slope",
)
# These fit by chance where a slip of its own kind has the same numbers.
GENERAL = (
    "slope_at",
    "result_anew",
    "exponent_exchanged",
    "inner_number_exchanged",
    "differentiated_twice",
    "partner",
    "factor_exchanged",
    "axes_exchanged",
)


def diagnose(
    exercise: Exercise, gradient: Gradient, trials: Sequence[Trial], bank: Sequence[Mistake]
) -> Diagnosis | None:
    """Return what is wrong with one gradient, or None: then no guess is made.

    What is said holds in every case in which the gradient was returned, also in those in which it is right.
    """
    views = list(collect(exercise, gradient, trials))
    if not views:
        return None
    with torch.no_grad():
        true, theirs = views[0], [] if _is_constant(views[0]) else views[1:]
        if any(_is_as_expected(samples) for samples in theirs):
            return None
        # The bank comes before shape and factor: where an author's sentence fits to the last digit, it speaks of
        # this exercise and of the slip itself, and says more than "N times too small".
        found = _from_the_bank(true, bank)
        deep = [replace(sample, is_deep=True, kept=[]) for sample in true]
        goes_on = any(set(other.plans) - set(one.plans) for one, other in zip(true, deep, strict=True))
        found = found or _first(EXACT, true)
        for samples in theirs:
            found = found or _given_theirs(_first(EXACT, samples))
        found = found or (_first(IN_THE_GRAPH, deep) if goes_on else None) or _first(BY_PLACE, true)
        for samples in theirs:
            found = found or _given_theirs(_first(BY_PLACE, samples))
    return found


def _first(explanations: Sequence[Explanation], samples: Samples) -> Diagnosis | None:
    for explain in explanations:
        found = explain(samples)
        if found is not None:
            return found
    return None


def _given_theirs(found: Diagnosis | None) -> Diagnosis | None:
    # Of what rests on another slip, the sentence must say so, and there are two readings of it.
    return found and Diagnosis(found.id, words.GIVEN_THEIRS + found.message, LIKELY)


def _is_as_expected(samples: Samples) -> bool:
    return all(s.is_sound and s.actual.shape == s.expected.shape and are_equal(s.actual, s.expected) for s in samples)


def _is_constant(samples: Samples) -> bool:
    """Return whether a gradient is one number everywhere: then it fits other constants by chance."""
    wrong = [sample.actual for sample in samples if not sample.is_correct and sample.actual.numel()]
    return all(bool((actual == actual.flatten()[0]).all()) for actual in wrong)


def _from_the_bank(samples: Samples, bank: Sequence[Mistake]) -> Diagnosis | None:
    """Return the mistakes of the bank that are the same as what was returned in every case."""
    first = samples[0]
    matching = [
        mistake
        for mistake in bank
        if (mistake.function, mistake.gradient) == (first.exercise.function, first.gradient.name)
        and all(_is_mistake(mistake, sample) for sample in samples)
        and any(bool(sample.actual.isfinite().any()) for sample in samples if not sample.is_correct)
    ]
    if not matching:
        return None
    slug = "|".join(f"{mistake.function}__{mistake.gradient}__{mistake.name}" for mistake in matching)
    sentences = list(dict.fromkeys(mistake.sentence for mistake in matching))
    return Diagnosis(f"mistake:{slug}", words.say_mistakes(sentences), CERTAIN if len(sentences) == 1 else LIKELY)


def _is_mistake(mistake: Mistake, sample: Sample) -> bool:
    if not sample.actual.is_floating_point():
        return False
    # The formula of one gradient may use the others, not itself.
    usable = [] if _is_constant([sample]) else [Verdict.CORRECT, Verdict.WRONG_VALUES]
    comparisons = sample.trial.comparisons
    returned = {
        name: gradient
        for name, gradient in sample.trial.returned.items()
        if name != sample.gradient.name and comparisons[name].verdict in usable
    }
    wrong = mistake.evaluate(sample.case, returned)
    if wrong is None or wrong.shape != sample.actual.shape or wrong.dtype != sample.actual.dtype:
        return False
    return are_equal_where_finite(wrong, sample.actual)


def _by_shape(samples: Samples) -> Diagnosis | None:
    kind = find_reshaping(samples)
    if kind is None:
        return None
    wrong = max(samples, key=lambda sample: (sample.actual.shape != sample.expected.shape, _severity(sample)))
    return Diagnosis(f"shape:{kind}", words.say_reshaping(kind, wrong), CERTAIN)


def _by_factor(samples: Samples) -> Diagnosis | None:
    found = find_scaled(samples)
    if found is None:
        return None
    if found.written_in:
        return _say_written_in(samples, found.written_in)
    sound = [sample for sample in samples if sample.is_sound]
    shown = _shown(sound)
    factor = found.factors[sound.index(shown)]
    certainty = CERTAIN if len(found.names) == 1 and len(sound) == len(samples) else LIKELY
    name = " or ".join(found.names) or "unnamed"
    if not found.path.through:
        return Diagnosis(f"factor:{name}", words.say_factor(found, shown, factor), certainty)
    what = {"0": "missing", "-1": "sign"}.get(name, f"factor:{name}")
    slug = f"term:{what}:{'+'.join(found.path.through)}"
    return Diagnosis(slug, words.say_term(found, shown, factor), certainty)


def _by_written_shape(samples: Samples) -> Diagnosis | None:
    found = find_written_shape(samples)
    return None if found is None else _say_written_in(samples, found)


def _say_written_in(samples: Samples, found: WrittenIn) -> Diagnosis:
    right = next(sample for sample in samples if sample.is_correct or sample.actual.shape == sample.expected.shape)
    said = words.say_written_in(found.size, found.number, right.case.name, samples[0].gradient.name)
    return Diagnosis(f"written_in:{found.size}={found.number}", said, LIKELY)


def _by_two_terms(samples: Samples) -> Diagnosis | None:
    found = find_two_scaled(samples)
    if found is None:
        return None
    slug = ",".join(f"{'+'.join(each.path.through)}={' or '.join(each.names)}" for each in found)
    return Diagnosis(f"terms:{slug}", words.say_two_terms(found, _shown(samples)), LIKELY)


def _by_memory(samples: Samples) -> Diagnosis | None:
    other = find_shared(samples)
    return (other and Diagnosis("memory:shared", words.say_shared(other, _shown(samples)), CERTAIN)) or None


def _by_other_tensor(samples: Samples) -> Diagnosis | None:
    matching = find_matching(samples, other_tensors)
    near = [other for other in matching if not is_beside(other, samples)]
    # A gradient under its own name is said before another one that was summed or turned.
    return _say_other(samples, near) if len(near) == len(matching) or any(not o.change for o in near) else None


def _by_tensor_beside(samples: Samples) -> Diagnosis | None:
    # Later, as it says little: which other gradient has these numbers, and not how they came about.
    return _say_other(samples, find_matching(samples, other_tensors))


def _say_other(samples: Samples, matching: Sequence[Other]) -> Diagnosis | None:
    if not matching:
        return None
    other = min(matching, key=lambda found: bool(found.change))
    slug = f"swapped:{other.name}" + (f":{other.change}" if other.change else "")
    return Diagnosis(slug, words.say_other(other, _shown(samples)), _certainty(matching))


def _by_operation(samples: Samples) -> Diagnosis | None:
    """Say which operation went wrong, or which value is missing as a factor or one too many, if that is simpler."""
    matching = find_matching(samples, slips)
    telling = [slip for slip in matching if _kind(slip) not in VAGUE]
    telling = [slip for slip in telling if _kind(slip) not in GENERAL] or telling
    if telling:
        return _say_slip(samples, telling)
    beside = _by_tensor_beside(samples)
    if beside is not None:
        return beside
    factors = find_matching(samples, exchanged)
    simple = [each for each in factors if each.is_simple]
    if simple:
        return _say_exchange(samples, simple)
    if matching:
        return _say_slip(samples, sorted(matching, key=lambda slip: -VAGUE.index(_kind(slip))))
    return _by_blank(samples) or _say_exchange(samples, factors)


def _kind(slip: Slip) -> str:
    return slip.kind.partition(":")[0]


def _say_slip(samples: Samples, matching: Sequence[Slip]) -> Diagnosis:
    slip, shown = matching[0], _shown(samples)
    sentences = [words.say_slip(each, shown) for each in matching]
    slug = f"slip:{slip.step}:{slip.operation or 'step'}:{slip.kind}"
    return Diagnosis(slug, sentences[0], CERTAIN if len(set(sentences)) == 1 else LIKELY)


def _say_exchange(samples: Samples, matching: Sequence[Exchanged]) -> Diagnosis | None:
    if not matching:
        return None
    simple = min(matching, key=lambda e: (len(e.path.through), bool(e.found) + bool(e.right), "²" in e.found + e.right))
    slug = f"exchanged:{'+'.join(simple.path.through) or 'all'}:{simple.right or '1'}->{simple.found or '1'}"
    return Diagnosis(slug, words.say_exchanged(simple, _shown(samples)), _certainty(matching))


def _by_addition(samples: Samples) -> Diagnosis | None:
    matching = find_matching(samples, additions)
    if not matching:
        return None
    slug = f"{matching[0].change}:{matching[0].name}"
    return Diagnosis(slug, words.say_addition(matching[0], _shown(samples)), _certainty(matching))


def _by_product(samples: Samples) -> Diagnosis | None:
    matching = find_matching(samples, products_of_uses)
    if not matching:
        return None
    return Diagnosis("multiplied:uses", words.say_product(matching[0], _shown(samples)), CERTAIN)


def _by_not_finite(samples: Samples) -> Diagnosis | None:
    found = find_not_finite(samples)
    if found is None:
        return None
    bad = next(sample for sample in samples if not sample.is_sound)
    return Diagnosis(f"not_finite:{found[0]}", words.say_not_finite(*found, bad), LIKELY)


def _by_blank(samples: Samples) -> Diagnosis | None:
    return _say_support(samples, find_support(samples, ("zero_in", "only_in")))


def _by_support(samples: Samples) -> Diagnosis | None:
    return _say_support(samples, find_support(samples, ("wrong_in",)))


def _say_support(samples: Samples, found: tuple[str, Region] | None) -> Diagnosis | None:
    if found is None:
        return None
    fact, place = found
    slug = f"support:{fact}:{place.kind}" + (f":{place.about}" if place.about else "")
    return Diagnosis(slug, words.say_support(fact, place, _shown(samples)), LIKELY)


def _by_precision(samples: Samples) -> Diagnosis | None:
    kind = find_precision(samples)
    if kind is None:
        return None
    certainty = LIKELY if kind == "approximate" else CERTAIN
    return Diagnosis(f"precision:{kind}", words.say_precision(kind, _shown(samples)), certainty)


def _shown(samples: Samples) -> Sample:
    """Return the case whose numbers are quoted: the one that the report shows."""
    return max(samples, key=_severity)


def _severity(sample: Sample) -> tuple[int, float]:
    return sample.trial.comparisons[sample.gradient.name].severity


def _certainty(matching: Sequence[object]) -> str:
    return CERTAIN if len(matching) == 1 else LIKELY


# What reproduces the answer to the last digit, and then what only tells where or how far it is off.
IN_THE_GRAPH: tuple[Explanation, ...] = (_by_factor, _by_operation, _by_two_terms)
EXACT: tuple[Explanation, ...] = (
    _by_shape,
    _by_written_shape,
    _by_memory,
    _by_factor,
    _by_other_tensor,
    _by_operation,
    _by_addition,
    _by_product,
    _by_two_terms,
)
BY_PLACE: tuple[Explanation, ...] = (_by_not_finite, _by_precision, _by_support)
