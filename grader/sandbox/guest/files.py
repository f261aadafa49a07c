"""The files of a submission as modules in memory. Runs in the confined child, and in the rehearsal."""

from __future__ import annotations

import ast
import codecs
import contextlib
import dis
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath
from types import CodeType, ModuleType
from typing import Any

from grader.sandbox.guest.lines import Passage, find_lines, find_names, is_stub
from grader.sandbox.guest.loading import Failure, Statement, find_needed, remember_lines, run_each, run_whole
from grader.sandbox.guest.look import Finding, look
from grader.sandbox.guest.notebook import Notebook, read_notebook, read_script

# Libraries that let old homework run in two Pythons, where they are not installed: all that it takes from them.
_BETWEEN_PYTHONS: Mapping[str, Mapping[str, Any]] = {
    "past": {},
    "past.builtins": {"xrange": range},
    "six": {},
    "six.moves": {"xrange": range, "range": range, "zip": zip, "map": map},
}
UTF_16 = "it is in UTF-16, and Python reads UTF-8; save it as UTF-8 (in Notepad: Save as, Encoding)"
# How something else than Python begins, or a line in it, and what to do about it.
FOREIGN = (
    (rb"\s*\{\s*\"(cells|worksheets|nbformat|metadata)\"\s*:", "it is a notebook; let its name end in .ipynb"),
    (rb"\{\\rtf", "it is rich text; save it as plain text (in TextEdit: Format, Make Plain Text)"),
    (rb"\s*<(!doctype|html)\b", "it is a web page; open it, press Raw or Download, and take that file"),
    (rb"PK\x03\x04", "it is a zip archive, or a document of an office program; hand in the file in it"),
    (rb"%PDF-", "it is a PDF; hand in the .py file itself"),
    (rb"version https://git-lfs", "it only points to a file in Git LFS; run `git lfs pull`, then try again"),
    (rb"(?m).*^<{7} ", "a merge was not finished (<<<<<<<, =======, >>>>>>>); choose one of the two versions"),
    (rb"(?m).*^>>> ", "it was copied from a console; take `>>>` and `...` off the lines"),
)


@dataclass(frozen=True)
class Problem:
    """Why a file could not be read, or where loading it stopped."""

    text: str
    file: str | None = None
    line: int | None = None


