"""Text that a student controls: nothing of it moves a cursor, hides or floods."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.text import clean, decode, one_line

# What comes in, and what is shown of it.
SHOWN = {
    "plain": ("dW = x.T @ dout", "dW = x.T @ dout"),
    "accents, signs and emoji": ("été ∂L/∂W ≤ 日本 🎓", "été ∂L/∂W ≤ 日本 🎓"),
    "lines and tabs": ("a\n\tb\n", "a\n\tb\n"),
    "the lines of Windows and of old": ("a\r\nb\rc", "a\nb\nc"),
    "colour": ("\x1b[1;38;5;196mred\x1b[0m", "red"),
    "a cleared screen": ("\x1b[2J\x1b[Hhidden", "hidden"),
    "a private mode": ("\x1b[?25lx", "x"),
    "a hyperlink (OSC 8)": ("\x1b]8;;https://example.com\x1b\\here\x1b]8;;\x1b\\", "here"),
    "a clipboard write (OSC 52)": ("\x1b]52;c;cm0gLXJm\x07x", "x"),
    "a window title without an end": ("x\x1b]0;Full marks", "x"),
    "a reset": ("\x1bcx", "x"),
    "a saved cursor": ("\x1b7x\x1b8", "x"),
    "another character set, as tput sends it": ("\x1b(B\x1b[mx", "x"),
    "a sequence inside a sequence": ("\x1b\x1b[31m[31mx", "[31mx"),
    "a sequence in one byte": ("\x9b31mx", "x"),
    "a title in one byte": ("\x9d0;Full marks\x9cx", "x"),
    "an escape alone": ("x\x1b", "x"),
    "a bell, a backspace, a NUL, a delete": ("a\x07b\x08c\x00d\x7f", "abcd"),
    "a next line": ("a\x85b", "ab"),
    "right to left": ("a\u202eb\u202c", "a\\u202eb\\u202c"),
    "an isolate": ("a\u2066b\u2069", "a\\u2066b\\u2069"),
    "zero width": ("a\u200bb\u200d\ufeffc", "a\\u200bb\\u200d\\ufeffc"),
    "a soft hyphen": ("a\xadb", "a\\u00adb"),
    "a line separator": ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
    "half of a pair": ("a\ud800b", "a\\ud800b"),
    "a private character": ("a\ue000b", "a\\ue000b"),
    "a tag beyond four digits": ("a\U000e0041b", "a\\U000e0041b"),
    "markup stays what it is": ("<b>[red]&amp;", "<b>[red]&amp;"),
}
DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN)
def test_what_is_shown_of_a_text(text, shown):
    assert clean(text, 100) == shown


@given(st.text(), st.integers(1, 50), st.sampled_from(["head", "tail"]))
def test_no_text_brings_a_control_through(text, limit, keep):
    shown = clean(text, limit, keep=keep)

    assert not [each for each in shown if each not in "\n\t" and unicodedata.category(each) in DANGEROUS]


@given(st.text(alphabet=st.sampled_from("\x1b[]\\0;m\x07(B\x9b\x9d\x9ca1J ")))
def test_no_mix_of_sequences_brings_an_escape_through(text):
    assert not set(clean(text, 200)) & set("\x1b\x07\x9b\x9d\x9c")


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_a_harmless_text_is_shown_as_it_is(text):
    assert clean(text, max(len(text), 1)) == text


def test_of_a_long_text_the_head_is_kept_and_the_rest_counted():
    assert clean("a" * 10 + "b" * 90, 10) == "aaaaaaaaaa ... (90 more characters)"


def test_of_a_long_text_the_tail_is_kept_where_that_says_more():
    assert clean("a" * 90 + "b" * 10, 10, keep="tail") == "(90 characters before) ... bbbbbbbbbb"


def test_a_text_as_long_as_the_limit_is_whole():
    assert clean("a" * 10, 10) == "a" * 10


@given(st.text(min_size=1), st.integers(1, 20))
def test_what_is_shown_is_bounded_whatever_it_is_made_of(text, limit):
    assert len(clean(text * 20, limit)) <= 10 * limit + 40


def test_an_escape_that_the_limit_cuts_is_still_taken_out():
    assert "\x1b" not in clean("abc\x1b[31mdef", 5)


def test_one_line_folds_every_kind_of_space():
    assert one_line("  a\n\n b\t\x0bc\r\nd\u3000e ", 100) == "a b c d e"


def test_one_line_is_cut_as_well():
    assert one_line("a\n" * 100, 6) == "a a a ... (194 more characters)"


@given(st.binary())
def test_any_bytes_are_text(data):
    assert isinstance(decode(data), str)


def test_bytes_that_are_no_text_are_shown_as_escapes():
    assert decode(b"caf\xe9 \xc3\xa9") == "caf\\xe9 é"
