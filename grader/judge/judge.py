"""The judge: from what a function answered to verdicts over all cases, points, flags and explanations."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from grader.course import Arrays, Exercise, Gradient, Style
from grader.course.cases import Case
from grader.course.model import is_trainable
from grader.diagnose import NOT_LOOKED_INTO
from grader.judge.advice import ask_about_size
from grader.judge.dialect import in_numpy
from grader.judge.explanation import Patience, explain_slip
from grader.judge.flags import Seen, find_flags
from grader.judge.invariants import judge_invariants
from grader.judge.prepared import Prepared
from grader.judge.repair import Mend, Repair, draw_repairs, explain, share
from grader.results import ExerciseFeedback, GradientFeedback, InvariantFeedback, total
from grader.sandbox.answer import Answer, CodeLine, Outcome
from grader.sandbox.probing import ProbedRun, Probing
from grader.sandbox.repairing import TriedChange
from grader.verdict.compare import Comparison, Verdict, as_meant, compare
from grader.verdict.follow import Basis, Follows, Trial, find_follows, is_placeholder_in, with_shared
from grader.verdict.intervene import draw_probes, find_right_steps, is_needed, isolate, replaced
from grader.verdict.picture import draw
from grader.verdict.sums import draw_sums

# What came of the call of one case with probes.
Runs = tuple[ProbedRun, ...]

# Of each exercise, as many different sets of answers as a class may share.
REMEMBERED = 100


@dataclass(frozen=True)
class Judgement:
    """What the answers to an exercise are worth by themselves, whoever gave them.

    `slips` are the gradients that are wrong in themselves, of a function that answered at all, and `failed` is the
    number of cases in which one is. Where `is_open`, a second look may tell more of them: until then none is explained.
    Where it `needs_probes`, a call with those may show some to be right.
    """

    gradients: tuple[GradientFeedback, ...]
    invariants: tuple[InvariantFeedback, ...]
    slips: tuple[str, ...]
    failed: int
    is_open: bool = False
    needs_probes: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether any gradient is wrong in itself, or not there."""
        return any(each.is_slip for each in self.gradients)

    @property
    def correct(self) -> tuple[str, ...]:
        """The gradients that are right in every case."""
        return tuple(each.name for each in self.gradients if each.verdict is Verdict.CORRECT)

    @property
    def score(self) -> float | None:
        """All points together, or None where any of them are open."""
        return total([*(each.score for each in self.gradients), *(each.score for each in self.invariants)])


