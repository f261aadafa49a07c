"""What is suspicious in a text before a line of it runs, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.guest.look import MAX_FINDINGS, MAX_SOURCE, Finding, look

ROOT = Path(__file__).resolve().parents[3]
HONEST_FILES = sorted(
    path
    for pattern in ("solutions/*.py", "student_template/*.py", "tests/honest/*.py", "assignments/*/*.py")
    for path in ROOT.glob(pattern)
)
HEAD = "import torch\nimport sys\n\n\ndef linear_backward(dout, x, W):\n"
# A line that stands in a function, its kind, and a part of the sentence.
SUSPICIOUS = {
    "torch's C side": ("torch._C._jit_get_operation", "torch_inside", "names _jit_get_operation, _C,"),
    "its name as a text": ('getattr(torch, "_C")', "torch_inside", "_C"),
    "an operator's name": ('find("aten::convolution_backward")', "torch_inside", "aten::convolution_backward"),
    "a node of a graph": ("x.grad_fn(dout)", "torch_inside", "grad_fn"),
    "a tracer of torch": ("from torch.fx.experimental.proxy_tensor import make_fx", "torch_inside", "make_fx"),
    "an operator's packet": ("torch._ops.ops.aten.mm", "torch_inside", "_ops"),
    "another frame": ("sys._getframe().f_back.f_locals", "python_inside", "_getframe"),
    "a profiler": ("sys.setprofile(print)", "python_inside", "setprofile"),
    "a signature of its own": ("linear_backward.__signature__ = None", "python_inside", "__signature__"),
    "a closure": ("torch.Tensor.backward.__closure__[0].cell_contents", "python_inside", "__closure__"),
    "a path to one as a text": ('operator.attrgetter("backward.__closure__")(x)', "python_inside", "__closure__"),
    "frames one by one": ("traceback.walk_stack(None)", "python_inside", "walk_stack"),
    "a method that torch calls": ("def __torch_dispatch__(cls): ...", "torch_inside", "__torch_dispatch__"),
    "a closure by inspect": ("inspect.getclosurevars(x.backward)", "python_inside", "getclosurevars"),
    "modules that are loaded": ('sys.modules["json"]', "python_inside", "sys.modules"),
    "all objects": ("import gc; gc.get_objects()", "python_inside", "get_objects"),
    "the grader itself": ("import grader.sandbox.guest.call", "python_inside", "grader.sandbox.guest.call"),
    "the grader by another name": ("import grader as g", "python_inside", "grader"),
    "a way from the grader inwards": ("import grader; grader.course", "python_inside", "names grader,"),
    "a complex number": ("x + 1e-20j", "numerical", "a complex number"),
    "one that is made": ("complex(0, 1)", "numerical", "complex"),
    "one that Python works out": ("x + (-1) ** 0.5", "numerical", "a root of a negative number"),
    "one of numpy's": ("x + np.emath.sqrt(-1.0)", "numerical", "emath"),
    "an imaginary part": ("x.imag", "numerical", "imag"),
    "a complex dtype": ("x.to(torch.complex128)", "numerical", "complex128"),
    "a symbolic package": ("import sympy as s", "numerical", "sympy"),
    "many digits": ("from mpmath import mp", "numerical", "mpmath"),
    "a long double": ('x.numpy().astype("longdouble")', "numerical", "longdouble"),
    "its abbreviation": ('x.numpy().astype("g")', "numerical", "'g'"),
    "a name in two halves": ('find("grad" + "_fn")', "obfuscated", "puts 'grad_fn' together"),
    "a class's own names": ("vars(torch.Tensor.mro()[1])", "python_inside", "mro"),
    "what a module holds": ("torch.Tensor.__dict__", "python_inside", "torch.Tensor.__dict__"),
    "exec": ('exec("x = 1")', "obfuscated", "calls exec"),
    "eval": ('eval("x.T")', "obfuscated", "calls eval"),
    "an import by text": ('__import__("torch")', "obfuscated", "calls __import__"),
    "a name of characters": ("getattr(x, chr(84))", "obfuscated", "a name that is put together"),
    "a name backwards": ('getattr(x, "drawkcab"[::-1])', "obfuscated", "a name that is put together"),
    "a name in torch that the run tells": ("getattr(torch, dout)", "obfuscated", "a name that is put together"),
    "a text in code": ('base64.b64decode("eA==")', "obfuscated", "b64decode"),
    "a method of torch": ("torch.Tensor.clone = print", "replaced", "torch.Tensor.clone"),
    "one of several": ("a, torch.matmul = 1, 2", "replaced", "torch.matmul"),
    "one by setattr": ('setattr(torch, "exp", print)', "replaced", "a part of torch"),
}
INNOCENT = {
    "comments and texts": '"""Not torch._C, nor x.grad_fn."""\n    # exec, sympy, 1j\n    s = "the grad_fn of x"',
    "a setting of torch": "torch.backends.cudnn.deterministic = True",
    "where it runs": 'IN_COLAB = "google.colab" in sys.modules',
    "a name from a list": 'for name in ("x", "W"):\n        getattr(x, name), getattr(x, f"d{name}" + name)',
    "an attribute of its own": "self.x = x",
    "what a cache holds": "vars(cache), cache.__dict__, dir(x)",
    "files called like modules": 'open("fractions.csv"), open("decimal.py")',
    "a value called g": 'getattr(cache, "g")',
    "letters": 'letters = "".join(chr(97 + n) for n in range(26))',
    "a method called eval": "model.eval(); pattern.compile()",
    "autograd by its public name": "x.requires_grad_(); torch.autograd.grad(x, W); loss.backward()",
    "a cell that grades": 'import grader; grader.check("linear")',
    "another one": 'from grader import grade; grade(".")',
    "a path to look for files": 'sys.path.append("..")',
}


def _look(text: str, file: str = "linear.py") -> list[Finding]:
    return look(file, text.encode(), [compile(text, file, "exec", dont_inherit=True)])


@pytest.mark.parametrize(("line", "kind", "said"), SUSPICIOUS.values(), ids=SUSPICIOUS)
def test_a_suspicious_line_is_found_with_its_function(line: str, kind: str, said: str):
    found = _look(f"{HEAD}    {line}\n")

    assert (kind, 6, "linear_backward") in {(each.kind, each.line, each.within) for each in found}
    assert any(said in each.sentence for each in found if each.kind == kind)


@pytest.mark.parametrize("line", INNOCENT.values(), ids=INNOCENT)
def test_what_only_looks_like_it_is_not_found(line: str):
    assert _look(f"{HEAD}    {line}\n") == []


@pytest.mark.parametrize("path", HONEST_FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_honest_file_is_suspected(path: Path):
    assert _look(path.read_text(), path.name) == []


def test_what_stands_outside_of_functions_is_within_none():
    (found,) = _look("import torch\n\nC = torch._C\n")

    assert (found.line, found.within) == (3, "")


def test_a_file_that_is_full_of_it_is_told_in_a_few_lines():
    assert len(_look("import torch\n" + "torch._C\n" * 100)) == MAX_FINDINGS


def test_a_giant_file_is_named_and_not_walked():
    (found,) = _look("import torch\n" + "x = 1\n" * (MAX_SOURCE // 5) + "torch._C\n")

    assert found.kind == "obfuscated"
    assert "was not looked at line by line" in found.sentence
