"""The files of a submission as modules in memory. Runs in the confined child, and in the rehearsal."""

from __future__ import annotations

import ast
import contextlib
import dis
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import re
import sys
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import CodeType, FunctionType, ModuleType
from typing import Any

from grader.sandbox.guest.lines import Passage, find_lines
from grader.sandbox.guest.look import Finding, look
from grader.sandbox.guest.notebook import read_notebook


@dataclass(frozen=True)
class Problem:
    """Why a file could not be read, or where loading it stopped."""

    text: str
    file: str | None = None
    line: int | None = None


class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a submission's files from memory, after every installed module has been looked for."""

    def __init__(self, sources: Mapping[str, bytes], wanted: Collection[str] = ()) -> None:
        self.sources = dict(sources)
        self._wanted = frozenset(wanted)
        self._trees: dict[str, ast.Module] = {}
        self.code: dict[str, list[CodeType]] = {}  # one part of a file, or one of each cell of a notebook
        self.defines: dict[str, list[str]] = {}  # of the wanted functions, those that a file may define
        self.unreadable: dict[str, Problem] = {}
        self.findings: dict[str, list[Finding]] = {}  # of each part: what is suspicious in its text
        self.loaded: dict[str, ModuleType] = {}
        self.stopped: dict[str, BaseException] = {}
        for file, source in sources.items():
            if file.endswith(".ipynb"):
                self._open_notebook(file, source)
        self.files = [file for file in self.sources if not file.endswith(".ipynb")]
        for file in self.files:
            self._compile(file, self.sources[file])
        notebooks = [file for file in sources if file.endswith(".ipynb")]
        # Of linear.ipynb and linear.py, `import linear` means the file.
        self._names = {_module_name(file): file for file in [*notebooks, *self.files]}
        self.files += notebooks
        self._packages = {
            ".".join(name.split(".")[:depth]) for name in self._names for depth in range(1, name.count(".") + 1)
        }
        # A file called torch.py, or a folder called json, is never imported in place of the installed one.
        self._shadowed = {name for name in {name.split(".")[0] for name in self._names} if _is_installed(name)}
        sys.meta_path.append(self)

    def candidates(self, function: str, home: str) -> list[str]:
        """Return the files that may define a function, its home first."""
        others = sorted(file for file in self.files if function in self.defines.get(file, ()))
        return list(dict.fromkeys([*([home] if home in self.files else []), *others]))

    def is_loaded(self, file: str) -> bool:
        """Return whether a file was run, to its end or not."""
        return file in self.loaded

    def load(self, file: str) -> BaseException | None:
        """Run a file once and return what stopped it, if anything did."""
        name = _module_name(file)
        if file not in self.loaded:
            try:
                if name.split(".")[0] in self._shadowed or self._names[name] != file:
                    self._run(file, ModuleType(f"submission.{name}"))
                elif "." in name:
                    importlib.import_module(name)
                else:
                    # No installed module has the name: a search through all of their folders would end here.
                    self._import(name)
            except BaseException as error:  # noqa: BLE001 # sys.exit() in a file stops that file, not the child
                self.stopped.setdefault(file, error)  # what _run could not note: the import system's own refusal
        return self.stopped.get(file)

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
        module = vars(self.loaded[file]) if file in self.loaded else {}
        return [name for name, value in module.items() if isinstance(value, FunctionType) and name not in self._wanted]

    def parts(self, file: str) -> list[str]:
        """Return the sources that a file runs: itself, or the cells of a notebook."""
        if not file.endswith(".ipynb"):
            return [file]
        return [part for part in self.sources if part.startswith(f"{file} cell ")]

    def lines(self, function: str, gradients: Sequence[str], home: str) -> tuple[str, dict[str, Passage]]:
        """Return the file that defines a function, its home if that does, and the line that made each gradient."""
        for file in sorted(self.sources, key=lambda file: (file != home, file)):
            if function.encode() in self.sources[file] and not file.endswith(".ipynb"):
                places = find_lines(self._tree(file), self.sources[file], function, gradients)
                if places:
                    return file, places
        return home, {}

    def _tree(self, file: str) -> ast.Module:
        if file not in self._trees:
            self._trees[file] = ast.Module([], [])
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
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

    def _run(self, file: str, module: ModuleType) -> None:
        module.__file__ = file
        module.__dict__["__builtins__"] = vars(sys.modules["builtins"])
        # Kept before it runs: a file that fails half-way still gives the functions defined before that line.
        self.loaded[file] = module
        try:
            if file in self.unreadable:
                raise SyntaxError(self.unreadable[file].text)
            for part in self.code[file]:
                self._run_part(part, file, module)
        except BaseException as error:
            self.stopped[file] = error
            raise

    def _run_part(self, part: CodeType, file: str, module: ModuleType) -> None:
        try:
            exec(part, module.__dict__)  # noqa: S102 # running the student's file is what this process is for
        except BaseException as error:
            if not file.endswith(".ipynb"):
                raise
            # A cell that fails (it reads a file that is not here, say) costs that cell only, as in a notebook.
            self.stopped.setdefault(file, error)

    def _open_notebook(self, file: str, source: bytes) -> None:
        self.code[file], self.defines[file] = [], []
        try:
            notebook = read_notebook(file, source)
        except (ValueError, RecursionError, MemoryError) as error:
            self.unreadable[file] = Problem(str(error) or "nested too deeply", file)
            return
        for cell, text in notebook.cells.items():
            # Under its own name a cell gives its own lines to a message.
            self.sources[cell] = text.encode("utf-8", errors="replace")
            self._compile(cell, self.sources[cell])
            self.code[file] += self.code.pop(cell, [])
            self.defines[file] += self.defines.pop(cell, [])
            if cell in self.unreadable:
                problem = self.unreadable.pop(cell)
                self.defines[file] += re.findall(r"^def\s+(\w+)", text, re.MULTILINE)
                self.stopped.setdefault(file, SyntaxError(f"{cell} line {problem.line}: {problem.text}"))
        for name, written in notebook.written.items():
            self.sources.setdefault(name, written)

    def _compile(self, file: str, source: bytes) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = compile(source, file, "exec", dont_inherit=True)
            self.code[file], self.defines[file] = [code], sorted(_bound(code, self._wanted))
            self.findings[file] = look(file, source, [code])
        except SyntaxError as error:
            self.unreadable[file] = Problem(f"{type(error).__name__}: {error.msg}", file, error.lineno)
        except (ValueError, RecursionError, MemoryError) as error:
            self.unreadable[file] = Problem(
                f"{type(error).__name__}: {str(error) or 'too large, or nested too deeply'}", file
            )
        text = source.decode("utf-8", errors="replace")
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)


def _module_name(file: str) -> str:
    parts = PurePosixPath(file).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _is_installed(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _bound(code: CodeType, wanted: frozenset[str]) -> set[str]:
    """Return which of the wanted names some code binds: by def, import or assignment, or as global in a function."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    found = set().union(*(_bound(each, wanted) for each in inner))
    named = wanted.intersection(code.co_names)
    if named.issubset(each.co_name for each in inner):
        return found | named  # a def of each, without a look at every instruction
    stored = {each.argval for each in dis.get_instructions(code) if each.opname in ("STORE_NAME", "STORE_GLOBAL")}
    return found | (named & stored)