class Judge:
    """Judges what submissions answer to one exercise.

    What was answered before, bit for bit, is not judged again: a class shares most of its right answers and its slips.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._known: dict[Hashable, Judgement] = {}

    def judge(self, answers: Sequence[Answer], patience: Patience) -> Judgement:
        """Judge the answers of a function, one for each call, or fewer if it ended its process."""
        restored = self._restore(answers)
        return self._recall(_fingerprint(restored), lambda: judge(self.prepared, restored, patience))

    def probing(self, answers: Sequence[Answer]) -> Probing:
        """Draw probes for a function that was judged, and in which something is wrong."""
        exercise, cases = self.prepared.exercise, self.prepared.cases
        trials = _judge_cases(self.prepared, self._restore(answers))
        drawn, sums = draw_probes(exercise, trials), draw_sums(exercise, trials)
        return Probing(self.prepared.question, drawn, replaced(exercise, cases[0].forward), sums)

    def judge_again(
        self,
        answers: Sequence[Answer],
        patience: Patience,
        probing: Probing | None = None,
        probed: Sequence[Runs] = (),
        mends: Sequence[Mend] = (),
        line_of: Callable[[str], CodeLine | None] = lambda _: None,
    ) -> Judgement:
        """Judge answers together with what came of calls with probes and of changes, as far as there were any.

        `line_of` finds the student's line that made a gradient: of those with one slip, the first one made is charged.
        """
        restored = self._restore(answers)
        trials = _judge_cases(self.prepared, restored)
        exercise = self.prepared.exercise
        if exercise.unit_axes or exercise.float32:
            pairs = zip(trials, probed, strict=False)
            probed = [tuple(_as_meant(exercise, trial.case, run) for run in runs) for trial, runs in pairs]
        probes = probing.probes if probing is not None else ()
        right = find_right_steps(exercise, trials, probes, probed, probing.sums) if probing is not None else []

        def alone(name: str) -> list[Trial]:
            return isolate(exercise, name, trials, probes, probed)

        # Probes differ each time, and what they show does not.
        groups = tuple(mend.gradients for mend in mends if len(mend.change.edits) == 1 and len(mend.gradients) > 1)
        lines = {name: line_of(name) for name in exercise.gradient_names} if groups else {}
        # Those of one line, and those of which it is not known, stay in the exercise's order.
        in_order = tuple(sorted(lines, key=lambda name: found.line if (found := lines[name]) else math.inf))
        key = (_fingerprint(restored), tuple(right), frozenset(groups), in_order)
        again = SecondLook(right, alone if probing is not None else None, groups, in_order)
        return self._recall(key, lambda: judge(self.prepared, restored, patience, again))

    def repairs(self, answers: Sequence[Answer], judgement: Judgement) -> list[Repair]:
        """Draw what it takes to look for a change that makes what is wrong right."""
        trials = _judge_cases(self.prepared, self._restore(answers))
        return list(draw_repairs(self.prepared.exercise, self.prepared.question, trials, judgement.slips))

    def _recall(self, key: Hashable, judge: Callable[[], Judgement]) -> Judgement:
        judgement = self._known.pop(key, None) or judge()
        if any(each.diagnosis is NOT_LOOKED_INTO for each in judgement.gradients):
            return judgement  # the next one may have time for it
        self._known[key] = judgement  # the latest last
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return judgement

    def feedback(
        self,
        answers: Sequence[Answer],
        judgement: Judgement,
        seen: Seen | None = None,
        line_of: Callable[[str], CodeLine | None] = lambda _: None,
        changes: Mapping[str, TriedChange] | None = None,
    ) -> ExerciseFeedback:
        """Put together all that is said of a function.

        `seen` is what there is to suspect, `line_of` finds the student's line that made a gradient, and `changes` has
        for a gradient the change that makes it right.
        """
        prepared, count = self.prepared, len(self.prepared.cases)
        restored = self._restore(answers)
        place = _place_of_end(restored[:count], answers)
        decisive = restored[place]
        return ExerciseFeedback(
            function=prepared.exercise.function,
            score=judgement.score,
            max_score=round(prepared.exercise.max_score, 9),
            outcome=decisive.outcome,
            message=self._advised(restored[:count], place),
            file=decisive.file,
            line=decisive.line,
            printed=next((answer.printed for answer in restored[:count] if answer.printed), ""),
            seconds=sum(answer.seconds for answer in restored[:count]),
            flags=find_flags(prepared, answers, restored, judgement.correct, seen) if seen is not None else (),
            gradients=tuple(
                explain(
                    replace(each, code=_reached(line_of(each.name), each, decisive, prepared.exercise)),
                    (changes or {}).get(each.name),
                )
                if each.name in judgement.slips
                else each
                for each in judgement.gradients
            ),
            invariants=judgement.invariants,
            source=decisive.source,
            forward=prepared.source.lesson,
            maths=prepared.exercise.maths,
            graph=prepared.graph,
            case_number=place + 1 if len({answer.outcome for answer in restored[:count]}) > 1 else None,
            is_statements=prepared.exercise.style is Style.STATEMENTS,
            is_trainable=is_trainable(prepared.reference, prepared.exercise),
        )

    def _advised(self, answers: Sequence[Answer], place: int) -> str:
        """Return what the deciding answer says, and asks where its text shows what may be behind it."""
        message, exercise = answers[place].message, self.prepared.exercise
        if answers[place].outcome is not Outcome.RAISED:
            return message
        sizes = [_sizes(exercise, case) for case in self.prepared.cases]
        ended = zip(self.prepared.cases, answers, sizes, strict=True)
        others = [(case.name, known) for case, answer, known in ended if answer.outcome is Outcome.RETURNED]
        return ask_about_size(message, sizes[place], others)

    def not_judged(self, error: Exception) -> ExerciseFeedback:
        """Return the feedback on an exercise in which the grader itself failed: no score, and never a zero."""
        text = f"the grader itself failed here, which is not your doing: {type(error).__name__}: {error}"
        answers = [Answer(Outcome.NOT_JUDGED, text)]
        return self.feedback(answers, self.judge(answers, Patience()))

    def _restore(self, answers: Sequence[Answer]) -> list[Answer]:
        """Return the answers in the rubric's order; what ended the process leaves the calls behind it without any."""
        ended = replace(answers[-1], gradients={}, notes={}, seconds=0.0)
        return [answer or ended for answer in self.prepared.question.restore(answers)]


