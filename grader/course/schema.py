"""The shape of rubric.yaml and course.yaml, and pydantic's complaints in an author's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from grader.course.yaml import Document, Route

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# A function of this assignment, or with a dot of another one.
FunctionName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_][A-Za-z0-9_]*\.)?[A-Za-z_][A-Za-z0-9_]*$")]
GradientName = Annotated[str, StringConstraints(pattern=r"^d[A-Za-z_][A-Za-z0-9_]*$")]
Points = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _check_size(value: object) -> object:
    """Accept what an input maker can be given: numbers, text, and lists of them."""
    if isinstance(value, list):
        for part in value:
            _check_size(part)
    elif not isinstance(value, int | float | str) or isinstance(value, bool):
        # A bool is an int to Python, and `yes` and `no` are bools to YAML.
        raise PydanticCustomError("size", "must be a number, a text or a list of them")
    return value


Size = Annotated[Any, AfterValidator(_check_size)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Lines = Annotated[list[Text], BeforeValidator(_as_list)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ToleranceEntry(_Strict):
    """`{rtol: 1.0e-11, atol: 1.0e-13}`."""

    rtol: Positive
    atol: Positive


class GradientEntry(_Strict):
    """What one gradient earns."""

    points: Points
    tolerance: ToleranceEntry | None = None
    hints: list[Text] = []


class CaseEntry(BaseModel):
    """A named case; every other key is an argument of the input maker."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, Size]

    name: Text


class InvariantEntry(_Strict):
    """A property that right gradients have, looked at in the returned ones."""

    name: Text
    kind: Literal["sums_to_zero", "descent", "linear"]
    of: list[GradientName] = []
    dim: int | None = None
    step: Positive = 0.01
    points: Points = 0.0


class TimingEntry(_Strict):
    """How fast the function is to be, against autograd's backward on one of the cases."""

    case: Text
    ratio: Positive
    points: Points = 0.0


class ExerciseEntry(_Strict):
    """One function and what it is judged by; `maths` is the forward as TeX, one text or one for each line."""

    forward: FunctionName
    given: Annotated[list[Name], Field(min_length=1)]
    gradients: Annotated[dict[GradientName, GradientEntry], Field(min_length=1)]
    cases: Annotated[list[CaseEntry], Field(min_length=1)]
    detached: list[Name] = []
    maths: Lines = []
    mistakes_of: dict[FunctionName, Annotated[list[GradientName], Field(min_length=1)]] = {}
    tolerance: ToleranceEntry | None = None
    follow_through: Share | None = None
    invariants: list[InvariantEntry] = []
    timing: TimingEntry | None = None


class RubricEntry(_Strict):
    """The whole of a rubric.yaml."""

    format: Annotated[int, Field(ge=1, le=1)]
    title: Text
    exercises: Annotated[dict[Name, ExerciseEntry], Field(min_length=1)]
    tolerance: ToleranceEntry | None = None
    follow_through: Share = 1.0


class LimitsEntry(_Strict):
    """Limits of one submission."""

    call_seconds: Positive = 5.0
    submission_seconds: Positive = 60.0
    memory_mb: Annotated[int, Field(ge=64)] = 1024
    output_kb: Annotated[int, Field(ge=1)] = 256


class CourseEntry(_Strict):
    """The whole of a course.yaml."""

    format: Annotated[int, Field(ge=1, le=1)]
    title: Text
    assignments: Annotated[list[Name], Field(min_length=1)]
    limits: LimitsEntry = LimitsEntry()


Entry = TypeVar("Entry", bound=BaseModel)


def validate(document: Document, schema: type[Entry]) -> Entry | None:
    """Return the document as `schema`, or None with every misfit added to its problems."""
    try:
        return schema.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors():
            route: Route = detail["loc"]
            # Of a key that does not fit, pydantic's route ends in the key and "[key]"; a key may have that name, too.
            of_key = route[-1:] == ("[key]",) and route not in document.keys
            if of_key:
                route = route[:-1]
            if not document.is_unread(route):
                place = document.place(route, key=of_key or detail["type"] == "extra_forbidden")
                document.complain(place, _explain(detail, route, schema))
        return None


def _explain(detail: ErrorDetails, route: Route, schema: type[BaseModel]) -> str:
    kind, value = detail["type"], detail["input"]
    name = _name(route)
    context = detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return f"unknown key {name!r}; {_suggest(name, _keys_at(schema, route[:-1]))}"
        case "missing":
            return f"the key {name!r} is missing"
        case "float_type" | "int_type" if isinstance(value, str):
            return f"{name} is the text {value!r}, not a number{_as_number(value)}"
        case "float_type" | "int_type" | "int_from_float":
            return f"{name} must be a {'whole ' if kind != 'float_type' else ''}number, not {_shown(value)}"
        case "greater_than" | "greater_than_equal" | "less_than_equal":
            words = {"greater_than": "greater than", "greater_than_equal": "at least", "less_than_equal": "at most"}
            bound = next(iter(context.values()))
            return f"{name} must be {words[kind]} {bound:g}, not {_shown(value)}"
        case "finite_number":
            return f"{name} must be a finite number, not {_shown(value)}"
        case "string_type":
            return f"{name} must be text, not {_shown(value)}; put it in quotes"
        case "string_pattern_mismatch" if "^d" in context.get("pattern", ""):
            return f"{value!r} is not the name of a gradient; write d followed by the name of its value, as in dW"
        case "string_pattern_mismatch" if r"\." in context.get("pattern", ""):
            return (
                f"{value!r} is not the name of a function; write FUNCTION, or ASSIGNMENT.FUNCTION of another assignment"
            )
        case "string_pattern_mismatch":
            return f"{value!r} is not a Python name"
        case "string_too_short":
            return f"{name} must not be empty"
        case "too_short":
            return f"{name} must not be empty"
        case "list_type":
            return f"{name} must be a list, not {_shown(value)}; write [a, b] or one line for each with '- '"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{name} must be a mapping of keys to values, not {_shown(value)}"
        case "literal_error":
            return f"{name} must be one of {context['expected']}, not {_shown(value)}"
        case "size":
            return f"{name} {detail['msg']}, not {_shown(value)}"
        case _:
            return f"{name}: {detail['msg']}"


def _name(route: Route) -> str:
    if not route:
        return "the file"
    return f"{route[-2]}[{route[-1]}]" if isinstance(route[-1], int) and len(route) > 1 else str(route[-1])


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _as_number(text: str) -> str:
    exponent = re.fullmatch(r"([+-]?\d+)([eE][+-]?\d+)", text)
    if exponent:
        return f"; YAML reads {text} as text, write {exponent[1]}.0{exponent[2]}"
    return "; write it without quotes"


def _suggest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


def _keys_at(schema: type[BaseModel], route: Route) -> list[str]:
    """Return the keys that the schema knows at `route`."""
    found: Any = schema
    for part in route:
        if isinstance(found, type) and issubclass(found, BaseModel):
            found = found.model_fields[str(part)].annotation
            if isinstance(found, UnionType):
                found = get_args(found)[0]
        else:
            found = get_args(found)[-1]
    return list(found.model_fields) if isinstance(found, type) and issubclass(found, BaseModel) else []
