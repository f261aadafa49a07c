"""A course folder read: its files checked, and everything that is wrong in them said at once, in an author's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from grader.course.fields import FOLDER, GRADIENTS, NAME, RUBRICS, SIZES
from grader.course.rubric import Arrays, Course, Exercise, InvariantKind, Rubric, Style
from grader.course.yaml import Document, Place, Route, Section, read_document
from grader.errors import CourseError

# The nouns that are a file each.
File = TypeVar("File", Course, Rubric)
COURSE, RUBRIC = TypeAdapter(Course), TypeAdapter(Rubric)


def default_course() -> Path:
    """Return the folder of the course that is installed with the package, or of the checkout it runs from."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "installed_course"
    return installed if installed.is_dir() else package.parent


def load_course(folder: Path) -> Course:
    """Read course.yaml and every rubric.yaml of the course in `folder`.

    Raises CourseError with one line, `path:line:column: what is wrong`, for every problem in every file.
    """
    path = folder / "assignments" / "course.yaml"
    if not _is_there(path):
        raise CourseError(
            [f"{folder} is not a course: {path} is not there; --course takes the folder above assignments/"]
        )
    document = read_document(path)
    course = _validate(document, Course, COURSE, {RUBRICS: (), FOLDER: folder})
    problems: list[str] = []
    rubrics: list[Rubric] = []
    for index, (name, listed) in enumerate(zip(course.names, course.assignments, strict=True)):
        place = document.place(("assignments", index))
        if name in course.names[:index]:
            problems.append(f"{place}: the assignment {name!r} is listed twice; remove one")
        elif not (path.parent / name / "rubric.yaml").is_file():
            problems.append(f"{place}: {path.parent / name / 'rubric.yaml'} is not there")
        else:
            try:
                rubrics.append(replace(load_rubric(path.parent / name), optional=listed.optional))
            except CourseError as error:
                problems.extend(error.problems)
    for week, names in course.weeks.items():
        place = document.place(("weeks", week), key=True)
        known = ", ".join(course.names)
        problems += [
            f"{place}: {name!r} is no assignment of the course; there are {known}"
            for name in names
            if name not in course.names
        ]
        if week in course.names:
            problems.append(f"{place}: {week!r} is the name of an assignment; give the week another one")
    owners: dict[str, Rubric] = {}
    for rubric in rubrics:
        for exercise in rubric.exercises:
            owner = owners.setdefault(exercise.function, rubric)
            if owner is not rubric:
                problems.append(f"{exercise.place}: {exercise.function} is an exercise of {owner.name} already")
            problems.extend(_find_stranger(exercise.reference, exercise.place, course))
            for loan in exercise.mistakes_of:
                problems.extend(_find_stranger(loan.path, loan.place, course))
    if problems:
        raise CourseError(problems)
    return replace(course, rubrics=tuple(rubrics))


def _find_stranger(path: Path, place: Place, course: Course) -> list[str]:
    """Return a line if a file is of no assignment of the course, and not one that a release has brought along."""
    name, known = path.parent.name, course.names
    is_brought = path.is_file() and not (path.parent / "rubric.yaml").is_file()
    return (
        []
        if name in known or is_brought
        else [f"{place}: {name!r} is no assignment of the course; there are {', '.join(known)}"]
    )


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be searched
        return False


def load_rubric(folder: Path) -> Rubric:
    """Read the rubric.yaml of one assignment folder.

    Raises CourseError with one line, `path:line:column: what is wrong`, for every problem in it.
    """
    document = read_document(folder / "rubric.yaml")
    rubric = _validate(document, Rubric, RUBRIC, {NAME: folder.name, FOLDER: folder})
    for exercise in rubric.exercises:
        _check_names(exercise, document)
    if document.problems:
        raise CourseError(document.problems)
    return rubric


