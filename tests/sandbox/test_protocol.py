"""The frame that grader and child exchange: its bounds, and that what is packed comes out again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.guest.protocol import HEADER, MAX_PAYLOAD, MAX_TEXT, FrameError, pack, unpack_header, unpack_text

# A frame's header, and why it is refused.
BAD_HEADERS = {
    "another beginning": (HEADER.pack(b"nope", 0, 0), "the answer is not in the grader's format"),
    "a text too long": (HEADER.pack(b"grad", MAX_TEXT + 1, 0), f"announces {MAX_TEXT + 1} bytes, more than any honest"),
    "a payload too long": (
        HEADER.pack(b"grad", 0, MAX_PAYLOAD + 1),
        f"announces {MAX_PAYLOAD + 1} bytes, more than any",
    ),
    "a payload of 2**64 bytes": (HEADER.pack(b"grad", 1, 2**64 - 1), f"announces {2**64} bytes, more than any honest"),
}
BAD_TEXTS = {
    "nothing": (b"", "the answer's text is not JSON"),
    "half of it": (b'{"id": 1', "the answer's text is not JSON"),
    "no text": (b"\xff\xfe\xfd", "the answer's text is not JSON"),
    "too deep": (b"[" * 100_000, "the answer's text is not JSON"),
    "a number of 5000 digits": (b"9" * 5000, "the answer's text is not JSON"),
    "a list": (b"[]", "the answer's text is not a JSON object"),
    "null": (b"null", "the answer's text is not a JSON object"),
}


@pytest.mark.parametrize(("header", "why"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_each_bad_header_of_a_frame_is_refused_by_name(header, why):
    with pytest.raises(FrameError) as caught:
        unpack_header(header)

    assert why in str(caught.value)


@pytest.mark.parametrize(("text", "why"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_each_bad_text_of_a_frame_is_refused_by_name(text, why):
    with pytest.raises(FrameError) as caught:
        unpack_text(text)

    assert why == str(caught.value)


def test_the_largest_frame_is_taken():
    assert unpack_header(HEADER.pack(b"grad", MAX_TEXT, MAX_PAYLOAD)) == (MAX_TEXT, MAX_PAYLOAD)


@given(st.binary(min_size=HEADER.size, max_size=HEADER.size))
def test_any_header_is_two_lengths_or_a_frame_error(header):
    try:
        text_length, payload_length = unpack_header(header)
    except FrameError:
        return
    assert text_length <= MAX_TEXT
    assert payload_length <= MAX_PAYLOAD


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0d8e1-.N').map(str.encode))
def test_any_text_is_an_object_or_a_frame_error(text):
    try:
        found = unpack_text(text)
    except FrameError:
        return
    assert isinstance(found, dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.binary(max_size=50))
def test_what_one_side_packs_the_other_unpacks(message, data):
    packed = pack(message, data)

    text_length, payload_length = unpack_header(packed[: HEADER.size])
    text = packed[HEADER.size : HEADER.size + text_length]

    assert unpack_text(text) == message
    assert packed[HEADER.size + text_length :] == data
    assert payload_length == len(data)