@dataclass(frozen=True)
class SecondLook:
    """What came of calls with probes and of changes: for each case the gradients that are right in themselves.

    `alone` gives the cases of a wrong gradient as if it were the only one: so its slip is told from those before it.
    `groups` are sets of gradients that one change makes right, and `order` all of them as they are made.
    """

    right: Sequence[Collection[str]] = ()
    alone: Callable[[str], Sequence[Trial]] | None = None
    groups: Sequence[frozenset[str]] = ()
    order: Sequence[str] = ()


def judge(
    prepared: Prepared, answers: Sequence[Answer], patience: Patience, again: SecondLook | None = None
) -> Judgement:
    """Judge the answers to all cases of an exercise, in the rubric's order, and to its invariants' calls behind them.

    Without a second look the judgement may be open.
    """
    exercise, count = prepared.exercise, len(prepared.cases)
    further = [answer.gradients for answer in answers[count:] if answer.outcome is Outcome.RETURNED]
    trials, answers = _judge_cases(prepared, answers), answers[:count]
    look = again or SecondLook()
    follows = find_follows(exercise, trials, look.right)
    ended = all(answer.outcome in (Outcome.RETURNED, Outcome.RAISED) for answer in answers)
    needs_probes = again is None and ended and is_needed(exercise, trials, follows.by_name)
    is_answered = any(answer.gradients or answer.notes for answer in answers)
    notes = {name: note.text for answer in reversed(answers) for name, note in answer.notes.items()}
    if again is not None:
        wrong = [name for name in look.order if _is_slip(name, trials) and name not in follows.by_name]
        shared = share(wrong, look.groups)
        # Where zeros stand for something that is given, a change fills them in, and no work is shown.
        shown = [name for name in shared if not is_placeholder_in(exercise.gradient(name), trials)]
        follows = with_shared(follows, {name: shared[name] for name in shown})
    gradients = tuple(
        _judge_gradient(gradient, exercise, trials, follows, notes.get(gradient.name, ""))
        for gradient in exercise.gradients
    )
    may_be_mended = again is None and ended and is_answered and any(each.is_slip for each in gradients)
    is_open = needs_probes or may_be_mended
    if not is_open:
        gradients = tuple(
            explain_slip(prepared, each, patience, trials, look.alone)
            if each.is_slip and each.name not in follows.undecided
            else each
            for each in gradients
        )
    slips = tuple(each.name for each in gradients if each.is_slip and is_answered)
    invariants = judge_invariants(exercise, trials, further, gradients, prepared.forward_pass)
    wrong = [each.name for each in gradients if each.is_slip]
    failed = sum(any(not trial.is_correct(name) for name in wrong) for trial in trials)
    return Judgement(gradients, invariants, slips, failed, is_open, needs_probes)


def _is_slip(name: str, trials: Sequence[Trial]) -> bool:
    return any(not trial.is_correct(name) for trial in trials)


def _judge_cases(prepared: Prepared, answers: Sequence[Answer]) -> list[Trial]:
    asked = zip(prepared.cases, answers[: len(prepared.cases)], strict=True)
    return [_judge_case(prepared.exercise, case, answer) for case, answer in asked]


def _sizes(exercise: Exercise, case: Case) -> dict[str, int]:
    """Return the sizes of a case by the rubric's letters, then by the axes that have them."""
    letters = {name: size for name, size in exercise.case(case.name).sizes.items() if type(size) is int}
    tensors = {name: value for name, value in case.forward.values.items() if isinstance(value, Tensor)}
    axes = {f"the size of axis {a} of {n}": size for n, value in tensors.items() for a, size in enumerate(value.shape)}
    return letters | axes


def _place_of_end(restored: Sequence[Answer], answers: Sequence[Answer]) -> int:
    """Return the case that ended otherwise than by returning, one that was called before those that were not."""
    ended = [place for place, answer in enumerate(restored) if answer.outcome is not Outcome.RETURNED]
    called = [place for place in ended if any(restored[place] is answer for answer in answers)]
    return next(iter([*called, *ended]), 0)


def _fingerprint(answers: Sequence[Answer]) -> bytes:
    """Return what tells answers apart that may be judged differently."""
    found = hashlib.sha256()
    for answer in answers:
        described = {name: (str(tensor.dtype), tuple(tensor.shape)) for name, tensor in answer.gradients.items()}
        found.update(repr((answer.outcome, list(answer.notes.items()), described)).encode())
        for tensor in answer.gradients.values():
            # Of numpy's types there is none for bfloat16.
            found.update((tensor.view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor).numpy().tobytes())
    return found.digest()


