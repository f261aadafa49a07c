"""Archives that students hand in are read in memory, and none of them can do more than be refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from grader.batch.archives import HANDED_IN, ArchiveError, open_archive
from grader.batch.tree import File, unpack

GOOD = b"def linear_backward(dout, x, W): ...\n"


def read_archive(content: bytes, wanted: Callable[[str], int]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the wanted files of an archive, and why others are refused."""
    archive = open_archive(content)
    read = {path: archive.read(path, wanted(path)) for path in archive.paths if wanted(path)}
    refused = {path: reason for path, (data, reason) in read.items() if data is None}
    return {path: data for path, (data, _) in read.items() if data is not None}, {**archive.refused, **refused}


def wanted(path: str) -> int:
    return 1_000_000 if path.endswith(".py") else 0


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def tar_of(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def a_link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info, target.encode()


def test_the_files_of_a_zip_are_read():
    assert read_archive(zip_of(("a/linear.py", GOOD), ("notes.txt", b"-")), wanted) == ({"a/linear.py": GOOD}, {})


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_the_files_of_a_tar_are_read(mode):
    assert read_archive(tar_of((tarfile.TarInfo("linear.py"), GOOD), mode=mode), wanted) == ({"linear.py": GOOD}, {})


def test_a_tar_that_is_called_zip_is_read_as_what_it_is():
    content = tar_of((tarfile.TarInfo("linear.py"), GOOD), mode="w:gz")  # the name plays no part in reading
    assert "linear.py" in read_archive(content, wanted)[0]


@pytest.mark.parametrize(
    "path",
    [
        "../linear.py",
        "a/../../linear.py",
        "/etc/linear.py",
        "C:/linear.py",
        "C:\\linear.py",
        "\\\\host\\linear.py",
        "a\\..\\x.py",
    ],
)
def test_a_path_that_leads_out_of_the_archive_is_refused(path):
    for content in (zip_of((path, GOOD)), tar_of((tarfile.TarInfo(path), GOOD))):
        files, refused = read_archive(content, wanted)
        assert files == {}
        assert list(refused.values()) == ["its path leads out of the archive"]


def test_a_link_in_a_zip_is_refused_and_so_is_what_lies_behind_it():
    files, refused = read_archive(zip_of(a_link("out", "/etc"), ("out/linear.py", GOOD)), wanted)
    assert refused == {"out": "not a regular file (a link, a device or a pipe)"}
    assert files == {"out/linear.py": GOOD}  # bytes of the archive itself, whatever `out` points to


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind):
    info = tarfile.TarInfo("linear.py")
    info.type, info.linkname = kind, "/etc/passwd"
    assert read_archive(tar_of((info, b"")), wanted) == (
        {},
        {"linear.py": "not a regular file (a link, a device or a pipe)"},
    )


def test_setuid_bits_mean_nothing():
    info = tarfile.TarInfo("linear.py")
    info.mode = 0o6777
    assert read_archive(tar_of((info, GOOD)), wanted) == ({"linear.py": GOOD}, {})


def test_a_member_of_ten_gigabytes_is_refused_by_its_size():
    content = zip_of(("linear.py", b"\0" * 2_000_000))
    _, refused = read_archive(content, wanted)
    assert refused == {"linear.py": "larger than 1 MB"}


def test_a_member_that_unpacks_too_well_is_refused():
    content = zip_of(("linear.py", b"\0" * 3_000_000))
    _, refused = read_archive(content, lambda _: 10_000_000)
    assert refused == {"linear.py": "it unpacks to more than any honest file"}


def test_a_size_that_lies_does_not_unpack_more_than_it_says():
    content = zip_of(("linear.py", b"\0" * 5_000_000))
    lying = content.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 10))
    files, refused = read_archive(lying, wanted)
    assert files == {}
    assert "broken" in refused["linear.py"]


