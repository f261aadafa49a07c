"""JUnit XML: a suite for each submission, a test for each function; the score is a property."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from grader.batch.export.plain_text import is_full, said_of
from grader.batch.gradebook import Row

# XML has no way to write these, not even escaped.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(rows: Iterable[Row], course: str) -> str:
    """Return a batch as JUnit ElementTree."""
    suites = ElementTree.Element("testsuites", name=_text(course))
    totals = {"tests": 0, "failures": 0, "errors": 0}
    seconds = 0.0
    for row in rows:
        suite = ElementTree.SubElement(suites, "testsuite", name=_text(row.submission))
        counts = _add_tests(suite, row)
        spent = row.result["seconds"] if row.result is not None else 0.0
        suite.attrib.update({name: str(count) for name, count in counts.items()}, skipped="0", time=f"{spent:.6f}")
        seconds += spent
        for name in totals:
            totals[name] += counts[name]
    suites.attrib.update({name: str(count) for name, count in totals.items()}, time=f"{seconds:.6f}")
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _add_tests(suite: ElementTree.Element, row: Row) -> dict[str, int]:
    if row.result is None:
        case = ElementTree.SubElement(suite, "testcase", name="submission", classname=_text(row.submission), time="0")
        ElementTree.SubElement(case, "error", message=_text(row.problem or ""), type="not_graded")
        return {"tests": 1, "failures": 0, "errors": 1}
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("score", "max_score", "seed", "grader"):
        ElementTree.SubElement(properties, "property", name=name, value=str(row.result[name]))
    failures = errors = tests = 0
    for part in row.result["assignments"]:
        for exercise in part["exercises"]:
            tests += 1
            failed = _add_test(suite, part["name"], exercise)
            failures += failed == "failure"
            errors += failed == "error"
    return {"tests": tests, "failures": failures, "errors": errors}


def _add_test(suite: ElementTree.Element, assignment: str, exercise: dict[str, Any]) -> str | None:
    spent = f"{exercise['seconds']:.6f}"
    case = ElementTree.SubElement(suite, "testcase", name=exercise["function"], classname=assignment, time=spent)
    tag = None if is_full(exercise) else "error" if exercise["score"] is None else "failure"
    if tag is not None:
        lost = f"{exercise['score']} of {exercise['max_score']} points"
        problem = ElementTree.SubElement(
            case, tag, message=_text(exercise["message"] or lost), type=exercise["outcome"]
        )
        problem.text = _text(said_of(exercise))
    if exercise["printed"]:
        ElementTree.SubElement(case, "system-out").text = _text(exercise["printed"])
    return tag


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
