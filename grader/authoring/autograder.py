"""What Gradescope takes as an autograder: the grader as a wheel, the course, the pinned versions, and two scripts."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import grader
from grader.authoring.release import DATE, check_archive, course_files, select, write_archive
from grader.course import Course
from grader.errors import UsageError

PACKAGE = "backprop-grader"
SUFFIXES = (".py", ".html", ".css", ".typed")
# What only the CUDA build of torch needs.
_OF_CUDA = re.compile(r"(nvidia|cuda|triton)\b.*")
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)[^;]*(;(?P<marker>.*))?")

SETUP = """\
#!/usr/bin/env bash
# Run once by Gradescope, when the image is built.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y python3 python3-venv libseccomp2
python=python3
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    # An older Ubuntu has a newer Python beside its own.
    apt-get install -y python3.11 python3.11-venv
    python=python3.11
fi
[ -x /opt/grader/bin/python ] || "$python" -m venv /opt/grader
install() {{ /opt/grader/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps "$@"; }}
# The build without CUDA, which is ten times smaller.
install --index-url https://download.pytorch.org/whl/cpu torch=={torch}
install -r /autograder/source/requirements.txt
install --force-reinstall /autograder/source/{wheel}
"""
RUN = """\
#!/usr/bin/env bash
# Run by Gradescope for each hand-in, in /autograder.
exec /opt/grader/bin/python -m grader.batch.gradescope_runner /autograder
"""


@dataclass(frozen=True)
class Autograder:
    """The names of the files in an archive, and the points that the assignment in Gradescope is to have."""

    files: tuple[str, ...]
    points: float


def pack_autograder(course: Course, path: Path, only: Sequence[str], seed: int) -> Autograder:
    """Write an archive for Gradescope that grades the whole course, or `only` some weeks and assignments.

    Raises UsageError if that cannot be done, or for a name that the course does not have.
    """
    check_archive(path)
    part = select(course, only)
    wheel, content = make_wheel()
    versions = dict(_pinned(PACKAGE, {}))
    torch = versions.pop("torch")
    settings = {"seed": seed, "only": list(part.names) if only else []}
    contents = {f"course/{name}": content for name, content in course_files(course, part).items()}
    contents |= {
        "setup.sh": SETUP.format(torch=torch, wheel=wheel).encode(),
        "run_autograder": RUN.encode(),
        "requirements.txt": "".join(f"{name}=={version}\n" for name, version in sorted(versions.items())).encode(),
        "autograder.json": (json.dumps(settings) + "\n").encode(),
        wheel: content,
    }
    write_archive(path, contents, runnable=("setup.sh", "run_autograder"))
    points = sum(
        exercise.max_score for rubric in part.rubrics if only or not rubric.optional for exercise in rubric.exercises
    )
    return Autograder(tuple(sorted(contents)), round(points, 9))


def make_wheel() -> tuple[str, bytes]:
    """Return the name and content of a wheel of this very grader, without a course of its own."""
    found = _find(PACKAGE)
    root = Path(grader.__file__).parent
    files = {
        f"grader/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.suffix in SUFFIXES and "installed_course" not in path.parts
    }
    stem = f"{PACKAGE.replace('-', '_')}-{found.version}"
    info = f"{stem}.dist-info"
    files |= {
        f"{info}/METADATA": (found.read_text("METADATA") or "").encode(),
        f"{info}/entry_points.txt": (found.read_text("entry_points.txt") or "").encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: grade\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return f"{stem}-py3-none-any.whl", packed.getvalue()


def _pinned(name: str, seen: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the versions of all that a distribution needs, as they are installed here."""
    for requirement in _find(name).requires or ():
        match = _REQUIREMENT.match(requirement)
        if match is None or "extra" in (match["marker"] or ""):
            continue
        needed = re.sub(r"[-_.]+", "-", match["name"]).lower()
        if needed in seen or _OF_CUDA.fullmatch(needed):
            continue
        try:
            # A local part, as in 2.13.0+cpu, names a build; what is not installed here is for another system.
            seen[needed] = distribution(needed).version.partition("+")[0]
        except PackageNotFoundError:
            continue
        yield needed, seen[needed]
        yield from _pinned(needed, seen)


def _find(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise UsageError(f"{name} is not installed, so its versions are not known; pip install {name}") from error


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
