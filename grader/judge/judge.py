"""The judge: from what a function answered to verdicts over all cases, points, flags and explanations."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from grader.course import Exercise, Gradient
from grader.course.cases import Case
from grader.diagnose import diagnose
from grader.judge.invariants import judge_invariants
from grader.judge.prepared import Prepared
from grader.results import ExerciseFeedback, GradientFeedback, InvariantFeedback, total
from grader.sandbox.answer import Answer, CodeLine, Flag, Outcome
from grader.sandbox.probing import ProbedRun, Probing
from grader.verdict.compare import Comparison, Verdict, compare
from grader.verdict.follow import Follow, Trial, find_follows
from grader.verdict.intervene import draw_probes, find_right_steps, is_needed, isolate, replaced
from grader.verdict.picture import draw

# What came of the call of one case with probes.
Runs = tuple[ProbedRun, ...]

# Of each exercise, as many different sets of answers as a class may share.
REMEMBERED = 100


@dataclass(frozen=True)
class Judgement:
    """What the answers to an exercise are worth by themselves, whoever gave them.

    `slips` are the gradients that are wrong in themselves, of a function that answered at all, and `failed` is the
    number of cases in which one is. Where `is_open`, a call with probes may show some of them to be right; until then
    none is explained.
    """

    gradients: tuple[GradientFeedback, ...]
    invariants: tuple[InvariantFeedback, ...]
    slips: tuple[str, ...]
    failed: int
    is_open: bool = False

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

    def judge(self, answers: Sequence[Answer]) -> Judgement:
        """Judge the answers of a function, one for each call, or fewer if it ended its process."""
        restored = self._restore(answers)
        return self._recall(_fingerprint(restored), lambda: judge(self.prepared, restored))

    def probing(self, answers: Sequence[Answer]) -> Probing:
        """Draw probes for a function that was judged, and in which something is wrong."""
        exercise, cases = self.prepared.exercise, self.prepared.cases
        drawn = draw_probes(exercise, _judge_cases(self.prepared, self._restore(answers)))
        return Probing(self.prepared.question, drawn, replaced(exercise, cases[0].forward))

    def judge_again(self, answers: Sequence[Answer], probing: Probing, probed: Sequence[Runs]) -> Judgement:
        """Judge answers together with what came of calls with probes, as far as there were any."""
        restored = self._restore(answers)
        trials = _judge_cases(self.prepared, restored)
        exercise = self.prepared.exercise
        right = find_right_steps(exercise, trials, probing.probes, probed)

        def alone(name: str) -> list[Trial]:
            return isolate(exercise, name, trials, probing.probes, probed)

        # Probes differ each time, and what they show does not.
        key = (_fingerprint(restored), tuple(right))
        return self._recall(key, lambda: judge(self.prepared, restored, right, alone))

    def _recall(self, key: Hashable, judge: Callable[[], Judgement]) -> Judgement:
        judgement = self._known.pop(key, None) or judge()
        self._known[key] = judgement  # the latest last
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return judgement

    def feedback(
        self,
        answers: Sequence[Answer],
        judgement: Judgement,
        repeated: tuple[int, Answer] | None = None,
        line_of: Callable[[str], CodeLine | None] = lambda _: None,
    ) -> ExerciseFeedback:
        """Put together all that is said of a function.

        `repeated` is a call that was made again, and `line_of` finds the student's line that made a gradient.
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
            message=decisive.message,
            file=decisive.file,
            line=decisive.line,
            printed=next((answer.printed for answer in restored[:count] if answer.printed), ""),
            seconds=sum(answer.seconds for answer in restored[:count]),
            flags=_find_flags(prepared, answers, restored, repeated),
            gradients=tuple(
                replace(each, code=line_of(each.name)) if each.name in judgement.slips else each
                for each in judgement.gradients
            ),
            invariants=judgement.invariants,
            source=decisive.source,
            forward=prepared.source.lesson,
            maths=prepared.exercise.maths,
            case_number=place + 1 if len({answer.outcome for answer in restored[:count]}) > 1 else None,
        )

    def not_judged(self, error: Exception) -> ExerciseFeedback:
        """Return the feedback on an exercise in which the grader itself failed: no score, and never a zero."""
        text = f"the grader itself failed here, which is not your doing: {type(error).__name__}: {error}"
        answers = [Answer(Outcome.NOT_JUDGED, text)]
        return self.feedback(answers, self.judge(answers))

    def _restore(self, answers: Sequence[Answer]) -> list[Answer]:
        """Return the answers in the rubric's order; what ended the process leaves the calls behind it without any."""
        ended = replace(answers[-1], gradients={}, notes={}, seconds=0.0)
        return [answer or ended for answer in self.prepared.question.restore(answers)]


