"""A child over both kinds of wire: limits, frames and the bound on output are the same."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import grader
from grader.sandbox.child import LATE_SECONDS, Child, End, describe_exit
from grader.sandbox.fresh import _Process
from grader.sandbox.wire import PolledWire, ThreadedWire

OUTPUT_BYTES = 100_000
BEGIN = f"""
import os, sys, time
sys.path.insert(0, {str(Path(grader.__file__).parents[1])!r})
from grader.sandbox.guest.protocol import pack, read_frame, write_all
def answer(frame, payload=b"", part=0):
    sys.stderr.flush()
    os.write(2, f"[{{frame.message['id']}} {{part}}]".encode())
    write_all(1, pack({{"id": frame.message["id"], "part": part}}, payload))
def read():
    return read_frame(0)
"""
Start = Callable[[str], Child]


@pytest.fixture(params=[PolledWire, ThreadedWire])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start a small child, given as source; it is ended with the test."""
    started: list[tuple[Child, subprocess.Popen[bytes]]] = []

    def start(source: str) -> Child:
        process = _Process.start([sys.executable, "-c", BEGIN + source], request.param)
        child = process.child(OUTPUT_BYTES)
        started.append((child, process.process))
        return child

    yield start
    for child, process in started:
        child.close()
        assert process.poll() is not None


def test_each_request_gets_its_answer_and_what_was_printed_before_it(start: Start):
    body = "print('said', frame.message['x'], file=sys.stderr)\n    answer(frame, frame.payload)"
    child = start(f"while frame := read():\n    {body}")

    for number in range(20):
        heard = child.ask({"x": number}, bytes([number]), 20)
        assert (heard.end, heard.frame.payload, heard.printed) == (End.ANSWERED, bytes([number]), f"said {number}\n")


def test_a_large_request_and_a_large_answer_pass(start: Start):
    child = start("frame = read()\nanswer(frame, frame.payload[::-1])\nread()")

    payload = bytes(range(256)) * 40_000
    assert child.ask({}, payload, 30).frame.payload == payload[::-1]


def test_a_child_that_reads_nothing_is_given_up_in_time(start: Start):
    child = start("time.sleep(60)")

    heard = child.ask({}, bytes(10_000_000), 0.3)

    assert heard.end is End.TIMED_OUT
    assert 0.3 <= heard.seconds < 2


def test_output_without_an_answer_does_not_hold_up_the_end_of_time(start: Start):
    child = start("while True:\n    os.write(2, b'.')\n    time.sleep(0.01)")

    heard = child.ask({}, b"", 1)

    assert heard.end is End.TIMED_OUT
    assert heard.seconds < 3


@pytest.mark.parametrize("descriptor", [1, 2], ids=["the answers", "the output"])
def test_a_flood_is_stopped(start: Start, descriptor: int):
    child = start(f"while True:\n    os.write({descriptor}, b'x' * 65536)")

    heard = child.ask({}, b"", 20)

    assert heard.end is (End.MALFORMED if descriptor == 1 else End.FLOODED)


def test_the_last_words_of_a_child_that_ended_are_heard(start: Start):
    child = start("read()\nprint('last words', file=sys.stderr)\nsys.stderr.flush()\nos._exit(3)")

    heard = child.ask({}, b"", 20)

    assert (heard.end, heard.printed, heard.exit_code) == (End.DIED, "last words\n", 3)


def test_a_second_answer_is_malformed(start: Start):
    child = start("frame = read()\nanswer(frame)\nanswer(frame)\nread()\ntime.sleep(60)")

    ends = {child.ask({}, b"", 20).end}
    ends.add(child.ask({}, b"", 20).end)

    assert End.MALFORMED in ends


def test_an_answer_with_another_number_is_malformed(start: Start):
    child = start("frame = read()\nwrite_all(1, pack({'id': 7}))\nread()")

    heard = child.ask({}, b"", 20)

    assert (heard.end, heard.reason) == (End.MALFORMED, "an answer came back that was not asked for")


def test_a_child_that_closed_its_output_still_answers(start: Start):
    child = start("frame = read()\nos.close(2)\nwrite_all(1, pack({'id': frame.message['id'], 'part': 0}))\nread()")

    heard = child.ask({}, b"", 20)

    assert heard.end is End.ANSWERED
    assert heard.printed == ""


def test_a_child_that_prints_no_mark_costs_a_moment_only(start: Start):
    child = start("while frame := read():\n    write_all(1, pack({'id': frame.message['id'], 'part': 0}))")
    child.ask({}, b"", 20)

    started = time.monotonic()
    assert child.ask({}, b"", 20).end is End.ANSWERED
    assert time.monotonic() - started < LATE_SECONDS + 2


PARTS = """
frame = read()
for part in range(3):
    print('said', part, file=sys.stderr)
    answer(frame, bytes([part]), part=part)
"""


def test_each_part_of_an_answer_is_heard_with_what_was_printed_before_it(start: Start):
    child = start(PARTS + "read()")
    child.request({})

    parts = [child.hear(20) for _ in range(3)]

    assert [heard.frame.payload for heard in parts] == [b"\0", b"\1", b"\2"]
    assert [heard.printed for heard in parts] == ["said 0\n", "said 1\n", "said 2\n"]


def test_long_output_of_several_parts_is_kept_apart(start: Start):
    child = start(PARTS.replace("'said', part", "str(part) * 6000") + "read()")
    child.request({})
    time.sleep(0.5)  # all of it comes in at once

    printed = [child.hear(20).printed for _ in range(3)]

    assert printed == [f"(2001 characters before) ... {str(part) * 3999}\n" for part in range(3)]


def test_output_of_a_part_is_its_own_however_late_its_mark_comes(start: Start):
    child = start(PARTS + "read()")
    child.request({})
    heard = child.hear(20)
    time.sleep(0.3)  # the other parts and their marks have come in by now, in one piece

    assert [heard.printed, child.hear(20).printed, child.hear(20).printed] == ["said 0\n", "said 1\n", "said 2\n"]


def test_parts_that_came_before_the_end_of_a_child_are_heard(start: Start):
    child = start(PARTS + "print('last words', file=sys.stderr)\nsys.stderr.flush()\nos._exit(3)")
    child.request({})

    ends = [child.hear(20).end for _ in range(3)]
    last = child.hear(20)

    assert ends == [End.ANSWERED] * 3
    assert (last.end, last.printed, last.exit_code) == (End.DIED, "last words\n", 3)


@pytest.mark.parametrize("sent", ["part=1", "part='0'", "part=None"], ids=["another part", "no number", "no part"])
def test_what_is_not_the_part_that_comes_next_is_malformed(start: Start, sent: str):
    child = start(f"frame = read()\nanswer(frame, {sent})\nread()")
    child.request({})

    heard = child.hear(20)

    assert (heard.end, heard.reason) == (End.MALFORMED, "an answer came back that was not asked for")


def test_a_part_behind_the_last_one_is_malformed(start: Start):
    child = start(PARTS + "answer(read())")
    child.request({})
    heard = [child.hear(20) for _ in range(2)]

    assert [each.end for each in heard] == [End.ANSWERED] * 2
    assert child.ask({}, b"", 20).end is End.MALFORMED


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "it ended the process with exit status 0"),
        (0xC0000005, "it ended the process with exit status 3221225477"),
        (-11, "it was ended by SIGSEGV"),
        (-36, "it was ended by signal 36"),
    ],
)
def test_every_end_of_a_process_has_words(code: int, words: str):
    assert describe_exit(code) == words
