"""The three pipes to a child: requests go out, answers and output come in.

A wire only moves bytes, in time; what they mean, and how many there may be, is for `child`. There are two: one that
asks the system which pipe is ready, and one with a thread for each pipe, where the system can't be asked.
"""

from __future__ import annotations

import contextlib
import os
import queue
import selectors
import threading
import time
from enum import Enum, auto
from typing import Protocol

CHUNK = 1 << 16
WAITING_CHUNKS = 16
END_SECONDS = 2.0
LAST_SECONDS = 0.05


class Stream(Enum):
    """Where bytes from a child came in."""

    ANSWERS = auto()
    OUTPUT = auto()


class Wire(Protocol):
    """The way to one child and back."""

    needs_mark: bool
    """Whether output may arrive later than an answer that was sent after it."""

    def send(self, data: bytes) -> None:
        """Have bytes go out; those of the request before that have not gone yet are forgotten."""

    def wait(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """Return what has come in, after `seconds` at the most; no bytes of a stream are its end."""

    def close(self) -> None:
        """Let go of the pipes; the child must have been ended before."""


class PolledWire:
    """A wire over pipes that can be waited for together. POSIX only."""

    needs_mark = False

    def __init__(self, requests: int, answers: int, output: int) -> None:
        self._requests = requests
        self._descriptors = (requests, answers, output)
        self._unsent = memoryview(b"")
        for descriptor in self._descriptors:
            os.set_blocking(descriptor, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(answers, selectors.EVENT_READ, Stream.ANSWERS)
        self._selector.register(output, selectors.EVENT_READ, Stream.OUTPUT)

    def send(self, data: bytes) -> None:
        """Have bytes go out while `wait` waits."""
        self._stop_sending()
        self._unsent = memoryview(data)
        self._selector.register(self._requests, selectors.EVENT_WRITE)

    def wait(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """Return what has come in, and send meanwhile."""
        arrived = []
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._send()
                continue
            with contextlib.suppress(BlockingIOError):
                part = os.read(key.fd, CHUNK)
                arrived.append((key.data, part))
                if not part and key.data is Stream.OUTPUT:
                    self._selector.unregister(key.fd)  # or its end would be all there is to wait for
        return arrived

    def close(self) -> None:
        """Let go of the pipes."""
        self._selector.close()
        for descriptor in self._descriptors:
            os.close(descriptor)

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._requests, self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unsent = memoryview(b"")  # it is gone; the other end of the answers says so, too
        if not self._unsent:
            self._stop_sending()

    def _stop_sending(self) -> None:
        if self._requests in self._selector.get_map():
            self._selector.unregister(self._requests)


class ThreadedWire:
    """A wire with a thread for each pipe, which works on every system."""

    needs_mark = True

    def __init__(self, requests: int, answers: int, output: int) -> None:
        self._unsent: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # Bounded: a child that floods is held up, and does not fill the grader's memory.
        self._arrived: queue.Queue[tuple[Stream, bytes]] = queue.Queue(WAITING_CHUNKS)
        self._answers_ended = False
        self._threads = {
            requests: threading.Thread(target=self._write, args=(requests,), daemon=True),
            answers: threading.Thread(target=self._read, args=(answers, Stream.ANSWERS), daemon=True),
            output: threading.Thread(target=self._read, args=(output, Stream.OUTPUT), daemon=True),
        }
        for thread in self._threads.values():
            thread.start()

    def send(self, data: bytes) -> None:
        """Have bytes go out as soon as those before them have."""
        self._unsent.put(data)

    def wait(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """Return the next that has come in."""
        try:
            # After the end of the answers a little more output may be on its way, and nothing else.
            stream, part = self._arrived.get(timeout=min(seconds, LAST_SECONDS) if self._answers_ended else seconds)
        except queue.Empty:
            return [(Stream.ANSWERS, b"")] if self._answers_ended else []
        self._answers_ended |= stream is Stream.ANSWERS and not part
        return [(stream, part)]

    def close(self) -> None:
        """Let go of the pipes whose other end is closed; a pipe that a thread still waits for stays open."""
        self._unsent.put(None)
        deadline = time.monotonic() + END_SECONDS
        while any(thread.is_alive() for thread in self._threads.values()) and time.monotonic() < deadline:
            # A reader may be waiting for room.
            with contextlib.suppress(queue.Empty):
                self._arrived.get(timeout=0.01)
        for descriptor, thread in self._threads.items():
            if not thread.is_alive():
                os.close(descriptor)

    def _write(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            while (data := self._unsent.get()) is not None:
                unsent = memoryview(data)
                while unsent:
                    unsent = unsent[os.write(descriptor, unsent[:CHUNK]) :]

    def _read(self, descriptor: int, stream: Stream) -> None:
        part = b"more"
        while part:
            try:
                part = os.read(descriptor, CHUNK)
            except OSError:
                part = b""
            self._arrived.put((stream, part))
