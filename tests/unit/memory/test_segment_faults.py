"""Segment files that cannot be used, and names and sizes that never could."""

import os
import re
import shutil
import struct

import pytest

import seawall as sw
from seawall.errors import ConfigError, SegmentError
from seawall.memory import Segment

SIZE = 64 * 1024


@pytest.fixture
def path(tmp_path):
    """The path of a segment with one exhausted limit in it."""
    where = str(tmp_path / "s")
    limit = sw.TokenBucket(1, per=3600, burst=1, shared=Segment(where, size=SIZE))
    assert limit.try_acquire()
    return where


def patch(path, word, value):
    """Overwrite the 8-byte `word` of the header: 0 magic, 1 layout, 2 size, 3 and 4 the boot id."""
    with open(path, "r+b") as file:
        file.seek(8 * word)
        file.write(struct.pack("<Q", value))


def refused(path, message):
    """Whether opening it is exactly that error, by either call, and leaves the file as it was."""
    with open(path, "rb") as file:
        before = file.read()
    for call in (Segment, Segment.attach):
        with pytest.raises(SegmentError, match=f"^{re.escape(message)}$"):
            call(path)
    with open(path, "rb") as file:
        assert file.read() == before


def test_a_foreign_file(path):
    """A file of anybody else is left alone."""
    patch(path, 0, 0x0102030405060708)
    refused(
        path,
        f"file {path} is not a seawall segment (its first bytes are foreign); choose another name or path",
    )


@pytest.mark.parametrize(
    ("layout", "way_out"), [(2, "upgrade this process"), (2**63, "upgrade this process"), (0, "remove the segment")]
)
def test_another_layout(path, layout, way_out):
    """A segment of a newer or older seawall is not misread."""
    patch(path, 1, layout)
    refused(
        path,
        f"segment file {path} has layout {layout}, this seawall reads layout 1; {way_out} or use another name",
    )


