"""What is said of a layer that does not hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.sandbox.guest.box import prove

# With pytest-xdist a worker has threads, and newer Pythons warn of every fork then; these children only make calls.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def refuse():
    raise PermissionError(1, "Operation not permitted")


def test_a_layer_that_denies_every_act_holds():
    assert prove(lambda: None, {"one": refuse, "two": refuse}) is None


def test_the_act_that_went_through_is_named():
    assert prove(lambda: None, {"one": refuse, "two": lambda: None}) == "two was still possible"


def test_an_act_that_fails_for_another_reason_proves_nothing():
    assert prove(lambda: None, {"reading": lambda: Path("/no/such/file").stat()}) == "reading was still possible"


def test_a_layer_that_the_system_refuses_says_so():
    assert prove(refuse, {}) == "the system refused it: [Errno 1] Operation not permitted"


def test_a_child_that_ends_without_a_word_proves_nothing():
    assert (
        prove(lambda: None, {"ending": lambda: os._exit(0)}) == "the process that was to prove it ended without a word"
    )
