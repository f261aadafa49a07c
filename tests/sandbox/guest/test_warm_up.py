"""What is played through before the fork: it goes well, and leaves nothing that a submission could find."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# In a process of its own: the guard replaces parts of torch for good.
PROGRAM = """
import json, linecache, sys
import torch
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.warm_up import FILE, rehearse
from grader.sandbox.guest.warm_up import use_course_settings
use_course_settings()
before = set(sys.modules), list(sys.meta_path), set(linecache.cache)
answers = rehearse(Guard())
left = [name for name in set(sys.modules) - before[0] if "rehears" in name]
left += [str(finder) for finder in sys.meta_path if finder not in before[1]]
left += [file for file in linecache.cache if file == FILE]
print(json.dumps({"answers": answers, "left": left}))
"""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rehearsed() -> dict:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_every_operator_of_the_rehearsal_is_known_and_none_is_suspicious(rehearsed: dict):
    calls = [answer for answer in rehearsed["answers"] if "outcome" in answer]

    assert [(answer["outcome"], answer["message"], answer["flags"]) for answer in calls] == [("returned", "", [])] * 2


def test_a_rehearsal_leaves_nothing_behind(rehearsed: dict):
    assert rehearsed["left"] == []
