"""What came back from a child: read with bounds, refused by name, and exact where it is honest."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grader.sandbox.answer import Flag, Note, Outcome, read_answer, read_file_name, read_line
from grader.sandbox.guest.protocol import Frame, FrameError
from grader.sandbox.guest.tensors import pack_tensors, unpack_tensors

NAMES = ("dx", "dW")
SOUND = {"outcome": "returned", "message": "", "tensors": [], "notes": {}, "flags": []}


# What describes tensors and their bytes, and why they are refused.
BAD_TENSORS = {
    "no list": ({}, b"", "are not a list"),
    "null": (None, b"", "are not a list"),
    "an entry that is no list": ([{}], b"", "names that were not asked for"),
    "an entry of two parts": ([["dx", "float64"]], bytes(8), "names that were not asked for"),
    "a name that was not asked for": ([["dz", "float64", [1]]], bytes(16), "names that were not asked for"),
    "a name twice": ([["dx", "float64", [1]]] * 2, bytes(32), "names that were not asked for"),
    "a name that is no text": ([[1, "float64", [1]]], bytes(16), "names that were not asked for"),
    "an unknown dtype": ([["dx", "object", [1]]], bytes(16), "a dtype or a shape that no gradient has"),
    "a dtype that is not carried": ([["dx", "uint8", [16]]], bytes(16), "a dtype or a shape that no gradient has"),
    "something else of torch": ([["dx", "load", [1]]], bytes(16), "a dtype or a shape that no gradient has"),
    "a dtype that is no text": ([["dx", ["float64"], [1]]], bytes(16), "names that were not asked for"),
    "a shape that is no list": ([["dx", "float64", 1]], bytes(16), "names that were not asked for"),
    "a negative size": ([["dx", "float64", [-1, -1]]], bytes(16), "a dtype or a shape that no gradient has"),
    "a size that is a float": ([["dx", "float64", [1.0]]], bytes(16), "a dtype or a shape that no gradient has"),
    "a size that is a bool": ([["dx", "float64", [True]]], bytes(16), "a dtype or a shape that no gradient has"),
    "a size beyond any memory": ([["dx", "float64", [1 << 47]]], b"", "bytes are missing"),
    "a thousand axes": ([["dx", "float64", [1] * 1000]], bytes(16), "a dtype or a shape that no gradient has"),
    "no elements, and sizes too large to multiply": (
        [["dx", "float64", [0, 1 << 47, 1 << 47]]],
        b"",
        "a dtype or a shape that no gradient has",
    ),
    "more bytes than the shape": ([["dx", "float64", [1]]], bytes(32), "bytes are left over"),
    "fewer bytes than the shape": ([["dx", "float64", [3]]], bytes(16), "bytes are missing"),
    "fewer bytes than its padding": ([["dx", "float64", [1]]], bytes(8), "bytes are left over"),
    "bytes of nothing": ([], bytes(16), "bytes are left over"),
}

# What replaces a part of a sound message, and why it is refused.
BAD_MESSAGES = {
    "no outcome": ({"outcome": None}, "the answer's outcome is not text"),
    "an unknown outcome": ({"outcome": "correct"}, "names no outcome that a function can have"),
    "an outcome that only the grader finds": ({"outcome": "not_judged"}, "names no outcome that a function can have"),
    "a message that is no text": ({"message": ["a"]}, "the answer's message is not text"),
    "notes that are no object": ({"notes": []}, "the answer's notes are not an object"),
    "a note on another gradient": ({"notes": {"dz": {}}}, "a note on a gradient that was not asked for"),
    "a note that is no object": ({"notes": {"dx": "no"}}, "a note on a gradient that was not asked for"),
    "a note without a kind": ({"notes": {"dx": {"text": "a"}}}, "the answer's kind is not text"),
    "a note without a text": ({"notes": {"dx": {"kind": "dtype"}}}, "the answer's text is not text"),
    "a note of an unknown kind": ({"notes": {"dx": {"kind": "x", "text": ""}}}, "a note of no known kind"),
    "flags that are no list": ({"flags": {}}, "the answer's flags are not a list"),
    "a flag of one text": ({"flags": [["a"]]}, "a flag of the answer is not two texts"),
    "a flag of numbers": ({"flags": [[1, 2]]}, "a flag of the answer is not two texts"),
}

TENSORS = {
    "no axes": torch.tensor(2.5, dtype=torch.float64),
    "one axis": torch.tensor([1.0, -0.0, 5e-324], dtype=torch.float64),
    "no elements": torch.zeros(0, 3, dtype=torch.float64),
    "five axes": torch.arange(32, dtype=torch.float64).reshape(2, 2, 2, 2, 2),
    "not finite": torch.tensor([float("nan"), float("inf"), -float("inf")], dtype=torch.float64),
    "float32": torch.randn(2, 3),
    "float16": torch.randn(2, 3).half(),
    "bfloat16": torch.randn(2, 3).bfloat16(),
    "int64": torch.tensor([-(2**63), 2**63 - 1]),
    "int32": torch.tensor([-1, 1], dtype=torch.int32),
    "booleans": torch.tensor([[True], [False]]),
}


def bits(tensor: Tensor) -> tuple[torch.dtype, tuple[int, ...], bytes]:
    """Return all that a tensor is; NaN equals itself here."""
    return tensor.dtype, tuple(tensor.shape), tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()


def answer(message: dict, tensors: bytes = b""):
    return read_answer(Frame(message, bytearray(tensors)), NAMES, "printed", 0.5)


def there_and_back(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    entries, payload = pack_tensors(tensors)
    return unpack_tensors(entries, bytearray(payload), list(tensors))


@pytest.mark.parametrize(("entries", "content", "why"), BAD_TENSORS.values(), ids=BAD_TENSORS)
def test_tensors_that_are_not_well_formed_are_refused_by_name(entries, content, why):
    with pytest.raises(FrameError) as caught:
        unpack_tensors(entries, bytearray(content), NAMES)

    assert why in str(caught.value)


@pytest.mark.parametrize(("part", "why"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_each_malformed_message_is_refused_by_name(part, why):
    with pytest.raises(FrameError) as caught:
        answer(SOUND | part)

    assert why in str(caught.value)


@pytest.mark.parametrize("key", SOUND)
def test_a_message_without_one_of_its_parts_is_refused(key):
    with pytest.raises(FrameError, match=f"the answer's {key} (is|are) not"):
        answer({name: value for name, value in SOUND.items() if name != key})


@pytest.mark.parametrize("tensor", TENSORS.values(), ids=TENSORS)
def test_every_tensor_comes_back_bit_for_bit(tensor):
    found = there_and_back({"dx": tensor})

    assert bits(found["dx"]) == bits(tensor)


def test_many_tensors_come_back_each_under_its_name():
    names = [f"d{index}" for index in range(len(TENSORS))]
    tensors = dict(zip(names, TENSORS.values(), strict=True))

    found = there_and_back(tensors)

    assert {name: bits(tensor) for name, tensor in found.items()} == {
        name: bits(tensor) for name, tensor in tensors.items()
    }


SHAPES = st.lists(st.integers(0, 3), max_size=4)
DTYPES = st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32])


@given(st.dictionaries(st.sampled_from(["dx", "dW", "db", "da", "dz"]), st.tuples(SHAPES, DTYPES), max_size=5))
def test_whatever_a_child_sends_comes_back_as_it_was(drawn):
    tensors = {name: (torch.randn(shape) * 100).to(dtype) for name, (shape, dtype) in drawn.items()}

    found = there_and_back(tensors)

    assert {name: bits(tensor) for name, tensor in found.items()} == {
        name: bits(tensor) for name, tensor in tensors.items()
    }


def test_bytes_that_are_no_booleans_become_booleans():
    found = unpack_tensors([["dx", "bool", [3]]], bytearray(b"\0\x02\xff" + bytes(13)), NAMES)

    assert found["dx"].tolist() == [False, True, True]


def test_the_tensors_that_come_back_are_memory_of_their_own():
    found = there_and_back({"dx": torch.ones(3)})

    found["dx"].add_(1)

    assert found["dx"].tolist() == [2.0, 2.0, 2.0]


SIZES = st.lists(st.integers(-1, 3) | st.integers(0, 1 << 64), max_size=4)
ENTRIES = st.tuples(st.sampled_from([*NAMES, "dz"]), st.sampled_from(["float64", "bool", "uint8"]), SIZES).map(list)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["dx", "float64", "bool", ""]),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["dx", "dW", "shape"]), part),
    max_leaves=12,
)


@given(st.lists(ENTRIES | ANYTHING, max_size=3) | ANYTHING, st.binary(max_size=64))
def test_any_description_is_tensors_or_a_frame_error(entries, content):
    try:
        found = unpack_tensors(entries, bytearray(content), NAMES)
    except FrameError:
        return
    assert set(found) <= set(NAMES)


@given(st.lists(st.integers(0, 2) | st.integers(1 << 20, 1 << 48), min_size=1, max_size=64))
def test_any_shape_without_elements_is_a_tensor_or_a_frame_error(shape):
    try:
        found = unpack_tensors([["dx", "float64", [0, *shape]]], bytearray(), NAMES)
    except FrameError:
        return
    assert found["dx"].numel() == 0


@given(st.dictionaries(st.sampled_from([*SOUND, "line", "file"]), ANYTHING))
def test_any_message_is_an_answer_or_a_frame_error(parts):
    try:
        found = answer(SOUND | parts)
    except FrameError:
        return
    assert isinstance(found.outcome, Outcome)


def test_a_sound_answer_is_read_whole():
    message = {
        "outcome": "raised",
        "message": "ValueError: \x1b[31mno\x1b[0m",
        "file": "linear.py",
        "line": 7,
        "notes": {"dW": {"kind": "dtype", "text": "torch.complex64", "shape": [2, 3]}},
        "flags": [["mutated_input", "x was changed in place"]],
    }

    entries, payload = pack_tensors({"dx": torch.ones(2)})
    found = answer(message | {"tensors": entries}, payload)

    assert (found.outcome, found.message) == (Outcome.RAISED, "ValueError: no")
    assert (found.file, found.line, found.printed, found.seconds) == ("linear.py", 7, "printed", 0.5)
    assert found.gradients["dx"].tolist() == [1.0, 1.0]
    assert found.notes == {"dW": Note("dtype", "torch.complex64", (2, 3))}
    assert found.flags == (Flag("mutated_input", "x was changed in place"),)


def test_what_a_child_says_is_bounded():
    note = {"kind": "not_a_tensor", "text": "t" * 10_000}
    flags = [["k" * 1000, "d" * 1000]] * 1000

    found = answer(SOUND | {"message": "m" * 100_000, "file": "f" * 1000, "notes": {"dx": note}, "flags": flags})

    assert len(found.message) < 2_100
    assert len(found.file) < 300
    assert len(found.notes["dx"].text) < 600
    assert len(found.flags) == 50
    assert len(found.flags[0].kind) < 100
    assert len(found.flags[0].detail) < 600


def test_what_is_shown_in_one_line_cannot_bring_a_second():
    note = {"kind": "not_a_tensor", "text": "int\nlinear_backward 5/5"}

    found = answer(SOUND | {"file": "a.py\nb", "notes": {"dx": note}, "flags": [["a\nb", "c\nd"]]})

    assert found.file == "a.py b"
    assert found.notes["dx"].text == "int linear_backward 5/5"
    assert found.flags == (Flag("a b", "c d"),)


@pytest.mark.parametrize("shape", [None, "2, 3", [1.0], [True], [-1], [10**4000], [1] * 65, {}])
def test_a_shape_that_no_tensor_has_is_left_out(shape):
    note = {"kind": "dtype", "text": "torch.complex64", "shape": shape}

    assert answer(SOUND | {"notes": {"dx": note}}).notes["dx"].shape is None


@pytest.mark.parametrize("line", [None, 0, -1, True, 1.0, "7", [7], 10_000_000, 10**4000])
def test_a_line_that_no_file_has_is_none(line):
    assert read_line({"line": line}) is None


@pytest.mark.parametrize("file", [None, 1, ["a.py"]])
def test_a_file_that_is_no_text_is_none(file):
    assert read_file_name({"file": file}) is None
