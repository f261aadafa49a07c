"""A notebook taken apart, and a script that was exported from one: the ways in which people save them."""

from __future__ import annotations

import json

import pytest

from grader.sandbox.guest.notebook import read_notebook, read_script, without_magics

CODE = "def f(x):\n    return x\n"


def notebook(*cells: object, metadata: object = None, key: str = "source") -> bytes:
    """Return a notebook of code cells, each given by its source."""
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], key: source} for source in cells]
    content = {"cells": made, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content if metadata is None else {**content, "metadata": metadata}).encode()


WORKSHEETS = json.dumps(
    {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "language": "python", "input": [CODE]}]}]}
).encode()
# How the same cell is saved: by Jupyter, by hand, by the format before, by editors with a byte order mark.
SAVED = {
    "a list of lines": notebook(["def f(x):\n", "    return x\n"]),
    "one text": notebook(CODE),
    "worksheets of format 3": WORKSHEETS,
    "a byte order mark": b"\xef\xbb\xbf" + notebook(CODE),
    "UTF-16": json.dumps(json.loads(notebook(CODE))).encode("utf-16"),
    "no metadata": notebook(CODE),
    "a kernel without a language": notebook(CODE, metadata={"kernelspec": {"name": "python3", "display_name": "Py"}}),
    "metadata that is no mapping": notebook(CODE, metadata=[]),
    "outputs": notebook(CODE).replace(b'"outputs": []', b'"outputs": [{"data": "' + b"A" * 1_000_000 + b'"}]'),
    "a cell that is timed": notebook("%%time\n" + CODE),
    "an unknown magic above Python": notebook("%%memit -r 3\n" + CODE),
    "a magic behind a title": notebook("#@title A cell\n\n%%capture\n" + CODE),
}


@pytest.mark.parametrize("source", SAVED.values(), ids=SAVED)
def test_a_cell_is_found_however_it_was_saved(source: bytes):
    cells = read_notebook("hw.ipynb", source).cells

    assert list(cells) == ["hw.ipynb cell 1"]
    assert cells["hw.ipynb cell 1"].strip() == CODE.strip()


def test_a_line_keeps_its_number_below_a_magic():
    cells = read_notebook("hw.ipynb", notebook("# timed\n%%time\n" + CODE)).cells

    assert cells["hw.ipynb cell 1"].split("\n")[2] == "def f(x):"


UNREADABLE = {
    "nothing": (b"", "it is empty; save the notebook"),
    "white space": (b" \n\n", "it is empty; save the notebook"),
    "a web page": (
        b"\n\n\n<!DOCTYPE html>\n<html lang='en'>",
        "it is a web page, not a notebook; open the page, press Raw",
    ),
    "a pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
        "it only points to a notebook in Git LFS",
    ),
    "Python": (CODE.encode(), "not a notebook but other text; if it is Python, give it a name that ends in .py"),
    "half of it": (notebook(CODE)[:60], "it ends in the middle, at line 1: only a part was saved"),
    "all but its end": (notebook(CODE)[:-1], "it ends in the middle, at line 1: only a part was saved"),
    "a merge": (b'{"cells": [\n<<<<<<< HEAD\n{}\n=======\n>>>>>>> x\n]}', "it has marks of a merge in it"),
    "a comma too many": (b'{"cells": [],}', "not a notebook: "),
    "Latin-1": ('{"cells": ["é"]}'.encode("latin-1"), "not a notebook: its text is not UTF-8"),
    "a list": (b"[]", "not a notebook: it holds no cells"),
    "no cells": (b'{"a": 1}', "not a notebook: it holds no cells"),
    "only text": (b'{"cells": [{"cell_type": "markdown", "source": "hi"}]}', "it has no code in it"),
    "empty cells": (notebook("", "\n"), "it has no code in it"),
}


