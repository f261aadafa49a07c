"""What a function does that is called once more: with probes in place of gradients, and with changes in its text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grader.sandbox.answer import Flag, read_flags
from grader.sandbox.child import Heard
from grader.sandbox.guest.protocol import FrameError
from grader.sandbox.probing import ProbedRun, Probing, read_runs
from grader.sandbox.question import Question
from grader.sandbox.repairing import Repairing, TriedChange, read_tried


@dataclass
class Tries:
    """What was heard of probings and repairings, by function; of what ends the child there is no more."""

    _probed: dict[str, tuple[tuple[ProbedRun, ...], ...]] = field(default_factory=dict)
    _flags: dict[str, tuple[Flag, ...]] = field(default_factory=dict)
    _tried: dict[tuple[str, tuple[str, ...]], tuple[TriedChange, ...]] = field(default_factory=dict)

    def probed(self, question: Question) -> tuple[tuple[ProbedRun, ...], ...]:
        """Return the runs with probes of the first calls, as far as there are any."""
        return self._probed.get(question.function, ())

    def is_begun(self, question: Question) -> bool:
        """Return whether calls of a function with probes were tried, whatever came of it."""
        return question.function in self._probed

    def begin(self, question: Question) -> None:
        """Remember that calls of a function with probes are tried."""
        self._probed[question.function] = ()

    def flags(self, question: Question) -> tuple[Flag, ...]:
        """Return what there was to suspect in calls with probes."""
        return self._flags.get(question.function, ())

    def changes(self, asked: Repairing) -> tuple[TriedChange, ...]:
        """Return what came of a formula, first as it is and then with changes, if it was tried."""
        return self._tried.get((asked.question.function, asked.gradients), ())

    def hear(self, hear: Callable[[], Heard], probings: Sequence[Probing], repairings: Sequence[Repairing]) -> None:
        """Take what came of them, up to what ended the child or is no answer: that costs nothing."""
        for probing in probings:
            self.begin(probing.question)
            for _ in probing.probes:
                heard = hear()
                if heard.frame is None:
                    return
                try:
                    self._take_run(probing, heard)
                except FrameError:
                    return
        for each in repairings:
            heard = hear()
            if heard.frame is None:
                return
            try:
                self._take_changes(each, heard)
            except FrameError:
                return

    def _take_run(self, probing: Probing, heard: Heard) -> None:
        assert heard.frame is not None
        function, gradients = probing.question.function, probing.question.gradients
        self._probed[function] += (read_runs(heard.frame, gradients),)
        self._flags[function] = (*self.flags(probing.question), *read_flags(heard.frame.message))

    def _take_changes(self, asked: Repairing, heard: Heard) -> None:
        assert heard.frame is not None
        function = asked.question.function
        self._tried[function, asked.gradients] = read_tried(heard.frame, asked)
        self._flags[function] = (*self.flags(asked.question), *read_flags(heard.frame.message))
