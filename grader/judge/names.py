"""The names that a student brought from another lesson, and those that belong there in this course."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.course import Exercise
from grader.diagnose import LIKELY, Diagnosis
from grader.results import ExerciseFeedback, GradientFeedback
from grader.sandbox.answer import Names, Outcome
from grader.text import one_line
from grader.verdict.compare import Verdict

_UNKNOWN = re.compile(r"NameError: name '(\w+)' is not defined$")
_NOT_IN_CACHE = re.compile(r"AttributeError: 'types\.SimpleNamespace' object has no attribute '(\w+)'$")
_MISSING_KEY = re.compile(r"KeyError: '(\w+)'$")
_NO_KEY = re.compile(r"returned a dict with the key '(\w+)'; ")
_WRONG_LENGTH = re.compile(r"returned \d+ values?, expected \d+: ")
_PARAMETERS = re.compile(r"TypeError: \w+\((.*?)\)(?: -> .*?)? does not take what the exercise gives, ")
_AS_DICT = "'types.SimpleNamespace' object is not subscriptable"
_AS_TUPLE = "cannot unpack non-iterable types.SimpleNamespace object"
# What comes of a cache in an order that is read as something else, or in another order.
_NOT_IN_ORDER = re.compile(r"AttributeError: '(?:tuple|numpy\.ndarray|Tensor)' object has no attribute '(\w+)'$")
_BY_KEY = "TypeError: tuple indices must be integers or slices, not str"
_UNFIT = re.compile(r"(?:TypeError|ValueError|IndexError): ")
IMPORTS = {
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "math": "import math",
}
_OF_PYTHON_2 = {"xrange": "range", "raw_input": "input", "unicode": "str", "basestring": "str", "long": "int"}
SIZES = frozenset({"n", "N", "m", "B", "batch_size", "vocab_size", "n_embd", "n_hidden", "block_size", "hidden_size"})


def explain_names(
    message: str, exercise: Exercise, values: Mapping[str, object], also_called: Mapping[str, Sequence[str]]
) -> str:
    """Return a message of a student's function with the name that belongs there, where it is about one that does not.

    `values` are those of the forward pass by name, and `also_called` what other lessons call them.
    """
    names = _Names(exercise, values, also_called)
    said = names.explain(message)
    return f"{message}; {said}" if said else message


def ask_about_names(
    feedback: ExerciseFeedback,
    exercise: Exercise,
    values: Mapping[str, object],
    also_called: Mapping[str, Sequence[str]],
    own: Names,
) -> ExerciseFeedback:
    """Ask in a function's feedback about names that it computes and does not return, where they are nearly right.

    `own` are the names in the function.
    """
    names = _Names(exercise, values, also_called)
    if feedback.outcome is Outcome.BAD_RETURN and _WRONG_LENGTH.match(feedback.message):
        said = names.compare_order(own)
        return replace(feedback, message=f"{feedback.message}; {said}") if said else feedback
    if feedback.outcome not in (Outcome.RETURNED, Outcome.NOT_WRITTEN, Outcome.RAISED):
        return feedback
    end = feedback.line if feedback.outcome is Outcome.RAISED else None
    if feedback.outcome is Outcome.RAISED and (end is None or feedback.file != own.file):
        return feedback

    def ask(gradient: GradientFeedback) -> GradientFeedback:
        if gradient.verdict is not Verdict.NOT_RETURNED or gradient.note or gradient.diagnosis:
            return gradient
        question = names.ask_about_absent(gradient.name, own, end)
        return replace(gradient, diagnosis=Diagnosis("name", question, LIKELY)) if question else gradient

    return replace(feedback, gradients=tuple(map(ask, feedback.gradients)))


class _Names:
    def __init__(
        self, exercise: Exercise, values: Mapping[str, object], also_called: Mapping[str, Sequence[str]]
    ) -> None:
        self._given = exercise.given
        self._function = exercise.function
        self._gradients = exercise.gradient_names
        self._cache = exercise.cache or ()
        self._settings = {name: list(map(str, each)) for name, each in values.items() if isinstance(each, dict)}
        self._returns = exercise.returns
        self._is_own = exercise.cache_of is not None
        known = [name for name in values if not self._cache or name in (*self._cache, *exercise.given)]
        self._values = ["dout", *known] if "dout" in exercise.given else known
        self._aliases = {alias.lower(): name for name, aliases in also_called.items() for alias in aliases}

    def explain(self, message: str) -> str:
        """Say what is to be said of a message, or nothing."""
        if (found := _UNKNOWN.search(message)) and not (self._is_own and found[1] not in {*IMPORTS, *_OF_PYTHON_2}):
            return self._about_unknown(found[1])
        if found := _NOT_IN_CACHE.search(message):
            return self._about_cache(found[1])
        if found := _NO_KEY.match(message):
            right = self._find(found[1], self._gradients)
            return _called(found[1], right) if right else ""
        if (found := _MISSING_KEY.search(message)) and self._settings:
            have = " and ".join(f"{name} has {', '.join(keys)}" for name, keys in self._settings.items())
            return have if all(found[1] not in keys for keys in self._settings.values()) else ""
        if found := _PARAMETERS.match(message):
            return self._about_parameters(found[1])
        if self._is_own:
            return ""  # a cache of the student's own
        if self._cache:
            return self._about_order(message)
        first = next((name for name in self._values if name != "dout"), "x")
        if message.endswith(_AS_DICT):
            return f"cache is no dict: write cache.{first}, not cache['{first}']"
        if message.endswith(_AS_TUPLE):
            return f"cache holds every value by its name: write {first} = cache.{first}"
        return ""

    def compare_order(self, own: Names) -> str:
        """Say which gradients a return statement of the wrong length leaves out, or what is none of them."""
        meant = [self._find(name, self._gradients) for name in own.order]
        left_out = [name for name in self._gradients if name not in meant]
        found = zip(own.order, meant, strict=True)
        strange = [name for name, right in found if not right and name not in self._returns]
        twice = [name for name in self._gradients if meant.count(name) > 1]
        if twice:
            return f"{' and '.join(twice)} is in line {own.line} twice"
        if left_out and not strange and own.order:
            return f"line {own.line} leaves out {', '.join(left_out)}"
        if strange and not left_out and all(strange):
            return f"{', '.join(strange)} in line {own.line} is none of them"
        return ""

    def ask_about_absent(self, gradient: str, own: Names, end: int | None) -> str:
        """Ask whether a name that a function computes is meant to be a gradient that is not there, or say nothing.

        Where the function raised, only what stands before that line was computed.
        """
        made = {name: line for name, line in own.made.items() if end is None or line < end}
        place = "" if own.file.endswith(".py") else f"{own.file} "
        is_none = end is None and gradient in own.returned
        said = f"{gradient} is {'None' if is_none else 'not there'}"
        if gradient in made and own.returned.get(gradient) != gradient and end is None:
            return f"{said} in what you return; is the one that you computed in {place}line {made[gradient]} meant?"
        taken = {*self._gradients, *self._values, *self._given, *own.returned.values()}
        near = [name for name in made if name not in taken and self._find(name, self._gradients) == gradient]
        if not near:
            return ""
        best = max(near, key=lambda name: difflib.SequenceMatcher(None, _plain(name), _plain(gradient)).ratio())
        return f"{said}; is {best}, which you computed in {place}line {made[best]}, meant to be it?"

    def _about_order(self, message: str) -> str:
        """Say what a cache in an order holds, where a message may be about that."""
        found = _NOT_IN_ORDER.search(message)
        if message.endswith(_BY_KEY) or (found and found[1] in self._values):
            return f"cache is {self._order}: write {self._unpacked}"
        if _UNFIT.match(message):
            return f"is the cache unpacked as {self._unpacked}?"
        return ""

    @property
    def _order(self) -> str:
        names = ", ".join(self._cache)
        return f"the tuple of {names}" if len(self._cache) > 1 else f"{names} itself"

    @property
    def _unpacked(self) -> str:
        return f"{', '.join(self._cache)} = cache"

    def _about_unknown(self, name: str) -> str:
        if name in _OF_PYTHON_2:
            return f"{name} is Python 2's; write {_OF_PYTHON_2[name]}"
        if name in IMPORTS:
            return f"write `{IMPORTS[name]}` at the top of the file"
        right = self._find(name, [*self._values, *self._gradients])
        if right in self._gradients:
            return _called(name, right) if right != name else ""
        if right:
            return f"{_called(name, right)}{self._where(right)}" if right != name else self._where(right).lstrip("; ")
        if name in SIZES:
            inside = self._cache[0] if self._cache else f"cache.{self._values[0]}"
            first = next((each for each in self._given if each not in ("cache", "p")), inside)
            return f"sizes are not given and change from case to case: take them from a shape, as in {first}.shape[0]"
        return ""

    def _where(self, name: str) -> str:
        """Say where a value of the forward pass is to be had."""
        if "cache" in self._given and name != "dout":
            return f"; write {self._unpacked}" if self._cache else f"; write cache.{name}"
        if name in self._given:
            return ""
        return f"; {name} is not given to {self._function}, which gets {', '.join(self._given)}"

    def _about_cache(self, name: str) -> str:
        right = self._find(name, [*self._gradients, *self._values])
        if right == "dout":
            return "dout is a parameter of its own, beside cache"
        if right in self._values:
            return f"{_called(name, right)}; write cache.{right}"
        if right:
            return "cache holds the values of the forward pass, and no gradients: those are yours to compute"
        return f"cache has {', '.join(self._values)}"

    def _about_parameters(self, signature: str) -> str:
        own = [part.partition(":")[0].partition("=")[0].strip(" *") for part in signature.split(",")]
        pairs = [(name, self._find(name, self._given)) for name in own if name not in self._given]
        called = [_called(one_line(name, 60), right) for name, right in pairs if right]
        return "; ".join([*called, f"write `def {self._function}({', '.join(self._given)}):`"])

    def _find(self, name: str, known: Sequence[str]) -> str:
        """Return which of the known names is meant, or nothing."""
        if name in known:
            return name
        alias = self._alias(name)
        if alias in known:
            return alias
        plain = {_plain(each): each for each in known}
        if _plain(name) in plain:
            return plain[_plain(name)]
        near = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.85) if len(name) > 3 else []
        return plain[near[0]] if near else ""

    def _alias(self, name: str) -> str:
        """Return what another lesson's name of a value, or of its gradient, is here."""
        if name.lower() in self._aliases:
            return self._aliases[name.lower()]
        inner = self._aliases.get(name[1:].lower(), "")
        return f"d{inner}" if name.startswith("d") and inner else ""


def _called(name: str, right: str) -> str:
    return f"{name} is called {right} here"


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