def test_a_truncated_segment(path):
    """A file that lost its end before anybody attached is not mapped."""
    os.truncate(path, SIZE // 2)
    refused(
        path,
        f"segment file {path} is truncated: it has {SIZE // 2} of its {SIZE} bytes; remove it and start again",
    )


@pytest.mark.parametrize("size", [0, 1, 4096])
def test_a_file_without_a_whole_header(path, size):
    """A file too small to be a segment says so."""
    os.truncate(path, size)
    refused(
        path,
        f"segment file {path} is truncated: {size} bytes do not hold a header; remove it and start again",
    )


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_file_others_could_change(path, mode):
    """Only mode 0600 is trusted."""
    os.chmod(path, mode)
    refused(
        path,
        f"segment file {path} has mode {mode:04o}, so others could change it; it must be 0600",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user(path):
    """A file of another user is not used, even by one who could."""
    os.chown(path, 12345, -1)
    refused(
        path,
        f"segment file {path} belongs to user 12345, not to {os.geteuid()}; choose another name or path",
    )


def test_a_path_that_is_no_file(tmp_path, path):
    """Directories, pipes and links are not followed or waited for."""
    os.mkfifo(tmp_path / "pipe")
    message = f"segment path {tmp_path / 'pipe'} is not a regular file; choose another name or path"
    with pytest.raises(SegmentError, match=f"^{re.escape(message)}$"):
        Segment(str(tmp_path / "pipe"))
    os.symlink(path, tmp_path / "link")
    message = f"cannot open segment file {tmp_path / 'link'}: Too many levels of symbolic links"
    with pytest.raises(SegmentError, match=f"^{re.escape(message)}$"):
        Segment(str(tmp_path / "link"))
    message = f"cannot open segment file {tmp_path}: Is a directory"
    with pytest.raises(SegmentError, match=f"^{re.escape(message)}$"):
        Segment(str(tmp_path))


def test_a_directory_that_is_not_there(tmp_path):
    """A path in no directory cannot be created."""
    message = f"cannot create segment file {tmp_path}/no/s: No such file or directory"
    with pytest.raises(SegmentError, match=f"^{re.escape(message)}$"):
        Segment(f"{tmp_path}/no/s")


def test_a_segment_that_outlived_a_reboot_starts_afresh(path):
    """A file of another boot is replaced by a new one: its times were those of another clock."""
    patch(path, 3, 0x1111)
    patch(path, 4, 0x2222)
    before = os.stat(path).st_ino
    fresh = sw.TokenBucket(1, per=3600, burst=1, shared=Segment(path, size=SIZE * 2))
    assert fresh.try_acquire()
    assert os.stat(path).st_ino != before
    assert fresh.segment.size == SIZE * 2


def test_attaching_to_what_outlived_a_reboot_finds_nothing(path):
    """Attaching never creates, so a stale segment is none; it is gone afterwards."""
    patch(path, 3, 0x1111)
    with pytest.raises(
        SegmentError, match=f"^{re.escape(f'there is no segment at {path}; create it with a size first')}$"
    ):
        Segment.attach(path)
    assert not os.path.exists(path)


def test_a_full_directory_leaves_no_file(segment_name):
    """A segment larger than the free space is an error at once, not a crash later, and leaves nothing behind."""
    total, _, free = shutil.disk_usage("/dev/shm")
    size = total + (1 << 30)  # above the whole, so that the system refuses without trying
    if size > 1 << 40:
        pytest.skip("more shared memory than the largest segment")
    where = f"/dev/shm/seawall-{os.geteuid()}-{segment_name}"
    message = (
        f"cannot reserve {size} bytes for segment file {where}; ask for a smaller size, free space there, "
        "or name another file: No space left on device"
    )
    with pytest.raises(SegmentError, match=f"^{re.escape(message)}$"):
        Segment(segment_name, size=size)
    assert not [name for name in os.listdir("/dev/shm") if segment_name in name]
    assert shutil.disk_usage("/dev/shm").free > free // 2


NAME_MESSAGE = (
    "segment name {!r} must be 1 to 64 letters, digits, dots, dashes or underscores; "
    "for a file elsewhere give a path with a slash"
)


@pytest.mark.parametrize("name", ["", ".hidden", "-dash", "a b", "ä", "x" * 65, "a\0b", "a\n"])
def test_a_name_of_no_meaning(name):
    """Names are plain words, so that they are file names everywhere."""
    for call in (Segment, Segment.attach, Segment.remove):
        with pytest.raises(ConfigError, match=f"^{re.escape(NAME_MESSAGE.format(name))}$"):
            call(name)


@pytest.mark.parametrize("name", [None, 5, b"name"])
def test_a_name_that_is_no_text(name):
    """A name is a str."""
    with pytest.raises(ConfigError, match=f"^{re.escape(f'a segment name is a str, got {name!r}')}$"):
        Segment(name)


def test_a_path_with_nul(tmp_path):
    """A NUL must not cut a path short."""
    name = f"{tmp_path}/a\0b"
    with pytest.raises(ConfigError, match=f"^{re.escape(f'a segment path has no NUL in it, got {name!r}')}$"):
        Segment(name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "size must be 16384 bytes to 1099511627776 bytes, got 0"),
        (-1, "size must be 16384 bytes to 1099511627776 bytes, got -1"),
        (16_383, "size must be 16384 bytes to 1099511627776 bytes, got 16383"),
        (2**40 + 1, "size must be 16384 bytes to 1099511627776 bytes, got 1099511627777"),
        (2**70, f"size must be 16384 bytes to 1099511627776 bytes, got {2**70}"),
        (65536.0, "size must be a whole number of bytes, got 65536.0"),
        (float("nan"), "size must be a whole number of bytes, got nan"),
        (True, "size must be a whole number of bytes, got True"),
        ("64k", "size must be a whole number of bytes, got '64k'"),
        (None, "size must be a whole number of bytes, got None"),
    ],
)
def test_a_size_of_no_meaning(segment_name, size, message):
    """A size is a whole number of bytes from 16 KiB to 1 TiB."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Segment(segment_name, size=size)
    assert not Segment.remove(segment_name)
