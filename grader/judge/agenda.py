"""What submissions are asked, and who judges the answers: the exercises of some assignments, made ready when needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.course import Exercise, Rubric, Style
from grader.judge.judge import Judge
from grader.judge.prepared import NewCases, prepare_all
from grader.sandbox.guest.own_names import are_named
from grader.sandbox.question import NewCall, Question, Questionnaire
from grader.submission import Submission


@dataclass(frozen=True)
class Agenda:
    """What submissions are asked: the exercises of some assignments, ready to be judged, and all their questions."""

    judges: Mapping[str, tuple[Judge, ...]]
    questionnaire: Questionnaire
    new: Mapping[str, NewCases]

    def draw(self, question: Question) -> NewCall | None:
        """Draw a call of a function that nobody can have met."""
        return self.new[question.function].draw()


class Part:
    """The exercises that one session asks for: with the cases that students may see, or with the hidden ones."""

    def __init__(self, chosen: Sequence[tuple[Rubric, tuple[Exercise, ...]]], seed: int) -> None:
        self._chosen = chosen
        self._seed = seed
        self._judges: dict[str, tuple[Judge, ...]] = {}
        self._agendas: dict[frozenset[str], Agenda] = {}

    def agenda(self, names: frozenset[str]) -> Agenda:
        """Return what is asked about assignments, made once."""
        if names not in self._agendas:
            chosen = [(rubric, exercises) for rubric, exercises in self._chosen if rubric.name in names]
            missing = [pair for pair in chosen if pair[0].name not in self._judges]
            self._judges |= {name: tuple(map(Judge, part)) for name, part in prepare_all(missing, self._seed).items()}
            judges = {rubric.name: self._judges[rubric.name] for rubric, _ in chosen}
            ready = [judge.prepared for part in judges.values() for judge in part]
            asked = [question for each in ready for question in each.questions]
            new = {each.exercise.function: NewCases(each.reference, each.exercise) for each in ready}
            self._agendas[names] = Agenda(judges, Questionnaire(tuple(asked)), new)
        return self._agendas[names]

    def has(self, function: str) -> bool:
        """Return whether a function is asked here."""
        return any(each.function == function for _, exercises in self._chosen for each in exercises)

    def judge(self, function: str) -> Judge:
        """Return the judge of a function that was made ready. Raises KeyError if it was not."""
        return {each.prepared.exercise.function: each for part in self._judges.values() for each in part}[function]


def is_about(submission: Submission, rubric: Rubric, exercises: Sequence[Exercise]) -> bool:
    """Return whether a submission may be about an assignment, by the names in it; a folder is about all that counts."""
    if not submission.single and not rubric.optional:
        return True
    names = {f"{rubric.name}.py", f"{rubric.name}.ipynb"}
    functions = [each.function.encode() for each in exercises if each.style is not Style.STATEMENTS]
    values = {each.value for own in exercises if own.style is Style.STATEMENTS for each in own.gradients}
    is_named = not names.isdisjoint([*submission.files, *submission.refused])
    texts = submission.files.values()
    return is_named or any(are_named(values, text) or any(name in text for name in functions) for text in texts)
