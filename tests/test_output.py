"""Where the output goes: a terminal of any width, a full disk, a closed stream, a reader that has gone."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SLIP = "def linear_backward(dout, x, W):\n    dx = dout @ W.T\n    return dx, 3 * x.T @ dout, dout.sum(0)\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "linear.py").write_text(SLIP)
    return tmp_path


def _shell(command: str, work: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line in which $GRADE is the command under test."""
    environment = {**ENVIRONMENT, "GRADE": f"{sys.executable} -m grader"}
    return subprocess.run(
        ["bash", "-c", command], cwd=work, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_a_full_disk_costs_neither_the_true_exit_code_nor_a_word(work: Path):
    finished = _shell("$GRADE linear.py --report /dev/full > /dev/full", work)

    assert finished.returncode == 2  # what was asked for by name was not written
    assert finished.stderr.splitlines() == [
        "grade: /dev/full could not be written: No space left on device; name another place with --report FILE",
        "grade: standard output could not be written: No space left on device",
    ]


@pytest.mark.slow
def test_closed_streams_cost_neither_the_true_exit_code_nor_the_report(work: Path):
    finished = _shell("$GRADE linear.py >&- 2>&-", work)

    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "", "")
    assert (work / "grade-report.html").read_text().endswith("</html>")


@pytest.mark.slow
def test_a_reader_that_has_gone_costs_neither_the_true_exit_code_nor_the_report(work: Path):
    finished = _shell("$GRADE linear.py | head -1; exit ${PIPESTATUS[0]}", work)

    assert (finished.returncode, finished.stderr) == (1, "")
    assert finished.stdout == "linear · A linear layer · 3/5\n"
    assert (work / "grade-report.html").is_file()


@pytest.mark.slow
def test_a_closed_output_costs_no_exit_code_of_a_mistake_either(work: Path):
    finished = _shell("$GRADE --help >&-; echo $?; $GRADE nowhere 2>&-; echo $?; $GRADE --help > /dev/full", work)

    assert finished.stdout == "0\n2\n"
    assert finished.stderr == "grade: standard output could not be written: No space left on device\n"


def _in_terminal(work: Path, width: int, *arguments: str, **environment: str) -> tuple[str, int]:
    """Run the command in a pseudo-terminal; return what it wrote and its exit code."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", *arguments],
        cwd=work,
        env={name: value for name, value in {**ENVIRONMENT, **environment}.items() if name != "COLUMNS"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    return said.decode().replace("\r\n", "\n"), process.wait(60)


@pytest.mark.slow
def test_a_terminal_of_80_columns_has_colour_and_one_screen(work: Path):
    said, code = _in_terminal(work, 80, "linear.py")
    plain = re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()

    assert code == 1
    assert "\x1b[31m" in said
    assert max(map(len, plain)) <= 80
    assert len(plain) <= 24


@pytest.mark.slow
def test_a_narrow_terminal_without_colour_and_signs_is_told_in_words(work: Path):
    said, code = _in_terminal(work, 40, "linear.py", NO_COLOR="1", PYTHONIOENCODING="ascii")

    assert code == 1
    assert said.isascii()
    assert "?" not in said
    assert not re.search(r"\x1b\[3\d", said)
    plain = re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()
    assert max(map(len, plain)) <= 40
    assert any(line.startswith("  wrong: dW: wrong values: Your") for line in plain), plain