def test_members_that_overlap_are_refused():
    content = bytearray(zip_of(("a.py", b"x" * 100), ("b.py", b"y" * 100), compression=zipfile.ZIP_STORED))
    second = content.rindex(b"PK\1\2")
    content[second + 42 : second + 46] = struct.pack("<L", 10)  # where b.py is said to begin
    with pytest.raises(ArchiveError, match=r"overlap|broken"):
        read_archive(bytes(content), wanted)


def test_a_tar_bomb_ends_at_the_bound():
    content = tar_of((tarfile.TarInfo("big.bin"), b"\0" * 5_000_000), mode="w:gz")
    with pytest.raises(ArchiveError, match="unpacks to more than 1 MB"):
        open_archive(content, replace(HANDED_IN, unpacked=1_000_000))


def test_a_million_entries_are_counted_before_they_are_parsed():
    one = zip_of(("a", b""))
    directory = one[one.index(b"PK\1\2") : one.index(b"PK\5\6")]
    count = 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory) * count, 0, 0)
    with pytest.raises(ArchiveError, match="more than 10000 files"):
        read_archive(b"PK\3\4" + directory * count + end, wanted)


def test_a_tar_of_too_many_members_is_refused():
    content = tar_of(*((tarfile.TarInfo(f"{number}.py"), b"") for number in range(10)))
    with pytest.raises(ArchiveError, match="more than 5 files"):
        open_archive(content, replace(HANDED_IN, members=5))


def test_names_that_differ_in_case_or_in_unicode_form_are_different_files():
    names = ["A.py", "a.py", "\u00e9.py", "e\u0301.py"]
    assert sorted(read_archive(zip_of(*((name, GOOD) for name in names)), wanted)[0]) == sorted(names)


def test_an_encrypted_member_is_refused_with_advice():
    content = bytearray(zip_of(("linear.py", GOOD)))
    for sign, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(sign) + place] |= 1
    assert read_archive(bytes(content), wanted)[1] == {"linear.py": "encrypted; hand it in without a password"}


@pytest.mark.parametrize("end", [10, 40, -10])
def test_a_truncated_zip_is_broken(end):
    with pytest.raises(ArchiveError, match="broken"):
        read_archive(zip_of(("linear.py", GOOD * 20))[:end], wanted)


def test_a_truncated_tar_is_broken():
    content = tar_of((tarfile.TarInfo("linear.py"), GOOD * 50), mode="w:gz")
    with pytest.raises(ArchiveError, match="broken"):
        read_archive(content[:-40], wanted)


def test_a_wrong_checksum_is_noticed():
    content = zip_of(("linear.py", GOOD), compression=zipfile.ZIP_STORED).replace(b"def linear", b"def Linear")
    assert "CRC" in read_archive(content, wanted)[1]["linear.py"]


def test_a_zip64_that_lies_is_broken():
    content = zip_of(("linear.py", GOOD))
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 1 << 60, 1)
    place = content.index(b"PK\5\6")
    with pytest.raises(ArchiveError, match="broken"):
        read_archive(content[:place] + locator + content[place:], wanted)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_of_two_members_of_one_name_neither_is_taken():
    files, refused = read_archive(zip_of(("linear.py", b"1"), ("linear.py", b"2")), wanted)
    assert (files, refused) == ({}, {"linear.py": "two files of this name are in the archive"})


@pytest.mark.parametrize("name", ["CON.py", "trailing .py", "-rf.py", "\u202eyp.py", "x" * 300 + ".py"])
def test_a_name_that_is_odd_elsewhere_is_read_in_memory(name):
    assert read_archive(zip_of((name, GOOD)), wanted) == ({name: GOOD}, {})


