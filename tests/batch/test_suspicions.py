"""What an instructor is to look at in a class, in which order."""

from __future__ import annotations

from typing import Any

from grader.batch.suspicions import suspicions


def _result(**flags: list[tuple[str, str]]) -> dict[str, Any]:
    exercises = [
        {"function": function, "flags": [{"kind": kind, "detail": detail} for kind, detail in each]}
        for function, each in flags.items()
    ]
    return {"assignments": [{"exercises": exercises}]}


def test_a_flag_of_several_functions_is_told_once_the_weightiest_first_and_notes_are_left_out():
    looked = ("torch_inside", "linear.py line 7: names _C")
    changed = ("mutated_input", "dout was changed in place")
    result = _result(add_backward=[changed, looked], exp_backward=[looked, ("built_while_loading", "3 nodes")])

    found = suspicions(result, "ada", "ada.json")

    assert [(each.kind, each.functions) for each in found] == [
        ("torch_inside", ("add_backward", "exp_backward")),
        ("mutated_input", ("add_backward",)),
    ]
    assert found[0].detail == "linear.py line 7: names _C"