def _check_names(exercise: Exercise, document: Document) -> None:
    """Complain of what one part of an exercise says of another that does not hold."""
    function = exercise.function
    names = [case.name for case in exercise.cases]
    for index, name in enumerate(names):
        if name in names[:index]:
            place = document.place(("exercises", function, "cases", index, "name"))
            document.complain(place, f"the case {name!r} is named twice; give it a name of its own")
    if exercise.style is Style.STATEMENTS and "cache" not in exercise.given:
        text = f"`given` of {function} must name cache: statements have every value of the forward by name"
        document.complain(exercise.place, text)
    if exercise.style is Style.STATEMENTS and exercise.timing:
        document.complain(exercise.timing.place, f"{function} is statements, and only a function can be timed")
    elif exercise.timing and exercise.returns:
        document.complain(exercise.timing.place, f"{function} is timed, and must return its gradients and nothing else")
    elif exercise.timing and (exercise.arrays is not Arrays.TORCH or exercise.cache or exercise.cache_of):
        text = f"{function} is timed beside autograd: it must take torch tensors, and the cache by name"
        document.complain(exercise.timing.place, text)
    if exercise.style is Style.STATEMENTS and exercise.arrays is not Arrays.TORCH:
        document.complain(
            exercise.place, f"{function} is statements, whose values are torch tensors; take `arrays` out"
        )
    _check_cache(exercise, document)
    _check_returns(exercise, document)
    for index, name in enumerate(exercise.outputs):
        place = document.place(("exercises", function, "outputs", index))
        if name in exercise.outputs[:index]:
            document.complain(place, f"the output {name!r} is named twice; remove one")
        if f"d{name}" in exercise.gradient_names:
            text = f"d{name} is the upstream gradient of an output, so it is given and cannot be asked for"
            document.complain(place, text)
    for loan in exercise.mistakes_of:
        for name in loan.gradients:
            if name not in exercise.gradient_names:
                document.complain(loan.place, f"`mistakes_of` names {name!r}, which {function} does not return")
    for invariant in exercise.invariants:
        place, kind = invariant.place, invariant.kind
        for name in invariant.of:
            if name not in exercise.gradient_names:
                document.complain(place, f"`of` names {name!r}, which {function} does not return")
        if kind is InvariantKind.SUMS_TO_ZERO and (invariant.dim is None or not invariant.of):
            document.complain(place, "sums_to_zero needs `of`, the gradients, and `dim`, the axis to sum over")
        if kind is InvariantKind.LINEAR and not set(exercise.upstream_names).intersection(exercise.given):
            upstream = " and ".join(exercise.upstream_names)
            document.complain(place, f"linear is about {upstream}, which {function} is not given")
    timing = exercise.timing
    if timing and timing.case not in names:
        document.complain(timing.place, f"`case` names {timing.case!r}; the cases are {', '.join(names)}")
    elif timing and exercise.shown and timing.case not in [case.name for case in exercise.shown.cases]:
        text = f"`case` names {timing.case!r}, which is hidden, and students see the times; name a case that they see"
        document.complain(timing.place, text)


def _check_cache(exercise: Exercise, document: Document) -> None:
    """Complain of an order of the cache that cannot be kept, or of a maker that cannot make it."""
    if exercise.cache_of is not None:
        place = document.place(("exercises", exercise.function, "cache_of"), key=True)
        if len(exercise.cache_of) != 1:
            document.complain(place, "`cache_of` is one function and what it is given, {affine_forward: [x, w, b]}")
        if "cache" not in exercise.given or exercise.cache is not None or exercise.style is Style.STATEMENTS:
            text = f"{exercise.function} must be given a cache, and have no other: write given: [dout, cache]"
            document.complain(place, text)
    if exercise.cache is None:
        return
    place = document.place(("exercises", exercise.function, "cache"), key=True)
    if "cache" not in exercise.given:
        document.complain(place, f"{exercise.function} is not given a cache; write given: [dout, cache]")
    if exercise.style is Style.STATEMENTS:
        text = f"{exercise.function} is statements, which have every value by name; take `cache` out"
        document.complain(place, text)
    for index, name in enumerate(exercise.cache):
        if name in exercise.cache[:index]:
            document.complain(place, f"`cache` names {name!r} twice; remove one")


