"""Files are whole or absent."""

import os
import sys
from pathlib import Path

import pytest

from base.places import user_data_dir
from base.storage import (
    EXPORT_MARK,
    PLOT_MARK,
    atomic_write,
    back_up,
    check_target,
    try_out,
    write_new,
)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic_write(path) as file:
        file.write(b"half of the new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.pth"]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o641])
def test_a_backup_is_open_to_the_same_people(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(b"weights")
    path.chmod(mode)
    copy = back_up(path)
    assert copy.read_bytes() == b"weights" and copy.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_private_file_stays_private_and_a_rename_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced, fsync = tmp_path / "model.pth", [], os.fsync
    path.write_bytes(b"old")
    path.chmod(0o600)
    monkeypatch.setattr(
        os,
        "fsync",
        lambda descriptor: (synced.append(os.path.isdir(f"/dev/fd/{descriptor}")), fsync(descriptor)),
    )
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o600
    assert len(synced) == 2  # the file, then its folder


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    for use in (try_out, lambda path: atomic_write(path).__enter__()):
        with pytest.raises(FileNotFoundError, match="no such folder") as caught:
            use(tmp_path / "nowhere" / "plot.png")
        assert caught.value.filename == str(tmp_path / "nowhere")


def test_only_new_files_and_our_own_are_targets(tmp_path: Path) -> None:
    path = tmp_path / "file"
    check_target(path, [path])
    path.write_bytes(b"a user's")
    with pytest.raises(ValueError, match="--force"):
        check_target(path)
    check_target(path, force=True)
    for mark in (PLOT_MARK, EXPORT_MARK):
        path.write_bytes(b"\0" + mark.encode() + b"\0")
        check_target(path)
        (tmp_path / "sub").mkdir(exist_ok=True)
        for force in (False, True):
            with pytest.raises(ValueError, match="files to be read"):
                check_target(path, [tmp_path / "sub" / ".." / "file"], force)
    with pytest.raises(ValueError, match="is a folder"):
        check_target(tmp_path)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught, atomic_write(path) as file:
        file.write(b"new")
    assert caught.value.filename == str(path)
    with pytest.raises(OSError, match="No space left"):
        back_up(path)
    assert path.read_bytes() == b"old"
    assert [left.name for left in tmp_path.rglob("*")] == ["model.pth"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_a_link_keeps_and_a_pipe_refuses(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.pth").symlink_to(tmp_path / "real" / "model.pth")
    for content in (b"old", b"new"):
        with atomic_write(tmp_path / "link.pth") as file:
            file.write(content)
        assert (tmp_path / "link.pth").is_symlink() and (
            tmp_path / "real" / "model.pth"
        ).read_bytes() == content
    os.mkfifo(tmp_path / "pipe")
    for use in (try_out, lambda path: atomic_write(path).__enter__()):
        with pytest.raises(OSError, match="not a regular file.*pipe"):
            use(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_new_file_gets_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with atomic_write(tmp_path / "atomic") as file:
        file.write(b"x")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_name_is_never_used_twice(tmp_path: Path) -> None:
    names = [write_new(tmp_path / "backups", "model", ".pth", b"x").name for _ in range(3)]
    assert names == ["model.pth", "model-2.pth", "model-3.pth"]


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG folders are Linux's")
def test_user_data_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_data_dir().parent == tmp_path