def _reached(code: CodeLine | None, gradient: GradientFeedback, answer: Answer, exercise: Exercise) -> CodeLine | None:
    """Return the line that made a gradient, unless the function had ended before it: then it was made elsewhere."""
    goes_on = exercise.style is Style.STATEMENTS or gradient.basis is Basis.RANDOM
    if code is None or goes_on or answer.outcome is not Outcome.RAISED or answer.line is None:
        return code
    return None if code.file == answer.file and code.line > answer.line else code


def _judge_case(exercise: Exercise, case: Case, answer: Answer) -> Trial:
    comparisons = {
        gradient.name: min(
            (_compare(gradient, expected, answer, exercise) for expected in case.truths(gradient.value)),
            key=lambda comparison: comparison.severity,
        )
        for gradient in exercise.gradients
    }
    returned = {name: as_meant(case.expected[name[1:]], own, exercise)[0] for name, own in answer.gradients.items()}
    return Trial(case, returned, comparisons, answer.outcome is Outcome.RAISED)


def _as_meant(exercise: Exercise, case: Case, run: ProbedRun) -> ProbedRun:
    """Return a run with its values in the shapes that they count as."""
    values = {name: as_meant(case.expected[name[1:]], value, exercise)[0] for name, value in run.values.items()}
    return replace(run, values=values)


def _compare(gradient: Gradient, expected: Tensor, answer: Answer, exercise: Exercise) -> Comparison:
    shape = tuple(expected.shape)
    if answer.outcome is Outcome.NOT_JUDGED:
        return Comparison(Verdict.NOT_JUDGED, shape)
    actual, note = answer.gradients.get(gradient.name), answer.notes.get(gradient.name)
    if actual is not None:
        meant, text = as_meant(expected, actual, exercise)
        is_single = meant.dtype is not actual.dtype
        tolerance = exercise.float32 if is_single and exercise.float32 is not None else gradient.tolerance
        return replace(compare(expected, meant, tolerance), note=text) if text else compare(expected, meant, tolerance)
    if note is not None and note.kind == "shape":
        return Comparison(Verdict.WRONG_SHAPE, shape, note.shape, note.text)
    if note is not None and note.kind == "dtype":
        verdict = Verdict.WRONG_DTYPE if note.shape == shape else Verdict.WRONG_SHAPE
        return Comparison(verdict, shape, note.shape, note.text)
    return Comparison(Verdict.NOT_RETURNED, shape)


def _judge_gradient(
    gradient: Gradient,
    exercise: Exercise,
    trials: Sequence[Trial],
    follows: Follows,
    note: str,
) -> GradientFeedback:
    place = max(range(len(trials)), key=lambda number: trials[number].comparisons[gradient.name].severity)
    decisive = trials[place]
    comparison = decisive.comparisons[gradient.name]
    follow = follows.by_name.get(gradient.name)
    verdict = comparison.verdict if follow is None else Verdict.FOLLOWS
    shares = {Verdict.CORRECT: 1.0, Verdict.FOLLOWS: exercise.follow_through, Verdict.NOT_JUDGED: None}
    share = shares.get(verdict, 0.0)
    picture = None
    if verdict in (Verdict.WRONG_VALUES, Verdict.NOT_FINITE):
        expected, actual = decisive.case.expected[gradient.value], decisive.returned[gradient.name]
        picture = draw(expected, actual, comparison, gradient.tolerance)
    return GradientFeedback(
        name=gradient.name,
        verdict=verdict,
        score=None if share is None else gradient.points * share,
        max_score=gradient.points,
        case=decisive.case.name,
        comparison=_in_numpy(comparison) if exercise.arrays is Arrays.NUMPY else comparison,
        exact=_all_exact([trial.comparisons[gradient.name].exact for trial in trials]),
        note=note or comparison.note,
        slips=follow.slips if follow is not None else follows.undecided.get(gradient.name, ()),
        basis=follow.basis if follow is not None else None,
        hints=_hints(gradient, verdict),
        case_number=place + 1,
        picture=picture,
    )


def _in_numpy(comparison: Comparison) -> Comparison:
    dtype = comparison.actual_dtype
    return replace(comparison, actual_dtype=dtype and in_numpy(dtype))


def _hints(gradient: Gradient, verdict: Verdict) -> tuple[str, ...]:
    """Return the author's hints that may help with this verdict; of none are those about shapes to whose is right."""
    if verdict is Verdict.WRONG_SHAPE:
        return (*gradient.shape_hints, *gradient.hints)
    # In rubrics that do not tell them apart, such a hint begins like this.
    return tuple(hint for hint in gradient.hints if not hint.startswith("A gradient has the shape of its value"))


def _all_exact(exact: Sequence[bool | None]) -> bool | None:
    return None if None in exact else all(exact)
