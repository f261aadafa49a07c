"""The files that are left: reading beneath the given folders, and nothing else."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from grader.sandbox.guest import landlock, libc
from grader.sandbox.guest.box import prove

# With pytest-xdist a worker has threads, and newer Pythons warn of every fork then; these children only make calls.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(autouse=True)
def abi():
    """Give the version of Landlock here."""
    if sys.platform != "linux":
        pytest.skip("Landlock exists only on Linux")
    try:
        ruleset = landlock.make_ruleset([])
    except landlock.LandlockError as error:
        pytest.skip(str(error))
    ruleset.close()
    return ruleset.abi


@pytest.fixture
def folders(tmp_path):
    """Two folders with a file each: one to be readable, one not."""
    for name in ("readable", "private"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    return tmp_path


def denied(act, *readable):
    """Tell whether an act is denied in a child that may read only these paths."""
    ruleset = landlock.make_ruleset([str(path) for path in readable])

    def restrict():
        libc.call("prctl", 38, 1, 0, 0, 0)
        ruleset.restrict_self()

    answer = prove(restrict, {"the act": act})
    ruleset.close()
    assert answer in (None, "the act was still possible")
    return answer is None


ACTS = {
    "reading": lambda folders: (folders / "private" / "file").read_text(),
    "reading by a way around": lambda folders: (folders / "readable" / ".." / "private" / "file").read_text(),
    "reading through a link": lambda folders: (folders / "link").read_text(),
    "listing": lambda folders: os.scandir(folders / "private"),
    "listing the folder around": lambda folders: os.scandir(folders),
    "writing": lambda folders: (folders / "readable" / "file").write_text("changed"),
    "appending": lambda folders: os.open(folders / "readable" / "file", os.O_WRONLY | os.O_APPEND),
    "truncating": lambda folders: os.truncate(folders / "readable" / "file", 0),
    "making a file": lambda folders: (folders / "readable" / "new").touch(),
    "making a folder": lambda folders: (folders / "readable" / "new").mkdir(),
    "making a link": lambda folders: (folders / "readable" / "new").symlink_to("file"),
    "making a pipe": lambda folders: os.mkfifo(folders / "readable" / "new"),
    "making a second name": lambda folders: os.link(folders / "private" / "file", folders / "readable" / "new"),
    "renaming": lambda folders: (folders / "readable" / "file").rename(folders / "readable" / "new"),
    "removing": lambda folders: (folders / "readable" / "file").unlink(),
    "running": lambda folders: os.execv(folders / "readable" / "program", ["program"]),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_on_files_is_denied(folders, name):
    (folders / "link").symlink_to(folders / "private" / "file")
    program = folders / "readable" / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert denied(lambda: ACTS[name](folders), folders / "readable")


def test_what_lies_in_a_readable_folder_can_be_read(folders):
    inner = folders / "readable" / "inner"
    inner.mkdir()
    (inner / "file").write_text("deeper")
    assert not denied(lambda: (os.scandir(inner), (inner / "file").read_text()), folders / "readable")


def test_a_single_file_can_be_readable_without_its_neighbours(folders):
    (folders / "readable" / "other").write_text("")
    file = folders / "readable" / "file"
    assert not denied(file.read_text, file)
    assert denied((folders / "readable" / "other").read_text, file)


def test_a_path_that_does_not_exist_is_passed_over(folders):
    assert not denied((folders / "readable" / "file").read_text, folders / "nowhere", folders / "readable")


def test_tcp_is_denied_even_where_sockets_are_not(abi):
    if abi < 4:
        pytest.skip("this kernel's Landlock knows no network")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert denied(lambda: socket.create_connection(listening.getsockname()))
        assert denied(lambda: socket.socket().bind(("127.0.0.1", 0)))


def test_an_abstract_socket_of_another_process_is_denied(abi):
    if abi < 6:
        pytest.skip("this kernel's Landlock knows no scopes")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0grader-test-" + os.urandom(8).hex())
        listening.listen()
        assert denied(lambda: socket.socket(socket.AF_UNIX).connect(listening.getsockname()))


def test_a_signal_to_the_parent_is_denied(abi):
    if abi < 6:
        pytest.skip("this kernel's Landlock knows no scopes")
    assert denied(lambda: os.kill(os.getppid(), 0))


def test_every_act_that_proves_landlock_is_denied_under_it():
    for name, act in landlock.FORBIDDEN.items():
        assert denied(act, "/usr/lib"), name


@pytest.mark.parametrize("act", landlock.FORBIDDEN)
def test_every_act_that_proves_landlock_is_possible_without_it(act):
    assert prove(lambda: None, {act: landlock.FORBIDDEN[act]}) == f"{act} was still possible"


def test_a_ruleset_under_which_everything_is_readable_is_not_believed():
    assert not denied(landlock.FORBIDDEN["listing the root folder"], "/")
