"""A child whose answers arrive damaged: whatever comes, every function gets an outcome and nothing is raised."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.course import Limits
from grader.grading import Grader
from grader.results import Report
from grader.sandbox.answer import Outcome
from grader.sandbox.child import Child
from grader.sandbox.guest.protocol import HEADER, read_frame, unpack_header, write_all
from grader.sandbox.question import Questionnaire
from grader.sandbox.warm import Warm
from grader.sandbox.wire import PolledWire, Stream
from grader.submission import Submission

SOURCE = b"""
def linear_backward(dout, x, W):
    print("said")
    return dout @ W.T, x.T @ dout, dout.sum(0)


def dropout_backward(dout, mask, p):
    return dout * mask


def tanh_dropout_backward(dout, h, mask, p):
    raise ValueError
"""
SUBMISSION = Submission("student", {"linear.py": SOURCE}, {})
# Stands in a recorded stream where the number of its request was.
ANY_ID = b"0123456789abcdef"
Damage = Callable[[list[bytes]], bytes]


class Recording(PolledWire):
    """A wire that keeps the frames that came in for each request."""

    streams: list[bytearray]

    def send(self, data: bytes) -> None:
        self.streams.append(bytearray())
        super().send(data)

    def wait(self, seconds: float) -> list[tuple[Stream, bytes]]:
        arrived = super().wait(seconds)
        for stream, part in arrived:
            if stream is Stream.ANSWERS:
                self.streams[-1] += part
        return arrived


class Replay:
    """Stands where the warm process does, and gives children that answer each request with a damaged recording."""

    isolation: tuple[str, ...] = ()
    weaknesses: tuple[str, ...] = ()
    is_alive = True

    def __init__(self, streams: list[list[bytes]], damage: Damage) -> None:
        self._streams, self._damage = streams, damage
        self._threads: list[threading.Thread] = []

    def fork(self, limits: Limits, _questionnaire: Questionnaire) -> Child:
        child_requests, requests = os.pipe()
        answers, child_answers = os.pipe()
        output, child_output = os.pipe()
        os.close(child_output)
        thread = threading.Thread(target=self._answer, args=(child_requests, child_answers))
        thread.start()
        self._threads.append(thread)
        return Child(PolledWire(requests, answers, output), limits.output_kb << 10, lambda: None, lambda: 0)

    def _answer(self, requests: int, answers: int) -> None:
        with contextlib.suppress(BrokenPipeError):
            for frames in self._streams:
                request = read_frame(requests)
                if request is None:
                    break
                damaged = self._damage(frames)
                write_all(answers, damaged.replace(ANY_ID, request.message["id"].encode()))
                if len(damaged) < sum(map(len, frames)):
                    break  # it ends there, and nobody waits for the rest
        os.close(answers)
        os.close(requests)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


@pytest.fixture(scope="module")
def recorded(small_grader: Grader, warm: Warm) -> list[list[bytes]]:
    """The frames with which a real child answered both requests."""
    streams: list[bytearray] = []

    class Recorded:
        isolation = weaknesses = ()
        is_alive = True

        def fork(self, limits: Limits, questionnaire: Questionnaire) -> Child:
            child = warm.fork(limits, questionnaire)
            child._wire.__class__, child._wire.streams = Recording, streams  # type: ignore[attr-defined]
            return child

    small_grader.grade(SUBMISSION, Recorded())  # type: ignore[arg-type]
    return [list(_frames(bytes(stream))) for stream in streams]


def _frames(stream: bytes) -> Iterator[bytes]:
    while stream:
        size = HEADER.size + sum(unpack_header(stream[: HEADER.size]))
        frame, stream = stream[:size], stream[size:]
        number = frame[HEADER.size :].partition(b'"id": "')[2][: len(ANY_ID)]
        yield frame.replace(number, ANY_ID)


def _grade(grader: Grader, recorded: list[list[bytes]], damage: Damage) -> Report:
    replay = Replay(recorded, damage)
    try:
        return grader.grade(SUBMISSION, replay)  # type: ignore[arg-type]
    finally:
        replay.join()


def test_an_undamaged_recording_is_graded_as_the_child_was(small_grader: Grader, warm: Warm, recorded):
    played = _grade(small_grader, recorded, b"".join)
    graded = small_grader.grade(SUBMISSION, warm)

    assert played.score == graded.score
    assert [each.outcome for part in played.selected for each in part.exercises] == [
        each.outcome for part in graded.selected for each in part.exercises
    ]


def _cut(at: float) -> Damage:
    return lambda frames: b"".join(frames)[: int(at * sum(map(len, frames)))]


def _double(at: float) -> Damage:
    def damage(frames: list[bytes]) -> bytes:
        place = int(at * len(frames))
        return b"".join([*frames[: place + 1], *frames[place:]])

    return damage


def _reorder(at: float) -> Damage:
    def damage(frames: list[bytes]) -> bytes:
        place = int(at * len(frames))
        return b"".join([*frames[place:], *frames[:place]])

    return damage


def _lengthen(at: float) -> Damage:
    def damage(frames: list[bytes]) -> bytes:
        stream = b"".join(frames)
        place = int(at * len(stream))
        return stream[:place] + b"\0" * 20 + stream[place:]

    return damage


def _flip(at: float) -> Damage:
    def damage(frames: list[bytes]) -> bytes:
        stream = bytearray(b"".join(frames))
        stream[min(int(at * len(stream)), len(stream) - 1)] ^= 0x21
        return bytes(stream)

    return damage


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([_cut, _double, _reorder, _lengthen, _flip]), st.floats(0, 1, exclude_max=True))
def test_a_damaged_stream_gives_every_function_an_outcome(small_grader: Grader, recorded, kind, at):
    report = _grade(small_grader, recorded, kind(at))

    exercises = [each for part in report.selected for each in part.exercises]
    assert len(exercises) == 3
    assert {each.outcome for each in exercises} <= set(Outcome)
    assert all(each.score is None or 0 <= each.score <= each.max_score for each in exercises)


def test_children_that_end_twice_while_loading_one_file_cost_its_functions_and_nothing_more(small_grader, recorded):
    # What a file was read as, and that it is loaded; no child goes on from there, though the next is told not to try.
    report = _grade(small_grader, recorded, lambda frames: b"".join(frames[:2]))

    exercises = [each for part in report.selected for each in part.exercises]
    assert {each.outcome for each in exercises} == {Outcome.CRASHED}
    # The first end is the file's, every further one the function's own: nothing is asked for ever.
    assert [each.message.partition(":")[0] for each in exercises] == [
        f"{each.function} gave no answer" for each in exercises
    ]
    assert report.score == 0
