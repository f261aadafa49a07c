"""One submission and what was asked of it, in one exchange and at most one more.

The first exchange brings its files and names every function: the child makes all the calls and answers as it goes. The
second goes to the same child, when the answers are judged: it draws the calls that are made again, and has probes
where something is wrong. What was answered counts when the process still stands behind it, that is, answers the second
request. Where a child ended on the way, or nobody stands behind its answers, a fresh one is asked for the rest.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Self

from grader.course import Limits
from grader.sandbox.answer import (
    Answer,
    CodeLine,
    Names,
    Outcome,
    add_notes,
    explain_end,
    read_answer,
    read_code_line,
    read_notes,
    read_own_names,
)
from grader.sandbox.child import End, Heard, describe_exit
from grader.sandbox.guest.protocol import FrameError
from grader.sandbox.overview import Overview
from grader.sandbox.probing import Probing
from grader.sandbox.question import Again, NewCall, Question, Questionnaire
from grader.sandbox.repairing import Repairing
from grader.sandbox.talk import Allowance, Talk
from grader.sandbox.tries import Tries
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.text import one_line

# Bytes that all answers of a submission may have.
MAX_ANSWERS = 1 << 28
# Of so many functions, drawn for each submission, a call is made once more as it was: of all of them it would cost as
# much as the calls with new numbers.
MOST_REPEATS = 8
QUICK_SHARE = 0.1  # of the time that a call may take: up to that it can be made again, and with probes


@dataclass(frozen=True)
class More:
    """What came of a function when all its answers had left: of a call with new numbers, and of one made again.

    The call is `new`, or a repeated one where that could not be had; `repeated` is the call that is `number`th
    in the rubric's order, made once more, or None if that was not drawn.
    """

    new: NewCall | None
    answer: Answer
    number: int
    repeated: Answer | None = None


class Session:
    """The conversation with one submission; use it as a context manager.

    `ask` and `finish` are the two exchanges; between them stands what was answered, but nobody behind it yet.
    """

    def __init__(
        self,
        warm: Warm,
        submission: Submission,
        questionnaire: Questionnaire,
        limits: Limits,
        draw: Callable[[Question], NewCall | None] = lambda _: None,
    ) -> None:
        self._warm = warm
        self._questionnaire = questionnaire
        self._draw = draw
        self._limits = limits
        self.overview = Overview(submission, questionnaire.functions)
        self._time = Allowance(limits.submission_seconds)
        self._room = MAX_ANSWERS
        self._talk: Talk | None = None
        self._answers: dict[str, tuple[Answer, ...]] = {}  # by function, as are the next three
        self._found: dict[str, str] = {}
        self._more: dict[str, More] = {}
        self._lines: dict[str, tuple[Mapping[str, object], Names]] = {}
        self.tries = Tries()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._talk is not None:
            self._talk.close()

    def answers(self, question: Question) -> tuple[Answer, ...]:
        """Return one answer per call, or fewer if the function ended its process, or one that says why none."""
        return self._answers[question.function]

    def file(self, question: Question) -> str | None:
        """Return the file in which the function was found."""
        return self._found.get(question.function)

    def more(self, question: Question) -> More | None:
        """Return what came of the call with new numbers and of the one made again, or None if there was no time."""
        return self._more.get(question.function)

    def was_called(self, question: Question) -> bool:
        """Return whether the function was found, and answered every call."""
        return question.function in self._found and len(self._answers[question.function]) == len(question.order)

    def line(self, question: Question, gradient: str) -> CodeLine | None:
        """Return the student's line that made a gradient, where that is found.

        It comes from the child, behind the calls: nothing may rest on it but the report, and which gradient is charged
        of several with one slip in common.
        """
        lines, names = self._lines.get(question.function, ({}, Names(question.home)))
        return read_code_line(names.file, lines.get(gradient))

    def names(self, question: Question) -> Names | None:
        """Return the names that a function computes and returns, if they were asked for; as little may rest on it."""
        return self._lines[question.function][1] if question.function in self._lines else None

    def ask(self) -> None:
        """Have every call made; afterwards there are answers to every question."""
        questions = [question for question in self._questionnaire.questions if question.order]
        talk = self._begin(questions)
        if talk is None:
            self._survey()
            talk = self._begin(questions)
        if talk is not None and talk.child is not None:
            self._talk = talk
        else:
            self._settle(questions, talk)

    def finish(
        self, slips: Collection[str], probings: Sequence[Probing] = (), repairings: Sequence[Repairing] = ()
    ) -> bool:
        """Have calls made with new numbers, again, and with probes, and formulas tried with changes.

        And find the lines that made some gradients. Returns False if nobody stood behind the answers: then there are
        others now, and no calls with probes.
        """
        talk, self._talk = self._talk, None
        if talk is not None and not self._confirm(talk, slips, probings, repairings):
            for question in talk.answered:
                self._settle([question])
            return False
        self.probe(probings)
        return True

    def probe(self, probings: Sequence[Probing]) -> None:
        """Have functions called with probes, each in a fresh child, that were not in the second exchange."""
        for probing in probings:
            function = probing.question.function
            if self.tries.is_begun(probing.question) or not self._is_quick(probing.question) or self._time.is_used_up:
                continue
            self.tries.begin(probing.question)
            known = self._answers[function]
            talk = self._begin([probing.question])
            if talk is not None and talk.child is not None:
                self._confirm(talk, (), [probing], repeats=False)
            self._answers[function] = known

    def _settle(self, questions: Sequence[Question], talk: Talk | None = None) -> None:
        """Ask until there are answers that a living process stands behind; `talk` is what was begun with them."""
        while questions:
            if talk is None and self._time.is_used_up:
                self._answers |= {each.function: (self._unasked(each),) for each in questions}
                return
            talk = talk or self._begin(questions)
            if talk is None:
                text = "the submission's files could not be handed over a second time"
                self._answers |= {each.function: (Answer(Outcome.NOT_JUDGED, text),) for each in questions}
                return
            done = len(talk.answered)
            if talk.child is not None:
                if self._confirm(talk, {each.function for each in questions}):
                    return
                if len(questions) == 1:
                    return  # what is wrong with it, _confirm has said
                for question in questions:
                    self._settle([question])
                return
            if done:
                # Who answered before the end gets the time again, since it is we who ask again.
                self._time.give_back(talk.seconds)
                self._settle(questions[:done])
            # The one in which it ended has its answer, unless that was a file's doing, which is known now.
            is_answered = done < len(questions) and questions[done].function in self._answers
            questions = questions[done + is_answered :]
            talk = None

    def _begin(self, questions: Sequence[Question]) -> Talk | None:
        """Hand the submission to a fresh child and hear what it answers; None if reading the files was its end."""
        for question in questions:
            self._answers.pop(question.function, None)
        talk = Talk(self._warm.fork(self._limits, self._questionnaire))
        listed, sources = self.overview.request
        asked = [{**each.names(), "index": self._questionnaire.index(each), "order": each.order} for each in questions]
        wanted, statements = self._questionnaire.wanted, self._questionnaire.statements
        message = {"files": listed, "wanted": wanted, "statements": statements, "lost": list(self.overview.lost)}
        message["first"] = self.overview.first
        talk.request({"do": "answer", "questions": asked, **message}, sources)
        heard = self._hear(talk)
        if heard.frame is None:
            talk.close()
            return None
        self.overview.take(self.overview.sources, heard.frame)
        for question in questions:
            if not self._hear_answers(talk, question):
                talk.close()
                break
            talk.answered.append(question)
        return talk

    def _hear_answers(self, talk: Talk, question: Question) -> bool:
        """Take the answers to a question; False if the child ended, or is to end, before there were all."""
        loading: str | None = None
        answers: list[Answer] = []
        notes = "", ""
        while len(answers) < len(question.order):
            if self._time.is_used_up:
                self._answers[question.function] = (*answers, self._used_up())
                return False
            heard = self._hear(talk)
            message = heard.frame.message if heard.frame is not None else {}
            match message:
                case {"loading": str(file)} if file in self.overview.defines:
                    loading = file
                    continue
                case {"found": str(file)} if file in self.overview.defines:
                    home = self.overview.first or question.home
                    loading, notes = None, read_notes(message, question.function, file, home)
                    self._found[question.function] = file
                    continue
                case {"found": None, "others": list(others), "stopped": dict(where)}:
                    self._answers[question.function] = (self.overview.explain_absence(question, others, where),)
                    return True
            if heard.frame is None and loading is not None and loading not in self.overview.lost:
                self.overview.lost[loading] = replace(
                    self._explain(heard, f"loading {one_line(loading, 200)}"), file=loading
                )
                return False
            answers.append(self._read(heard, question))
            if heard.frame is None:
                break
        self._answers[question.function] = add_notes(tuple(answers), *notes)
        return heard.frame is not None

    def _confirm(
        self,
        talk: Talk,
        slips: Collection[str],
        probings: Sequence[Probing] = (),
        repairings: Sequence[Repairing] = (),
        *,
        repeats: bool = True,
    ) -> bool:
        """Make the second request; False if nobody stands behind the answers to the first.

        What is called is drawn now, when all plain answers have left: calls with new numbers, in any order, but those
        that take long come last. If one of them ends the child, a fresh one goes on with those behind it.
        """
        chance = random.SystemRandom()
        chosen = [each for each in talk.answered if repeats and self.was_called(each) and not self._time.is_used_up]
        probings = [each for each in probings if each.question in talk.answered and self._is_quick(each.question)]
        probings = [each.within(self._most(), [a.seconds for a in self.answers(each.question)]) for each in probings]
        repairings = [each for each in repairings if each.question in talk.answered and self._is_quick(each.question)]
        index = self._questionnaire.index
        tried = [each.pack(index(each.question)) for each in probings]
        tried += [each.pack(index(each.question)) for each in repairings]
        chance.shuffle(chosen)
        chosen.sort(key=lambda each: not self._is_quick(each))
        again = [
            Again(self._draw(each), chance.choice(each.order), number < MOST_REPEATS and self._is_quick(each))
            for number, each in enumerate(chosen)
        ]
        named = [each for each in talk.answered if each.function in slips and each.function in self._found]
        lines = [{**each.names(), "index": self._questionnaire.index(each)} for each in named]
        calls = [each.describe(self._questionnaire.index(asked)) for each, asked in zip(again, chosen, strict=True)]
        said = [said for said, _ in tried]
        probed = {"probed": said[: len(probings)], "repairs": said[len(probings) :]}
        message = {"do": "again", "calls": calls, "lines": lines, **probed}
        talk.request(message, b"".join([*(each.data for each in again), *(data for _, data in tried)]))
        heard = self._hear(talk)
        if heard.frame is None:
            if len(talk.answered) == 1:
                self._answers[talk.answered[0].function] = (self._explain_trouble(heard, talk.answered[0]),)
            talk.close()
            return False
        match heard.frame.message.get("lines"):
            case list(found):
                for question, each in zip(named, found, strict=False):
                    match each:
                        case [str(file), dict(places_of), dict(own)]:
                            names = read_own_names(file, own, question.gradients)
                            self._lines[question.function] = places_of, names
        for number, (question, each) in enumerate(zip(chosen, again, strict=True)):
            heard = self._hear(talk)
            first = More(each.new, self._read(heard, question), each.number)
            self._more[question.function] = first
            if heard.frame is not None and each.is_repeated:
                heard = self._hear(talk)
                self._more[question.function] = replace(first, repeated=self._read(heard, question))
            if heard.frame is None:
                self._repeat_rest(chosen[number + 1 :])
                break
        else:
            self.tries.hear(partial(self._hear_within, talk), probings, repairings)
        talk.close()
        return True

    def _repeat_rest(self, questions: Sequence[Question]) -> None:
        known = dict(self._answers)
        talk = self._begin(questions) if questions else None
        if talk is not None and talk.child is not None:
            self._confirm(talk, ())
        self._answers = known

    def _explain_trouble(self, heard: Heard, question: Question) -> Answer:
        """Say what is wrong with a function behind whose answers nobody stands."""
        if heard.end in (End.TIMED_OUT, End.FLOODED):
            return self._explain(heard, question.function)
        how = f": {describe_exit(heard.exit_code)}" if heard.exit_code is not None else ""
        text = f"{question.function} answered more than once, or ended its process after answering{how}"
        return Answer(Outcome.BAD_RETURN, text, printed=heard.printed, seconds=heard.seconds)

    def _survey(self) -> None:
        """Find the file that ends a child when it is read, by handing them over one by one."""
        readable: dict[str, bytes] = {}
        for file, source in self.overview.sources.items():
            talk = Talk(self._warm.fork(self._limits, self._questionnaire))
            wanted = self._questionnaire.wanted
            talk.request({"do": "look", "files": [(file, len(source))], "wanted": wanted}, source)
            heard = self._hear(talk)
            talk.close()
            if heard.frame is None:
                text = f"{one_line(file, 200)} could not be parsed: reading it ended the process or took too long"
                self.overview.lost[file] = Answer(Outcome.UNREADABLE, text, file=file)
            else:
                readable[file] = source
        self.overview.sources = readable

    def _unasked(self, question: Question) -> Answer:
        """Say why a function was not called at all."""
        lost = [
            self.overview.unreadable[file]
            for file in self.overview.candidates(question)
            if file in self.overview.unreadable
        ]
        return next(iter(lost), self._used_up())

    def _used_up(self) -> Answer:
        used = f"the {self._limits.submission_seconds:g} s for the whole submission were used up before this call"
        return Answer(Outcome.TIMED_OUT, used)

    def _is_quick(self, question: Question) -> bool:
        """Return whether a call can be made again, and not cost other functions their time.

        It is the middle one that tells: a busy machine may take long for any.
        """
        seconds = sorted(answer.seconds for answer in self._answers[question.function])
        return self.was_called(question) and seconds[len(seconds) // 2] <= self._most() * QUICK_SHARE

    def _most(self) -> float:
        return min(self._limits.call_seconds, self._time.left)

    def _read(self, heard: Heard, question: Question) -> Answer:
        if heard.frame is None:
            return self._explain(heard, question.function)
        try:
            if self._room < 0:
                raise FrameError(f"the answers are larger than {MAX_ANSWERS >> 20} MB in all")
            return read_answer(heard.frame, question.gradients, heard.printed, heard.seconds, question.room)
        except FrameError as error:
            return Answer(Outcome.BAD_RETURN, str(error), printed=heard.printed, seconds=heard.seconds)

    def _hear(self, talk: Talk) -> Heard:
        heard = talk.hear(min(self._limits.call_seconds, max(self._time.left, 0.01)))
        self._time.spend(heard.seconds)
        self._room -= len(heard.frame.payload) if heard.frame is not None else 0
        talk.seconds += heard.seconds
        return heard

    def _hear_within(self, talk: Talk) -> Heard:
        """Hear a part that counts for nothing, unless there is no more room for answers."""
        heard = self._hear(talk)
        return heard if self._room >= 0 else replace(heard, frame=None)

    def _explain(self, heard: Heard, what: str) -> Answer:
        limit = min(self._limits.call_seconds, self._time.left + heard.seconds)
        return explain_end(heard, what, self._limits, limit)