@pytest.mark.parametrize(("source", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_notebook_is_told_in_a_sentence(source: bytes, said: str):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 # the text is what matters
        read_notebook("hw.ipynb", source)

    assert str(caught.value).startswith(said)


LANGUAGES = {
    "R": ({"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "language_info": {"name": "R"}}, "R"),
    "Julia": ({"language_info": {"name": "julia", "version": "1.8.5"}}, "julia"),
    "Python of an environment": ({"kernelspec": {"name": "conda-env-x", "display_name": "Python [conda env:x]"}}, ""),
    # Seen with a converter that writes the one and keeps the other.
    "both": ({"kernelspec": {"display_name": "Julia 1.3"}, "language_info": {"name": "python"}}, ""),
    "none": ({}, ""),
}


@pytest.mark.parametrize(("metadata", "language"), LANGUAGES.values(), ids=LANGUAGES)
def test_the_language_is_told_if_it_is_not_python(metadata: object, language: str):
    assert read_notebook("hw.ipynb", notebook(CODE, metadata=metadata)).language == language


MAGICS = {
    "a magic": ("%matplotlib inline\nx = 1", "pass\nx = 1"),
    "a shell command": ("!pip install torch\nx = 1", "pass\nx = 1"),
    "one that goes on": ("!pip install \\\n  torch \\\n  numpy\nx = 1", "pass\npass\npass\nx = 1"),
    "its output in a name": ("files = !ls\nx = 1", "pass\nx = 1"),
    "help": ("torch.sum?\nx = 1", "pass\nx = 1"),
    "one in a block": ("if True:\n    %timeit 1\nx = 1", "if True:\n    pass\nx = 1"),
    "modulo": ("x = (7\n% 2)", "x = (7\n% 2)"),
}


@pytest.mark.parametrize(("text", "python"), MAGICS.values(), ids=MAGICS)
def test_what_is_no_python_becomes_pass(text: str, python: str):
    assert without_magics(text) == python


WRITES = {
    "by its name": f"%%writefile linear.py\n{CODE}",
    "by the older magic": f"%%file linear.py\n{CODE}",
    "quoted": f'%%writefile "linear.py"\n{CODE}',
    "where Colab runs": f"%%writefile /content/drive/MyDrive/hw/linear.py\n{CODE}",
    "above": f"%%writefile ../linear.py\n{CODE}",
    "here": f"%%writefile ./linear.py\n{CODE}",
}


@pytest.mark.parametrize("cell", WRITES.values(), ids=WRITES)
def test_a_file_that_a_cell_writes_is_beside_the_notebook(cell: str):
    assert read_notebook("hw.ipynb", notebook(cell)).written == {"linear.py": ("hw.ipynb cell 1", CODE.encode())}


def test_a_cell_may_add_to_what_another_wrote():
    found = read_notebook("hw.ipynb", notebook("%%writefile a.py\nx = 1\n", "%%writefile -a a.py\ny = 2\n"))

    assert found.written["a.py"][1] == b"x = 1\ny = 2\n"


COLAB = '''# -*- coding: utf-8 -*-
"""hw.ipynb

Automatically generated by Colab.
"""

!pip install einops
# Commented out IPython magic to ensure Python compatibility.
# %%writefile linear.py
# def f(x):
#     return x
#\x20

"""## Text"""

y = 2
'''
NBCONVERT = """#!/usr/bin/env python
# In[1]:


get_ipython().run_line_magic('matplotlib', 'inline')
y = 2

# In[2]:

get_ipython().run_cell_magic('writefile', 'linear.py', 'def f(x):\\n    return x\\n')
"""
EXPORTS = {"Colab": COLAB, "nbconvert": NBCONVERT}


@pytest.mark.parametrize("text", EXPORTS.values(), ids=EXPORTS)
def test_an_exported_script_still_writes_its_files(text: str):
    found = read_script("hw.py", text.encode())

    assert found is not None
    assert found.written["linear.py"][1].decode().strip() == CODE.strip()
    compile(found.cells["hw.py"], "hw.py", "exec")


SCRIPTS = {
    "cells of an editor": "# %%\n%load_ext autoreload\nx = 1\n",
    "a spaced mark": "#%% first\nx = 1\n",
    "jupytext": "# ---\n# jupyter:\n#   jupytext:\n#     x: 1\n# ---\n# +\nx = 1\n",
    "a bare shell command": "!ls\nx = 1\n",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_in_cells_is_read_as_a_notebook(text: str):
    found = read_script("hw.py", text.encode())

    assert found is not None
    compile(found.cells["hw.py"], "hw.py", "exec")


def test_a_file_without_cells_is_no_notebook():
    assert read_script("linear.py", f"x = 7 % 2  # %% of it\n{CODE}".encode()) is None


def test_a_timed_cell_that_was_exported_as_a_text_is_read():
    folded = f"# In[1]:\n\nget_ipython().run_cell_magic('time', '', {CODE!r})\n"
    folded += "get_ipython().run_cell_magic('sh', '', 'ls')\n"

    found = read_script("hw.py", folded.encode())

    assert found is not None
    assert CODE in found.cells["hw.py"]
    assert "run_cell_magic('sh'" in found.cells["hw.py"]


@pytest.mark.parametrize("source", [b'{"cells":' + b"[" * 200_000, b'{"cells": [], "n": ' + b"9" * 10_000 + b"}"])
def test_json_without_end_is_said_to_be_that(source: bytes):
    with pytest.raises(ValueError, match="not a notebook: it is nested without end, or has a number without end"):
        read_notebook("hw.ipynb", source)
