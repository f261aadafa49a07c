"""The folders that a submission may read."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import grader
from grader.sandbox.isolation import readable_folders

PATHS = [Path(path) for path in readable_folders()]


def is_readable(path):
    return any(Path(path).is_relative_to(folder) for folder in PATHS)


@pytest.mark.parametrize(
    "module", ["json", "decimal", "_decimal", "torch", "numpy", "sympy", "jinja2", "typing_extensions"]
)
def test_a_module_that_a_submission_may_import_is_readable(module):
    assert is_readable(find_spec(module).origin)


@pytest.mark.parametrize("module", ["grader", "pytest", "click", "pydantic"])
def test_a_module_that_torch_does_not_need_is_not_readable(module):
    assert not is_readable(find_spec(module).origin)


def test_no_folder_holds_the_grader_its_course_or_the_tests():
    for path in (grader.__file__, Path(grader.__file__).parents[1] / "solutions", __file__, Path.home(), Path.cwd()):
        assert not is_readable(path)


def test_no_folder_holds_site_packages():
    sites = [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    sites += [Path(json.__file__).parents[1] / "site-packages"]
    assert sites
    assert not any(is_readable(site) for site in sites)


def test_every_path_exists():
    assert all(path.exists() for path in PATHS)