class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a submission's files from memory, after every installed module has been looked for."""

    def __init__(self, sources: Mapping[str, bytes], wanted: Collection[str] = (), first: str = "") -> None:
        self.sources = dict(sources)
        self._first = first
        self._wanted = frozenset(wanted)
        self._trees: dict[str, ast.Module] = {}
        self._code: dict[str, CodeType] = {}
        self._statements: dict[str, list[Statement]] = {}  # of a notebook, whose cells run only as far as needed
        self._parts: dict[str, list[str]] = {}
        self._versions: set[str] = set()  # what a cell would write over a file that differs
        self.defines: dict[str, list[str]] = {}  # of the wanted functions, those that a file may define
        self.unreadable: dict[str, Problem] = {}
        self.findings: dict[str, list[Finding]] = {}  # of each part: what is suspicious in its text
        self.loaded: dict[str, ModuleType] = {}
        self.failures: dict[str, list[Failure]] = {}
        for file, source in sources.items():
            if file.endswith(".ipynb"):
                self._open_notebook(file, source)
            elif (script := read_script(file, source)) is not None:
                self._take_apart(file, script)
        notebooks = [file for file in sources if file.endswith(".ipynb")]
        self.files = [file for file in self.sources if file.endswith(".py")]
        for file in self.files:
            if file not in self._parts:
                self._compile(file)
        # Of linear.ipynb and linear.py, `import linear` means the file.
        named = [file for file in self.files if file not in self._versions]
        self._names = {_module_name(file): file for file in [*notebooks, *named]}
        self.files += notebooks
        self._packages = {
            ".".join(name.split(".")[:depth]) for name in self._names for depth in range(1, name.count(".") + 1)
        }
        # A file called torch.py, or a folder called json, is never imported in place of the installed one.
        self._shadowed = {name for name in {name.split(".")[0] for name in self._names} if _is_installed(name)}
        sys.meta_path.append(self)

    @property
    def wanted(self) -> Collection[str]:
        """The functions that are asked for."""
        return self._wanted

    def candidates(self, function: str, home: str) -> list[str]:
        """Return the files that may define a function: those that do more than a template, then its home, go first."""
        files = [file for file in self.files if file == home or function in self.defines.get(file, ())]
        if len(files) > 1:
            unwritten = {file for file in files if not self._is_written(file, function)}
            files.sort(
                key=lambda file: (file in unwritten, file != self._first, file != home, file in self._versions, file)
            )
        return files

    def rivals(self, function: str, found: str, home: str) -> list[tuple[str, bool]]:
        """Return the other files that define a function otherwise, and whether it is written there."""
        others = [file for file in self.candidates(function, home) if file != found]
        own = list(map(ast.dump, self._definitions(found, function))) if others else []
        return [
            (file, self._is_written(file, function))
            for file in others
            if own and (defined := self._definitions(file, function)) and list(map(ast.dump, defined)) != own
        ]

    def _is_written(self, file: str, function: str) -> bool:
        definitions = self._definitions(file, function)
        if not definitions:
            return function in self.defines.get(file, ())  # made by an import, say
        # Of a notebook's cells the written one runs; elsewhere the last one counts.
        return not all(map(is_stub, definitions if file in self._statements else definitions[-1:]))

    def _definitions(self, file: str, function: str) -> list[ast.FunctionDef]:
        return [node for part in self.parts(file) for node in _definitions_in(self._tree(part), function)]

    def is_loaded(self, file: str) -> bool:
        """Return whether a file was run, to its end or not."""
        return file in self.loaded

    def load(self, file: str) -> None:
        """Run a file, if it was not run before; `failures` has what went wrong."""
        name = _module_name(file)
        if file in self.loaded:
            return
        try:
            if name.split(".")[0] in self._shadowed or self._names.get(name) != file:
                self._run(file, ModuleType(f"submission.{name}"))
            elif "." in name:
                importlib.import_module(name)
            else:
                # No installed module has the name: a search through all of their folders would end here.
                self._import(name)
        except BaseException as error:  # noqa: BLE001 # the import system's own refusal, of a module the file lies in
            if not self.failures.get(file):
                self.failures[file] = [Failure(error, file, 0, is_end=True)]

    def _import(self, name: str) -> None:
        spec = self.find_spec(name)
        assert spec is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise

    def function(self, file: str, name: str) -> Any:
        """Return the function that a loaded file defines, or None."""
        found = vars(self.loaded[file]).get(name) if file in self.loaded else None
        return found if callable(found) else None

    def other_functions(self, file: str) -> list[str]:
        """Return the names of functions in a loaded file that nobody asked for: one may be a slip of the pen."""
        names = [name for part in self.parts(file) for name in _functions_in(self._tree(part))]
        return [name for name in dict.fromkeys(names) if name not in self._wanted]

    def failure(self, file: str, name: str | None = None) -> Failure | None:
        """Return the statement that failed and was to bind a name, or the first of a file that is worth a word."""
        for each in self.failures.get(file, ()):
            # A library that is not here is missed by what uses it, and by nothing else.
            if name in each.binds if name else each.is_end or not isinstance(each.error, ModuleNotFoundError):
                return each
        return None

    def parts(self, file: str) -> list[str]:
        """Return the sources that a file runs: itself, or the cells of a notebook."""
        return self._parts.get(file, [file])

    def lines(
        self, function: str, gradients: Sequence[str], home: str
    ) -> tuple[str, dict[str, Passage], dict[str, Any]]:
        """Return the file or cell that defines a function, the line there that made each gradient, and its names."""
        files = dict.fromkeys([*self.candidates(function, home), *sorted(self.files)])
        # As where they run: of a notebook's cells the last one counts, and a stub only where nothing else is.
        parts = [part for file in files for part in reversed(self.parts(file))]
        defining = {part: found for part in parts if (found := _definitions_in(self._tree(part), function))}
        for part in sorted(defining, key=lambda part: is_stub(defining[part][-1])):
            tree = self._tree(part)
            places, names = (
                find_lines(tree, self.sources[part], function, gradients),
                find_names(tree, function, gradients),
            )
            if places or names["made"]:
                return part, places, names
        return home, {}, {}

    def definition(self, file: str, name: str, function: object) -> ast.FunctionDef | None:
        """Return the syntax that made a function of a loaded file; None if it is not a plain one of its text."""
        code = getattr(function, "__code__", None)
        for part in self.parts(file):
            for node in _definitions_in(self._tree(part), name):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                if (part, first) == (getattr(code, "co_filename", None), getattr(code, "co_firstlineno", None)):
                    return node
        return None

    def definitions(self, file: str) -> dict[str, ast.FunctionDef]:
        """Return the functions that a file defines, by name; of those with one name the last."""
        nodes = [node for part in self.parts(file) for node in self._tree(part).body]
        return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}

    def _tree(self, file: str) -> ast.Module:
        if file not in self._trees:
            self._trees[file] = ast.Module([], [])
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError), _no_warnings():
                self._trees[file] = ast.parse(self.sources[file])
        return self._trees[file]

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 # the import system passes it
        target: ModuleType | None = None,  # noqa: ARG002 # the import system passes it
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module among the submission's files; sys.meta_path asks here last."""
        if fullname.split(".")[0] in self._shadowed:
            return None
        file = self._names.get(fullname)
        if file is None and fullname not in self._packages and fullname in _BETWEEN_PYTHONS:
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        if file is None and fullname not in self._packages:
            return None
        is_package = file is None or PurePosixPath(file).name == "__init__.py" or fullname in self._packages
        return importlib.util.spec_from_loader(fullname, self, origin=file, is_package=is_package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let the import system make an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a file of the submission as this module."""
        file = self._names.get(module.__name__)
        if file is not None:
            self._run(file, module)
        elif module.__name__ not in self._packages:
            vars(module).update(_BETWEEN_PYTHONS.get(module.__name__, {}))

    def _run(self, file: str, module: ModuleType) -> None:
        module.__file__ = file
        module.__dict__["__builtins__"] = vars(sys.modules["builtins"])
        # Kept before it runs: a file that fails half-way still gives the functions defined before that line.
        self.loaded[file] = module
        failures = self.failures.setdefault(file, [])
        if file in self.unreadable:
            problem = self.unreadable[file]
            failures.append(Failure(SyntaxError(problem.text), file, problem.line or 0, is_end=True))
        elif file in self._statements:
            needed = find_needed(self._statements[file], self._wanted)
            failures.extend(run_each(needed, module.__dict__))
            # What failed and binds nothing that is needed, a plot say, is nobody's concern.
            names = self._wanted.union(*(each.reads for each in needed))
            failures[:] = [each for each in failures if names & each.binds]
        else:
            failures.extend(run_whole(self._code[file], partial(self._tree, file), module.__dict__))
        ends = [each.error for each in failures if each.is_end]
        if ends:
            raise ends[0]

    def _open_notebook(self, file: str, source: bytes) -> None:
        self._parts[file], self._statements[file], self.defines[file] = [], [], []
        try:
            notebook = read_notebook(file, source)
        except (ValueError, RecursionError, MemoryError) as error:
            self.unreadable[file] = Problem(str(error) or "nested too deeply", file)
            return
        self._take_apart(file, notebook)
        if notebook.language and not self.defines[file] and not notebook.written:
            text = f"a notebook in {notebook.language}, not in Python; the course's functions are Python functions"
            self.unreadable[file] = Problem(text, file)

    def _take_apart(self, file: str, notebook: Notebook) -> None:
        """Keep the cells of a notebook, which are parts of a file, and what it would write."""
        self._parts[file], statements = list(notebook.cells), []
        names: list[str] = []
        for cell, text in notebook.cells.items():
            # Under its own name a cell gives its own lines to a message.
            self.sources[cell] = text.encode("utf-8", errors="replace")
            self._compile(cell)
            names += self.defines.pop(cell, [])
            code = self._code.pop(cell, None)
            if code is not None:
                statements += [Statement(node, cell) for node in self._tree(cell).body]
            elif cell != file:
                problem = self.unreadable.pop(cell)
                lost = frozenset(re.findall(r"^(?:def\s+)?(\w+)\s*[=(]", text, re.MULTILINE))
                names += self._wanted & lost
                error = SyntaxError(problem.text.removeprefix("SyntaxError: "))
                self.failures.setdefault(file, []).append(Failure(error, cell, problem.line or 0, lost))
        self._statements[file], self.defines[file] = statements, list(dict.fromkeys(names))
        for name, (cell, written) in notebook.written.items():
            if name not in self.sources:
                self.sources[name] = written
            elif self.sources[name].split() != written.split():
                self._versions.add(f"{cell}, {name}")
                self.sources[f"{cell}, {name}"] = written

    def _compile(self, file: str) -> None:
        source = self.sources[file]
        if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.unreadable[file] = Problem(UTF_16, file)
            return
        if FOREIGN_NOTEBOOK.match(source):  # which Python may be able to read, and finds nothing in it
            self.unreadable[file] = Problem(FOREIGN[0][1], file)
            return
        try:
            with _no_warnings():
                code = compile(source, file, "exec", dont_inherit=True)
            self._code[file], self.defines[file] = code, sorted(_bound(code, self._wanted))
            self.findings[file] = look(file, source, [code])
        except SyntaxError as error:
            foreign = _foreign(source)
            text = f"{type(error).__name__}: {error.msg}"
            self.unreadable[file] = Problem(foreign or text, file, None if foreign else error.lineno)
        except (ValueError, RecursionError, MemoryError) as error:
            text = f"{type(error).__name__}: {str(error) or 'too large, or nested too deeply'}"
            self.unreadable[file] = Problem(_foreign(source) or text, file)
        remember_lines(file, source.decode("utf-8", errors="replace"))


FOREIGN_NOTEBOOK = re.compile(FOREIGN[0][0])


def _foreign(source: bytes) -> str:
    """Say what a file is that Python cannot read, if its bytes tell."""
    return next((said for begins, said in FOREIGN if re.match(begins, source, re.DOTALL | re.IGNORECASE)), "")


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _functions_in(tree: ast.Module) -> list[str]:
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def _definitions_in(tree: ast.Module, function: str) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]


def _module_name(file: str) -> str:
    parts = PurePosixPath(file).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _is_installed(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _bound(code: CodeType, wanted: frozenset[str]) -> set[str]:
    """Return which of the wanted names some code defines: by def or assignment, or as global in a function."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    found = set().union(*(_bound(each, wanted) for each in inner))
    named = wanted.intersection(code.co_names)
    if named.issubset(each.co_name for each in inner):
        return found | named  # a def of each, without a look at every instruction
    stored = {
        each.argval
        for before, each in pairwise(dis.get_instructions(code))
        # What is imported under its own name is defined elsewhere.
        if each.opname in ("STORE_NAME", "STORE_GLOBAL")
        and (before.opname, before.argval) != ("IMPORT_FROM", each.argval)
    }
    return found | (named & stored)