def _check_returns(exercise: Exercise, document: Document) -> None:
    """Complain of an order of what is returned in which the gradients are not what they are elsewhere."""
    if not exercise.returns:
        return
    place = document.place(("exercises", exercise.function, "returns"), key=True)
    for name in exercise.gradient_names:
        if exercise.returns.count(name) != 1:
            document.complain(place, f"`returns` must name {name} once, beside what else {exercise.function} returns")
    for index, name in enumerate(exercise.returns):
        if name in exercise.returns[:index] and name not in exercise.gradient_names:
            document.complain(place, f"`returns` names {name!r} twice; remove one")
    if exercise.style is Style.STATEMENTS:
        document.complain(place, f"{exercise.function} is statements, which return nothing; take `returns` out")


def _validate(document: Document, noun: type[File], schema: TypeAdapter[File], filled: Mapping[str, object]) -> File:
    """Return a document as a noun, with what no file says `filled` in. Raises CourseError with every misfit."""
    data = document.data
    if data is not None:
        try:
            found = schema.validate_python({**data, **filled} if isinstance(data, Section) else data)
        except ValidationError as error:
            for detail in error.errors():
                _complain(document, detail, noun)
    if document.problems:
        raise CourseError(document.problems)
    return found


def _complain(document: Document, detail: ErrorDetails, noun: Any) -> None:
    # The sizes of a case stand beside its name, the gradients of a loan right behind it.
    route: Route = tuple(part for part in detail["loc"] if part not in (SIZES, GRADIENTS))
    # Of a key that does not fit, pydantic's route ends in the key and "[key]"; a key may have that name, too.
    of_key = route[-1:] == ("[key]",) and route not in document.keys
    if of_key:
        route = route[:-1]
    if not document.is_unread(route):
        place = document.place(route, key=of_key or detail["type"] == "unexpected_keyword_argument")
        document.complain(place, _explain(detail, route, noun))


def _explain(detail: ErrorDetails, route: Route, noun: Any) -> str:
    kind, value = detail["type"], detail["input"]
    name = _name(route)
    context = detail.get("ctx", {})
    match kind:
        case "unexpected_keyword_argument":
            return f"unknown key {name!r}; {_suggest(name, keys_of(_noun_at(noun, route[:-1])))}"
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
        case "bool_type":
            return f"{name} must be true or false, not {_shown(value)}"
        case "string_type":
            return f"{name} must be text, not {_shown(value)}; put it in quotes"
        case "string_pattern_mismatch" if "^d" in context.get("pattern", ""):
            return f"{value!r} is not the name of a gradient; write d followed by the name of its value, as in dW"
        case "string_pattern_mismatch" if route == ("language",):
            return f"{value!r} is no code of a language; write en, de, pt-BR or the like"
        case "string_pattern_mismatch" if r"\." in context.get("pattern", ""):
            form = "write FUNCTION, or ASSIGNMENT.FUNCTION of another assignment"
            return f"{value!r} is not the name of a function; {form}"
        case "string_pattern_mismatch":
            return f"{value!r} is not a Python name"
        case "string_too_short" | "too_short":
            return f"{name} must not be empty"
        case "list_type" | "tuple_type":
            return f"{name} must be a list, not {_shown(value)}; write [a, b] or one line for each with '- '"
        case "dict_type" | "dataclass_type":
            return f"{name} must be a mapping of keys to values, not {_shown(value)}"
        case "enum":
            return f"{name} must be one of {context['expected']}, not {_shown(value)}"
        case "size" if isinstance(value, bool):
            text = f"{name} is {str(value).lower()}, and the input maker is given numbers and texts"
            return f"{text}; write {name}: {int(value)}"
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


def keys_of(noun: type) -> list[str]:
    """Return the keys that a noun has in its file, those that must be there first."""
    hints = get_type_hints(noun, include_extras=True)
    own = [each for each in fields(noun) if not _is_filled(hints[each.name])]
    return [each.name for each in sorted(own, key=lambda each: {each.default, each.default_factory} != {MISSING})]


def _is_filled(hint: Any) -> bool:
    return any(isinstance(each, FieldInfo) and each.validation_alias is not None for each in get_args(hint)[1:])


def _noun_at(noun: Any, route: Route) -> Any:
    """Return the noun that stands at `route` of a file."""
    for part in route:
        if is_dataclass(noun):
            noun = get_type_hints(noun)[str(part)]
            noun = get_args(noun)[0] if type(None) in get_args(noun) else noun
        else:
            noun = get_args(noun)[0]
    return noun