def judge(
    prepared: Prepared,
    answers: Sequence[Answer],
    right: Sequence[Collection[str]] | None = None,
    alone: Callable[[str], Sequence[Trial]] | None = None,
) -> Judgement:
    """Judge the answers to all cases of an exercise, in the rubric's order, and to its invariants' calls behind them.

    `right` are for each case the gradients that probes have shown to be right in themselves, once that was tried, and
    `alone` gives the cases of a wrong one as if it were the only one: so its slip is told from those before it.
    """
    exercise, count = prepared.exercise, len(prepared.cases)
    further = [answer.gradients for answer in answers[count:] if answer.outcome is Outcome.RETURNED]
    trials, answers = _judge_cases(prepared, answers), answers[:count]
    follows = find_follows(exercise, trials, right or ())
    ended = all(answer.outcome in (Outcome.RETURNED, Outcome.RAISED) for answer in answers)
    is_open = right is None and ended and is_needed(exercise, trials, follows)
    notes = {name: note.text for answer in reversed(answers) for name, note in answer.notes.items()}
    gradients = tuple(
        _judge_gradient(gradient, exercise, trials, follows, notes.get(gradient.name, ""))
        for gradient in exercise.gradients
    )
    if not is_open:
        gradients = tuple(
            _explain(prepared, each, alone(each.name) if alone else trials) if each.is_slip else each
            for each in gradients
        )
    is_answered = any(answer.gradients or answer.notes for answer in answers)
    slips = tuple(each.name for each in gradients if each.is_slip and is_answered)
    invariants = judge_invariants(exercise, trials, further, gradients, prepared.forward_pass)
    wrong = [each.name for each in gradients if each.is_slip]
    failed = sum(any(not trial.is_correct(name) for name in wrong) for trial in trials)
    return Judgement(gradients, invariants, slips, failed, is_open)


def _judge_cases(prepared: Prepared, answers: Sequence[Answer]) -> list[Trial]:
    asked = zip(prepared.cases, answers[: len(prepared.cases)], strict=True)
    return [_judge_case(prepared.exercise, case, answer) for case, answer in asked]


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


def _find_flags(
    prepared: Prepared, answers: Sequence[Answer], restored: Sequence[Answer], repeated: tuple[int, Answer] | None
) -> tuple[Flag, ...]:
    found = [flag for answer in answers for flag in answer.flags]
    if repeated is not None:
        found += repeated[1].flags
    found += find_processor_time(prepared.cases, restored)
    if repeated is not None:
        found += find_difference(restored[repeated[0]], repeated[1])
    return tuple(dict.fromkeys(found))


def _judge_case(exercise: Exercise, case: Case, answer: Answer) -> Trial:
    comparisons = {
        gradient.name: min(
            (_compare(gradient, expected[gradient.value], answer) for expected in _truths(gradient, case)),
            key=lambda comparison: comparison.severity,
        )
        for gradient in exercise.gradients
    }
    return Trial(case, answer.gradients, comparisons, answer.outcome is Outcome.RAISED)


def _truths(gradient: Gradient, case: Case) -> list[Mapping[str, Tensor]]:
    """Return what a gradient may be: with the paths through detached values, and without them."""
    return [case.expected, case.detached] if gradient.value in case.detached else [case.expected]


def _compare(gradient: Gradient, expected: Tensor, answer: Answer) -> Comparison:
    shape = tuple(expected.shape)
    if answer.outcome is Outcome.NOT_JUDGED:
        return Comparison(Verdict.NOT_JUDGED, shape)
    actual, note = answer.gradients.get(gradient.name), answer.notes.get(gradient.name)
    if actual is not None:
        return compare(expected, actual, gradient.tolerance)
    if note is not None and note.kind == "dtype":
        verdict = Verdict.WRONG_DTYPE if note.shape == shape else Verdict.WRONG_SHAPE
        return Comparison(verdict, shape, note.shape, note.text)
    return Comparison(Verdict.NOT_RETURNED, shape)