@pytest.mark.parametrize("name", ["a\nb.py", "x" * 501 + ".py"])
def test_a_name_of_control_characters_or_without_end_is_refused(name):
    files, refused = read_archive(zip_of((name, GOOD)), wanted)
    assert files == {}
    assert all("\n" not in shown and len(shown) < 300 for shown in refused)


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX/._linear.py",
        ".git/hook.py",
        ".env.py",
        "__pycache__/linear.py",
        "venv/x.py",
        "~$linear.py",
        "Thumbs.db",
        "hw/desktop.ini",
    ],
)
def test_what_tools_leave_behind_is_ignored(name):
    content = zip_of((name, GOOD), ("hw/linear.py", GOOD), ("hw/.DS_Store", b""))
    folder = unpack(File("ada.zip", lambda _: (content, "")))
    assert [path for path, _ in folder.walk()] == ["hw/linear.py"]


def test_an_environment_of_any_name_is_ignored():
    content = zip_of(("hw/my_env/pyvenv.cfg", b""), ("hw/my_env/lib/linear.py", GOOD), ("hw/linear.py", GOOD))
    folder = unpack(File("ada.zip", lambda _: (content, "")))
    assert [path for path, _ in folder.walk()] == ["hw/linear.py"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_million_empty_parts_are_counted_before_they_are_read(pack):
    with pytest.raises(ArchiveError, match="more than 10000 parts"):
        open_archive(pack(b"") * 100_000)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"Rar!\x1a\x07\1\0", "a RAR archive, which is not opened here; hand in a zip"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive, which is not opened here; hand in a zip"),
        (b"%PDF-1.7", "a PDF and no archive; hand in a zip"),
    ],
)
def test_what_else_was_handed_in_is_said(start, said):
    with pytest.raises(ArchiveError) as raised:
        open_archive(start + b"\0" * 600)
    assert str(raised.value) == said


@pytest.mark.parametrize("encoding", ["utf-8", "cp437", "cp1252"])
def test_a_name_that_does_not_say_its_encoding_is_read_as_letters(encoding):
    written = zip_of(("Jos#.py", GOOD)).replace(b"#", b"\xff")  # a byte that stands for the letter
    content = written.replace(b"\xff", "\u00e9".encode(encoding)) if encoding != "utf-8" else None
    if content is None:
        content = zip_of(("Jos##.py", GOOD)).replace(b"##", "\u00e9".encode())
    assert list(open_archive(content).paths) == ["Jos\u00e9.py"]


def test_folders_that_are_separated_by_backslashes_are_folders():
    assert list(open_archive(zip_of(("hw\\linear.py", GOOD))).paths) == ["hw/linear.py"]


def test_something_else_with_a_zip_at_its_end_is_no_archive():
    with pytest.raises(ArchiveError, match="neither a zip nor a tar"):
        read_archive(b"\x89PNG" + zip_of(("linear.py", GOOD)), wanted)


def test_an_empty_archive_holds_nothing():
    assert read_archive(zip_of(), wanted) == ({}, {})


@pytest.mark.parametrize("header", [b"1" * 200_000, b"1" * 99 + b"x", b"x" * 9_000_000])
def test_extended_headers_that_take_long_to_search_are_refused_or_read_at_once(header):
    extended = tarfile.TarInfo("linear.py")
    extended.type = b"x"
    content = tar_of((extended, header), (tarfile.TarInfo("linear.py"), GOOD))
    if len(header) > 100:
        with pytest.raises(ArchiveError, match="its extended headers are longer"):
            open_archive(content)
    else:
        assert read_archive(content, wanted)[0] == {"linear.py": GOOD}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_few_bytes_never_unpack_to_hundreds_of_megabytes(pack):
    content = pack(tar_of((tarfile.TarInfo("big.bin"), b"\0" * 30_000_000)))
    with pytest.raises(ArchiveError, match="unpacks to more than 16 MB"):
        open_archive(content)


def test_a_size_below_zero_is_broken():
    content = bytearray(tar_of((tarfile.TarInfo("linear.py"), GOOD)))
    content[124:136] = b"\xff" * 4 + (-512).to_bytes(8, "big", signed=True)
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    with pytest.raises(ArchiveError, match="broken"):
        open_archive(bytes(content))
