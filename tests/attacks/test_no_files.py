"""A pipe, a socket, a device or a folder where a file is wanted: never waited for, told in one line; and pages of any size."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

import export
import predict
import test as test_command
import train
from base import command
from ink.decode import MAX_SIDE, class_files, open_picture, pictures_below
from ink.files import need_file
from measuring.testsets import load_samples
from recognizer.sources import find_pictures
from training.hands.sets import find_sets
from window.cards.choosing import OpenCard
from window.session import find_pictures as find_for_the_window

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, sockets and devices of POSIX")
KINDS = ["pipe", "socket", "device", "folder"]
PATIENCE = 100  # seconds, after which something waits for a pipe: imports may take many on a busy machine


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Fail where a test waits for a pipe that nobody writes to."""

    def fail(*_: object) -> None:
        raise AssertionError("a pipe was waited for")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def make(path: Path, kind: str) -> Path:
    """Make what is no file at `path`."""
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "socket":
            short = Path(os.path.relpath(path))  # a socket's name has at most some 100 characters
            with socket.socket(socket.AF_UNIX) as bound:
                try:
                    bound.bind(str(min(short, path, key=lambda each: len(str(each)))))
                except OSError:
                    pytest.skip("the folder's name is too long for a socket")
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
    return path


def with_all(folder: Path, ending: str) -> Path:
    """Return a folder that holds one of each, all with this ending, and a link to the pipe."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        make(folder / f"{kind}{ending}", kind)
    (folder / f"link{ending}").symlink_to(folder / f"pipe{ending}")
    return folder


def test_folders_of_pictures_list_files_alone(tmp_path: Path) -> None:
    folder = with_all(tmp_path / "7", ".png")
    real = folder / "seven.png"
    shutil.copy(ROOT / "examples" / "seven.png", real)
    (folder / "linked.png").symlink_to(real)
    (folder / "dead.png").symlink_to(folder / "nowhere")  # told, since a picture may be missing
    linked = [folder / "linked.png", real]
    assert pictures_below(folder) == [str(folder / "dead.png"), *map(str, linked)]
    assert [name for name, _ in find_pictures([str(folder)])] == pictures_below(folder)
    assert find_for_the_window(folder) == [Path(each) for each in pictures_below(folder)]
    assert class_files(folder) == linked and [sample.name for sample in load_samples(tmp_path)] == [
        str(each) for each in linked
    ]
    card = OpenCard(lambda: None, folder, lambda _: None)
    assert [path.name for path in card.entries] == ["folder.png", "dead.png", "linked.png", "seven.png"]


def test_a_folder_of_hands_lists_files_alone(tmp_path: Path) -> None:
    with_all(tmp_path / "hands", ".jsonl.gz")
    (tmp_path / "hands" / "real.jsonl.gz").write_bytes(b"")
    assert tmp_path / "hands" / "real.jsonl.gz" in find_sets(tmp_path / "hands")
    assert not {"pipe.jsonl.gz", "link.jsonl.gz", "socket.jsonl.gz", "device.jsonl.gz"} & {
        path.name for path in find_sets(tmp_path / "hands")
    }


def test_a_folder_with_a_pipe_is_read_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_all(tmp_path / "pictures", ".png")
    shutil.copy(ROOT / "examples" / "seven.png", tmp_path / "pictures")
    assert predict.main([str(tmp_path / "pictures")]) == 0
    done = capsys.readouterr()
    assert done.out.count("\n") == 1 and "seven.png: 7" in done.out and not done.err


@pytest.mark.parametrize(
    "main, words, ending",
    [
        (predict.main, ["PATH"], ".png"),
        (predict.main, ["PATH"], ".pdf"),
        (predict.main, ["--expect", "PATH", "examples/seven.png"], ".txt"),
        (predict.main, ["--model", "PATH", "examples/seven.png"], ".pth"),
        (predict.main, ["--model", "PATH", "examples/seven.png"], ".onnx"),
        (export.main, ["--model", "PATH"], ".pth"),
        (test_command.main, ["--data", "PATH"], ".tsv"),
        (test_command.main, ["--data", "PATH"], ".npz"),
        (test_command.main, ["--data", "PATH"], ".jsonl.gz"),
        (train.main, ["--data", "PATH", "--output", "OUTPUT"], ""),
    ],
)
def test_a_pipe_that_is_named_is_one_line(
    main: Callable[..., int],
    words: list[str],
    ending: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    path = make(tmp_path / f"what{ending}", "pipe")
    named = {"PATH": str(path), "OUTPUT": str(tmp_path / "own.pth")}
    assert command.status(main, [named.get(word, word) for word in words]) == 1
    err = capfd.readouterr().err
    assert str(path) in err and err.count("\n") == 1 and "Traceback" not in err, err


@pytest.mark.parametrize("kind", KINDS[:3])
def test_hands_that_are_no_file_are_told(kind: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=f"a {kind}, not a file"):
        find_sets(make(tmp_path / "what.jsonl", kind))


@pytest.mark.parametrize("kind", KINDS)
def test_the_line_says_what_it_is(kind: str, tmp_path: Path) -> None:
    path = make(tmp_path / "x.png", kind)
    with pytest.raises(OSError) as raised:
        need_file(path)
    assert command.one_line(raised.value).startswith(f"{path}: a {kind}, not a file: name a file")


def test_a_picture_that_a_table_names_and_is_a_pipe_is_told(tmp_path: Path) -> None:
    make(tmp_path / "x.png", "pipe")
    (tmp_path / "all.tsv").write_text("path\tlabel\nx.png\t7\n")
    (sample,) = load_samples(tmp_path / "all.tsv")
    with pytest.raises(OSError, match="a pipe, not a file"):
        open_picture(sample.source)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash opens the pipes")
def test_what_a_shell_pipes_is_read_whatever_its_name() -> None:
    words = "cat examples/seven.png | $PYTHON predict.py /dev/stdin <(cat examples/seven.png) <(true)"
    done = subprocess.run(
        ["bash", "-c", words],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1 and done.stdout.count(": 7 (") == 2, done.stderr
    assert done.stderr.count("\n") == 1 and "was empty" in done.stderr


# ---------------------------------------------------------------------------------- pages


def page(box: str) -> bytes:
    """Return a PDF of one page with a bar in it; its sides are in points."""
    parts = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R>>",
        "<</Length 23>>\nstream\n20 w 50 50 m 50 90 l S\n\nendstream",
    ]
    content, places = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{part}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return (
        content
        + (
            f"xref\n0 5\n0000000000 65535 f \n{table}trailer<</Size 5/Root 1 0 R>>\nstartxref\n{len(content)}\n%%EOF"
        ).encode()
    )


@pytest.mark.parametrize(
    "box", ["0 0 14400 14400", "0 0 200000 200000", "0 0 1e30 1e30", "0 0 0 0", "0 0 9 0", "0 0 9 1e-4"]
)
def test_a_page_of_any_size_is_drawn_small(box: str, tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    (tmp_path / "page.pdf").write_bytes(page(box))
    ((_, drawn),) = find_pictures([str(tmp_path / "page.pdf")])
    assert isinstance(drawn, Image.Image) and max(drawn.size) <= 2 * MAX_SIDE
    assert min(drawn.size) > 0


def test_a_usual_page_is_drawn_as_large_as_ever(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    (tmp_path / "page.pdf").write_bytes(page("0 0 595 842"))
    ((_, drawn),) = find_pictures([str(tmp_path / "page.pdf")])
    assert isinstance(drawn, Image.Image) and drawn.size == (1190, 1684)
    assert np.asarray(drawn).min() < 50


def test_a_page_that_cannot_be_drawn_is_one_line_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    pages = [Image.new("L", (90, 90), 255) for _ in range(2)]
    pages[0].save(tmp_path / "two.pdf", save_all=True, append_images=pages[1:])
    draw, failures = pdfium.PdfPage.render, iter([pdfium.PdfiumError("Failed to load page."), None])

    def render(self: object, **options: object) -> object:
        if (error := next(failures)) is not None:
            raise error
        return draw(self, **options)

    monkeypatch.setattr(pdfium.PdfPage, "render", render)
    (name, problem), (_, second) = find_pictures([str(tmp_path / "two.pdf")])
    assert str(problem) == f"{name} cannot be drawn: save it as PNG" and isinstance(second, Image.Image)