def _judge_gradient(
    gradient: Gradient,
    exercise: Exercise,
    trials: Sequence[Trial],
    follows: Mapping[str, Follow],
    note: str,
) -> GradientFeedback:
    place = max(range(len(trials)), key=lambda number: trials[number].comparisons[gradient.name].severity)
    decisive = trials[place]
    comparison = decisive.comparisons[gradient.name]
    follow = follows.get(gradient.name)
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
        comparison=comparison,
        exact=_all_exact([trial.comparisons[gradient.name].exact for trial in trials]),
        note=note,
        slips=follow.slips if follow is not None else (),
        basis=follow.basis if follow is not None else None,
        hints=gradient.hints,
        case_number=place + 1,
        picture=picture,
    )


def _explain(prepared: Prepared, feedback: GradientFeedback, trials: Sequence[Trial]) -> GradientFeedback:
    """Add to a wrong gradient what is wrong with it, where that is known."""
    gradient = prepared.exercise.gradient(feedback.name)
    try:
        diagnosis = diagnose(prepared.exercise, gradient, trials, prepared.bank)
    except Exception:  # noqa: BLE001 # an answer too odd to be explained is judged all the same
        diagnosis = None
    return replace(feedback, diagnosis=diagnosis)


def _all_exact(exact: Sequence[bool | None]) -> bool | None:
    return None if None in exact else all(exact)


# Processor time, absolute and against that of autograd's backward pass on the same case; both must be exceeded. A
# derivative by differences runs the forward pass once or twice for every number that goes in.
MOST_TIMES = 200
MOST_SECONDS = 0.25
# A backward pass of autograd that takes longer than this is timed again, this often in all at most.
SHORT_SECONDS = 0.001
TIMES = 3


def measure_backward(case: Case) -> float:
    """Return the processor seconds of autograd's backward pass; a long time may be the machine's doing."""
    threads = torch.get_num_threads()
    times: list[float] = []
    try:
        while len(times) < TIMES and (not times or times[-1] > SHORT_SECONDS):
            started = time.thread_time()
            case.forward.gradients(case.upstream)
            times.append(time.thread_time() - started)
            if times[0] > SHORT_SECONDS and torch.get_num_threads() > 1:
                torch.set_num_threads(1)  # threads that wait for each other spin, and a submission has one only
    finally:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
    return min(times)


def find_processor_time(
    cases: Sequence[Case], answers: Sequence[Answer | None], measure: Callable[[Case], float] = measure_backward
) -> list[Flag]:
    """Return a flag if a call took processor time out of all proportion: derivatives by differences do.

    The time is the one figure that a process cannot forge. Autograd's is measured where a call was long enough.
    """
    found = []
    for case, answer in zip(cases, answers, strict=False):
        used = answer.cpu_seconds if answer is not None and answer.outcome is Outcome.RETURNED else None
        if used is not None and used > MOST_SECONDS:
            times = used / max(measure(case), 1e-6)
            if times > MOST_TIMES:
                found.append((times, f"case {case.name}: {used:.2g} s of processor time"))
    return [Flag("processor_time", f"{said}, {times:.0f} times autograd's") for times, said in sorted(found)[-1:]]


def find_difference(first: Answer, second: Answer) -> list[Flag]:
    """Return a flag if the same call, made twice, did not give the same bits."""
    if second.outcome is Outcome.TIMED_OUT:
        return []  # the submission's time may have been used up
    if second.outcome is not first.outcome:
        ended = f"{first.outcome.value} at first, {second.outcome.value} when made again"
        return [Flag("nondeterministic", f"the same call: {ended}")]
    names = [
        name
        for name in dict.fromkeys([*first.gradients, *second.gradients])
        if not _is_same(first.gradients.get(name), second.gradients.get(name))
    ]
    return [Flag("nondeterministic", f"the same call made again gave other bits: {', '.join(names)}")] if names else []


def _is_same(first: Tensor | None, second: Tensor | None) -> bool:
    """Return whether two tensors are the same bit for bit: nan is nan, and -0.0 is not 0.0."""
    if first is None or second is None or first.dtype != second.dtype or first.shape != second.shape:
        return False
    return torch.equal(first.reshape(-1).view(torch.uint8), second.reshape(-1).view(torch.uint8))
