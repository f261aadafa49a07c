"""A forward pass as a student reads it, and as it runs on their machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course.source import Source

SOURCE = '''"""A file."""

import math
import os

SCALE = 2.0


def _helper(value):
    return value * SCALE


def _other():
    return os.getcwd()


def forward(t):
    """Say what it does."""
    # t.x comes first
    t.y = _helper(t.x) / math.sqrt(4)  # and t.y here
    t.name = len("t.x") + t.y.t.x
'''


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.py"
    path.write_text(SOURCE)
    return path


def test_the_trace_is_taken_off_the_names_but_not_off_texts(reference: Path):
    assert Source(reference, "forward").lesson == (
        '# t.x comes first\ny = _helper(x) / math.sqrt(4)  # and t.y here\nname = len("t.x") + y.t.x'
    )


def test_what_a_forward_needs_comes_with_it_and_nothing_else(reference: Path):
    text = Source(reference, "forward").runnable

    assert "import math" in text
    assert "SCALE = 2.0" in text
    assert "def _helper" in text
    assert "import os" not in text
    assert "_other" not in text


def test_the_definition_is_the_function_alone(reference: Path):
    text = Source(reference, "_helper").definition

    assert text == "def _helper(value):\n    return value * SCALE"


def test_a_forward_that_is_no_plain_function_has_no_text(reference: Path):
    source = Source(reference, "absent")

    assert (source.definition, source.lesson, source.runnable) == ("", "", "")
