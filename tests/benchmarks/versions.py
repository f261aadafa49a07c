"""The course, honest answers and the ways to autograd under other versions of torch: `make versions`.

Each version gets an environment of its own in a temporary folder, from the index of wheels without CUDA unless another
one is named. In it: the names of torch that the guard refuses and this torch lacks, `grade check`, every right answer
written otherwise with its flags, and every way to autograd with what it came to.
"""

# ruff: noqa: T201 # it prints what it finds

from __future__ import annotations

import argparse
import ast
import itertools
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The oldest that pyproject.toml allows, with the numpy of its time, and the newest there is.
VERSIONS = ("torch==2.2.2 numpy<2", "torch")
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
SUBMISSIONS = ROOT / "tests" / "submissions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])  # type: ignore[union-attr] # it is there
    parser.add_argument("versions", nargs="*", help='what to install, as "torch==2.2.2 numpy<2"')
    parser.add_argument("--index", default=CPU_WHEELS, help="where wheels of torch are; none: the one of pip")
    parser.add_argument("--here", action="store_true", help="run with the torch that is installed here, and no other")
    arguments = parser.parse_args()
    if arguments.here:
        sys.exit(look_here())
    failed = [each for each in arguments.versions or VERSIONS if not look_at(each, arguments.index)]
    sys.exit(f"not looked at, or not right: {', '.join(failed)}" if failed else 0)


def look_at(wanted: str, index: str) -> bool:
    """Make an environment with these packages and look around in it; False if it cannot be had, or holds a fault."""
    print(f"\n== {wanted}", flush=True)
    with tempfile.TemporaryDirectory(prefix="versions-") as folder:
        python = Path(folder) / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        where = [] if index == "none" else ["--index-url", index, "--extra-index-url", "https://pypi.org/simple"]
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        for packages in ([*where, *wanted.split()], ["-e", str(ROOT), *wanted.split()]):
            if subprocess.run([*pip, *packages], check=False).returncode:
                print("   it can't be installed from there")
                return False
        return subprocess.run([python, __file__, "--here"], check=False).returncode == 0


def look_here() -> int:
    """Print what holds with the torch of this process; return how much does not."""
    sys.path.insert(0, str(ROOT))
    from grader.course import load_course
    from grader.flags import weight
    from grader.grading import Grader
    from grader.sandbox.guest.guard import Guard
    from grader.sandbox.warm import start_warm
    from grader.submission import Submission

    print(f"   Python {sys.version.split()[0]}, torch {version('torch')}, numpy {version('numpy')}")
    command = [sys.executable, "-m", "grader", "check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"   grade check: {'holds' if checked.returncode == 0 else checked.stdout[-2000:] + checked.stderr[-2000:]}")
    course = load_course(ROOT)
    everything, linear = Grader(course), Grader(course, only=["linear"])
    wrong: list[str] = []
    flags: Counter[str] = Counter()
    outcomes: dict[str, list[str]] = {}
    with start_warm() as warm:
        honest = list(_honest())
        # A later assignment imports what was written for an earlier one.
        solutions = {path.name: path.read_bytes() for path in (ROOT / "solutions").glob("*.py")}
        for file, function, source in honest:
            report = everything.grade(Submission("s", {**solutions, file: source}, {}), warm)
            (exercise,) = [each for part in report.selected for each in part.exercises if each.function == function]
            if any(gradient.verdict.value != "correct" for gradient in exercise.gradients):
                wrong.append(function)
            flags.update(flag.kind for flag in exercise.flags if weight(flag.kind))
        for name, source in _attacks():
            (exercise,) = linear.grade(Submission("s", {"linear.py": source}, {}), warm).selected[0].exercises
            paid = exercise.score == exercise.max_score
            told = any(weight(flag.kind) for flag in exercise.flags)
            ended = ("paid, and flagged" if told else "PAID WITHOUT A FLAG") if paid else "not paid"
            outcomes.setdefault(ended, []).append(name)
    print(f"   {len(honest)} right answers: {len(wrong)} judged wrong {wrong or ''}, flags: {dict(flags) or 'none'}")
    for ended, names in sorted(outcomes.items()):
        print(f"   {len(names)} ways to autograd {ended}: {', '.join(names)}")
    guard = Guard()  # last: it changes the torch of this process
    print(f"   names that this torch lacks: {', '.join(guard.lacking) or 'none'}")
    print(f"   torch's own derivatives are refused by {'kernel' if guard.refuses_kernels else 'name, and logged'}")
    return len(wrong) + len(flags) + len(outcomes.get("PAID WITHOUT A FLAG", ())) + checked.returncode


def _honest() -> Iterator[tuple[str, str, bytes]]:
    for path in sorted((ROOT / "tests" / "honest").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and "__" in node.name:
                function = node.name.partition("__")[0]
                yield path.name, function, f"{source}\n\n{function} = {node.name}\n".encode()


def _attacks() -> Iterator[tuple[str, bytes]]:
    for path in sorted(itertools.chain(SUBMISSIONS.glob("autograd_*.py"), SUBMISSIONS.glob("derivative_*.py"))):
        yield path.stem, path.read_bytes()


if __name__ == "__main__":
    main()
