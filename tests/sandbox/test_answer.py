"""What came back from a child: read with bounds, refused by name, and exact where it is honest."""

from __future__ import annotations

import json
import struct

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grader.sandbox.answer import Flag, Note, Outcome, read_answer, read_file_name, read_line, read_tensors
from grader.sandbox.guest.protocol import Frame, FrameError

NAMES = ("dx", "dW")
SOUND = {"outcome": "returned", "message": "", "notes": {}, "flags": []}
ENTRY = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}


def payload(header: object, data: bytes = b"") -> bytes:
    """Return a payload of tensors with a header of one's own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


# A payload, and why it is refused.
BAD_PAYLOADS = {
    "too short for a header": (b"\0" * 7, "are not well-formed"),
    "a header longer than the payload": (struct.pack("<Q", 100) + b"{}", "are not well-formed"),
    "a header longer than any honest one": (payload(b" " * 70_000), "a header of an impossible length"),
    "a header of 2**64 bytes": (b"\xff" * 8, "a header of an impossible length"),
    "a header that is no JSON": (payload(b"{"), "are not well-formed"),
    "a header that is no text": (payload(b"\xff\xfe\xfd"), "are not well-formed"),
    "a header nested too deeply": (payload(b"[" * 60_000), "are not well-formed"),
    "a header with a number of 5000 digits": (payload(b"9" * 5000), "are not well-formed"),
    "a header that is a list": (payload([]), "are not well-formed"),
    "a header that is null": (payload(None), "are not well-formed"),
    "a name that was not asked for": (payload({"dz": ENTRY}, b"\0" * 8), "names that were not asked for"),
    "an entry that is no object": (payload({"dx": []}), "are not well-formed"),
    "an entry without a dtype": (
        payload({"dx": {"shape": [1], "data_offsets": [0, 8]}}, b"\0" * 8),
        "are not well-formed",
    ),
    "an unknown dtype": (payload({"dx": ENTRY | {"dtype": "O64"}}, b"\0" * 8), "are not well-formed"),
    "a dtype that is no text": (payload({"dx": ENTRY | {"dtype": ["F64"]}}, b"\0" * 8), "are not well-formed"),
    "a shape that is no list": (payload({"dx": ENTRY | {"shape": 1}}, b"\0" * 8), "are not well-formed"),
    "a negative size": (payload({"dx": ENTRY | {"shape": [-1, -1]}}, b"\0" * 8), "are not well-formed"),
    "a size that is a float": (payload({"dx": ENTRY | {"shape": [1.0]}}, b"\0" * 8), "are not well-formed"),
    "a size that is a bool": (payload({"dx": ENTRY | {"shape": [True]}}, b"\0" * 8), "are not well-formed"),
    "a size beyond any memory": (
        payload({"dx": {"dtype": "F64", "shape": [1 << 50], "data_offsets": [0, 1 << 53]}}),
        "are not well-formed",
    ),
    "a thousand axes": (payload({"dx": ENTRY | {"shape": [1] * 1000}}, b"\0" * 8), "a shape that no gradient has"),
    "more bytes than the shape": (payload({"dx": ENTRY}, b"\0" * 16), "are not well-formed"),
    "offsets that do not fit the shape": (
        payload({"dx": ENTRY | {"data_offsets": [0, 16]}}, b"\0" * 16),
        "are not well-formed",
    ),
    "fewer bytes than announced": (payload({"dx": ENTRY}, b"\0" * 4), "are not well-formed"),
    "offsets backwards": (payload({"dx": ENTRY | {"data_offsets": [8, 0]}}, b"\0" * 8), "are not well-formed"),
    "negative offsets": (payload({"dx": ENTRY | {"data_offsets": [-8, 0]}}, b"\0" * 8), "are not well-formed"),
    "offsets that are floats": (
        payload({"dx": ENTRY | {"data_offsets": [0.0, 8.0]}}, b"\0" * 8),
        "are not well-formed",
    ),
    "offsets that are not a number": (
        payload(b'{"dx": {"dtype": "F64", "shape": [1], "data_offsets": [NaN, NaN]}}'),
        "are not well-formed",
    ),
    "three offsets": (payload({"dx": ENTRY | {"data_offsets": [0, 4, 8]}}, b"\0" * 8), "are not well-formed"),
    "two tensors in one place": (
        payload({"dx": ENTRY, "dW": ENTRY}, b"\0" * 8),
        "are not well-formed",
    ),
    "a gap between two": (
        payload({"dx": ENTRY, "dW": ENTRY | {"data_offsets": [16, 24]}}, b"\0" * 24),
        "are not well-formed",
    ),
    "a gap before the first": (
        payload({"dx": ENTRY | {"data_offsets": [8, 16]}}, b"\0" * 16),
        "are not well-formed",
    ),
    "no elements, and sizes too large to multiply": (
        payload({"dx": {"dtype": "F64", "shape": [0, 1 << 47, 1 << 47], "data_offsets": [0, 0]}}),
        "a shape that no gradient has",
    ),
    "a dtype that is not carried": (
        payload({"dx": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}}, b"\0" * 8),
        "a dtype or a shape that no gradient has",
    ),
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
    return read_answer(Frame(message, tensors), NAMES, "printed", 0.5)


@pytest.mark.parametrize(("content", "why"), BAD_PAYLOADS.values(), ids=BAD_PAYLOADS)
def test_each_malformed_payload_is_refused_by_name(content, why):
    with pytest.raises(FrameError) as caught:
        read_tensors(content, NAMES)

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
    found = read_tensors(safetensors.torch.save({"dx": tensor}), NAMES)

    assert bits(found["dx"]) == bits(tensor)


def test_many_tensors_come_back_each_under_its_name():
    names = [f"d{index}" for index in range(len(TENSORS))]
    tensors = dict(zip(names, TENSORS.values(), strict=True))

    found = read_tensors(safetensors.torch.save(tensors), names)

    assert {name: bits(tensor) for name, tensor in found.items()} == {
        name: bits(tensor) for name, tensor in tensors.items()
    }


SHAPES = st.lists(st.integers(0, 3), max_size=4)
DTYPES = st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32])


@given(st.dictionaries(st.sampled_from(["dx", "dW", "db", "da", "dz"]), st.tuples(SHAPES, DTYPES), max_size=5))
def test_whatever_a_child_sends_comes_back_as_it_was(drawn):
    tensors = {name: (torch.randn(shape) * 100).to(dtype) for name, (shape, dtype) in drawn.items()}

    found = read_tensors(safetensors.torch.save(tensors), list(drawn))

    assert {name: bits(tensor) for name, tensor in found.items()} == {
        name: bits(tensor) for name, tensor in tensors.items()
    }


def test_a_tensor_without_elements_may_stand_behind_one_with_the_same_start():
    header = {"dx": ENTRY, "dW": {"dtype": "F64", "shape": [0], "data_offsets": [0, 0]}}

    assert set(read_tensors(payload(header, b"\0" * 8), NAMES)) == {"dx", "dW"}


def test_the_tensors_that_come_back_are_memory_of_their_own():
    found = read_tensors(safetensors.torch.save({"dx": torch.ones(3)}), NAMES)

    found["dx"].add_(1)

    assert found["dx"].tolist() == [2.0, 2.0, 2.0]


def test_metadata_is_passed_over():
    assert read_tensors(payload({"__metadata__": {"a": "b"}, "dx": ENTRY}, b"\0" * 8), NAMES)["dx"].tolist() == [0.0]


@given(st.binary(max_size=100))
def test_any_bytes_are_tensors_or_a_frame_error(content):
    try_to_read(content)


HEADERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["dx", "F64", "BOOL", ""]),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(st.sampled_from(["dx", "dW", "dtype", "shape", "data_offsets", "__metadata__"]), part)
    ),
    max_leaves=12,
)
SIZES = st.lists(st.integers(-1, 3) | st.integers(0, 1 << 64), max_size=4)
ENTRIES = st.fixed_dictionaries(
    {"dtype": st.sampled_from(["F64", "F32", "BOOL", "BF16", "U8"]), "shape": SIZES, "data_offsets": SIZES}
)


@given(HEADERS | st.dictionaries(st.sampled_from(NAMES), ENTRIES), st.binary(max_size=40))
def test_any_header_is_tensors_or_a_frame_error(header, data):
    try_to_read(payload(header, data))


@given(st.lists(st.integers(0, 2) | st.integers(1 << 20, 1 << 48), min_size=1, max_size=64))
def test_any_shape_without_elements_is_a_tensor_or_a_frame_error(shape):
    try_to_read(payload({"dx": {"dtype": "F64", "shape": [0, *shape], "data_offsets": [0, 0]}}))


def try_to_read(content: bytes) -> None:
    """Read tensors; anything but a FrameError escapes and fails the test."""
    try:
        found = read_tensors(content, NAMES)
    except FrameError:
        return
    assert set(found) <= set(NAMES)


@given(st.dictionaries(st.sampled_from([*SOUND, "line", "file"]), HEADERS))
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

    found = answer(message, safetensors.torch.save({"dx": torch.ones(2)}))

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
