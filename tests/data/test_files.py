import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from mien.data import files
from mien.errors import DataError


def packed(path: Path, *names: str | ZipInfo) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"x" * 1000)
    return path


def link(name: str) -> ZipInfo:
    info = ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("../out.jpg", r"'../out\.jpg', which climbs out"),
        ("a/../../out.jpg", "climbs out"),
        ("/etc/out.jpg", "climbs out"),
        ("..\\out.jpg", "climbs out"),
        ("C:/out.jpg", "climbs out"),
        (link("a/link"), "has the link 'a/link'"),
    ],
)
def test_a_member_that_leads_out_is_refused_and_nothing_is_unpacked(
    tmp_path: Path, member: str | ZipInfo, said: str
) -> None:
    archive = packed(tmp_path / "a.zip", "good.jpg", member)
    with pytest.raises(DataError, match=said):
        files.unpack(archive, tmp_path / "new" / "er")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.zip"]


def test_a_zip_that_says_it_unpacks_to_ten_gigabytes_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path / "bomb.zip", "1", "2", "3")
    data = bytearray(archive.read_bytes())
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 24 : place + 28] = struct.pack("<I", 3_600_000_000)
        place = data.find(b"PK\x01\x02", place + 1)
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"bomb\.zip unpacks to 10\.1 GB, more than 8"):
        files.unpack(archive, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("harm", [lambda data: data[:60], lambda data: b"no zip", lambda data: b""])
def test_a_broken_zip_is_named(tmp_path: Path, harm) -> None:
    archive = packed(tmp_path / "a.zip", "1.jpg")
    archive.write_bytes(harm(archive.read_bytes()))
    with pytest.raises(DataError, match=r"cannot unpack .*a\.zip"):
        files.unpack(archive, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_damaged_member_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", "1.jpg")
    data = bytearray(archive.read_bytes())
    data[14] ^= 0xFF  # its checksum
    place = data.find(b"PK\x01\x02")
    data[place + 16] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(DataError, match="CRC"):
        files.unpack(archive, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_pictures_are_found_sorted_and_by_name_however_it_is_written(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "a/10.png", "a/é.jpg", ".hidden/1.png", "a/._10.png", "__MACOSX/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = files.pictures(tmp_path, source="pictures")
    assert [path.name for path in found] == ["10.png", "é.jpg", "2.JPG"]
    index = files.index(tmp_path, source="pictures")
    assert files.picture(index, "E\u0301.JPG", "row 1").name == "é.jpg"
    assert files.picture(index, "10", "row 1").name == "10.png"


def test_the_nearest_folder_of_a_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "a/b/Emotion").mkdir(parents=True)
    (tmp_path / "c/EMOTION").mkdir(parents=True)
    assert files.find_folder(tmp_path, ("Emotion",)) == tmp_path / "c/EMOTION"
    assert files.find_folder(tmp_path / "nowhere", ("Emotion",)) is None


def test_a_folder_is_found_at_any_depth(tmp_path: Path) -> None:
    deep = tmp_path / "data/RAF-DB/basic/Image/aligned"
    deep.mkdir(parents=True)
    assert files.find_folder(tmp_path, ("Aligned",)) == deep
    nearer = tmp_path / "z/aligned"
    nearer.mkdir(parents=True)
    assert files.find_folder(tmp_path, ("aligned",)) == nearer


def test_linked_folders_are_searched_once(tmp_path: Path) -> None:
    there, root = tmp_path / "disk/set", tmp_path / "root"
    there.mkdir(parents=True)
    root.mkdir()
    (there / "a.png").write_bytes(b"")
    (root / "link").symlink_to(there)
    (root / "again").symlink_to(there)
    (there / "up").symlink_to(root)
    (there / "loop").symlink_to(there / "loop")
    assert files.pictures(root, source="pictures") == [root / "again/a.png"]
    assert files.find_folder(root, ("link",)) == root / "link"
    assert files.find(root, ("a.png",)) == root / "again/a.png"


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that cannot be read, whoever the user is."""
    closed = tmp_path / "set" / "closed"
    closed.mkdir(parents=True)
    (tmp_path / "set" / "lost+found").mkdir()

    def refusing(work: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def refused(path: Path) -> Any:
            if Path(path).name in ("closed", "lost+found"):
                raise PermissionError(13, "Permission denied", str(path))
            return work(path)

        return refused

    monkeypatch.setattr(os, "listdir", refusing(os.listdir))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    return closed


def test_a_folder_that_cannot_be_read_is_passed_over_and_named_at_last(closed: Path) -> None:
    root = closed.parent
    assert files.find_folder(root, ("aligned",)) is None
    for search in (
        lambda: files.require(root, ("a.csv",), source="a set"),
        lambda: files.require_folder(root, ("aligned",), source="a set"),
        lambda: files.pictures(root, source="a set"),
    ):
        with pytest.raises(DataError, match=r"under .*set \(.*closed cannot be read\); expected a"):
            search()
    (root / "a.png").write_bytes(b"")
    assert files.pictures(root, source="pictures") == [root / "a.png"]
    with pytest.raises(DataError, match=r"cannot read .*closed: Permission denied; allow it"):
        files.below(root, (".png",), whole=True)
    with pytest.raises(DataError, match=r"cannot read .*closed: Permission denied; allow it"):
        files.folders(closed)
    assert files.folders(root) == [closed]
