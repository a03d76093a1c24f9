import io
import tracemalloc

import pytest

from mien.errors import InputError, UsageError
from mien.media import folders


@pytest.fixture
def album(tmp_path):
    for name in ["b.jpg", "a.PNG", "notes.txt", "deep/c.webp", "deep/er/d.tiff"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(album, *paths, **options):
    asked = [path if path == "-" else album / path for path in paths]
    return [str(path.relative_to(album)) for path in folders.expand(asked, **options)]


def test_a_folder_gives_its_images_and_those_below_in_order(album):
    assert found(album, ".") == ["a.PNG", "b.jpg", "deep/c.webp", "deep/er/d.tiff"]


def test_files_come_as_named_whatever_they_are(album):
    assert found(album, "notes.txt", "gone.jpg", "b.jpg") == ["notes.txt", "gone.jpg", "b.jpg"]


def test_a_pattern_gives_the_images_it_matches(album):
    assert found(album, "*") == ["a.PNG", "b.jpg"]
    assert found(album, "**/*.*") == ["a.PNG", "b.jpg", "deep/c.webp", "deep/er/d.tiff"]


def test_a_file_with_a_strange_name_is_no_pattern(album):
    (album / "me[1].jpg").touch()
    assert found(album, "me[1].jpg") == ["me[1].jpg"]


def test_what_comes_up_twice_is_given_once(album):
    assert found(album, "b.jpg", ".", "*.jpg").count("b.jpg") == 1


def test_a_dash_reads_a_list(album):
    listed = io.StringIO(f"{album}/b.jpg\n\n{album}/gone.jpg\r\n")
    assert found(album, "-", listed=listed) == ["b.jpg", "gone.jpg"]


def test_a_list_with_nul_characters_and_an_empty_path_are_refused(album):
    with pytest.raises(InputError, match=r"one path a line on stdin.*not -print0"):
        found(album, "-", listed=io.StringIO(f"{album}/b.jpg\0{album}/a.PNG\0"))
    with pytest.raises(UsageError, match="got an empty one"):
        list(folders.expand([""]))


@pytest.mark.parametrize("nothing", ["empty", "*.gif"])
def test_a_folder_or_pattern_without_images_is_named(album, nothing):
    (album / "empty").mkdir()
    with pytest.raises(InputError, match=r"no images in the (folder|pattern) .*(empty|\*\.gif)"):
        found(album, nothing)


def test_shards_hold_each_file_once_wherever_the_folder_lies(album, tmp_path_factory):
    for number in range(40):
        (album / "deep" / f"{number}é.jpg").touch()
    (tmp_path_factory.mktemp("other") / "there").symlink_to(album)
    other = tmp_path_factory.getbasetemp() / "other0" / "there"

    def parts(where, pattern=""):
        shards = [folders.Shard(number, 3) for number in (1, 2, 3)]
        found = [*folders.named([where / pattern])]
        return [{str(p.relative_to(where)) for p, name in found if name in one} for one in shards]

    found = parts(album)
    assert set.union(*found) == set(
        map(str, (p.relative_to(album) for p in folders.expand([album])))
    )
    assert sum(map(len, found)) == 44 and min(map(len, found)) > 7
    assert found == parts(other) == parts(album, "**/*.*")


@pytest.mark.parametrize("number", [0, 4])
def test_a_shard_is_one_of_its_number(number):
    with pytest.raises(UsageError, match=f"from 1 to N, as 2/8, got {number}/3"):
        folders.Shard(number, 3)


def test_memory_does_not_grow_with_the_list():
    listed = (f"{number:060}.jpg\n" for number in range(50_000))
    tracemalloc.start()
    assert sum(1 for _ in folders.expand(["-"], listed=listed)) == 50_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000  # paths take three times that
