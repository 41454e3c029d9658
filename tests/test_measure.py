"""test.py measures what it says: on MNIST, and on labelled pictures of any origin."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import SEVEN, THREE
from PIL import Image

import test
from base.checkpoint import Checkpoint, save_checkpoint
from dataset import Digits
from ink.decode import class_files
from ink.raster import draw_strokes
from measuring.measure import Answer, interval, measure
from model import build_model

STAR = [[[50, 4], [22, 94], [96, 36], [4, 36], [78, 94], [50, 4]]]


def report_of(words: list[object], capsys: pytest.CaptureFixture[str]) -> dict:
    assert test.main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_on_mnist_it_counts_what_the_network_says(few: Digits, capsys: pytest.CaptureFixture[str]) -> None:
    from base.checkpoint import load_checkpoint

    report = report_of([], capsys)
    with torch.inference_mode():
        said = load_checkpoint().model(few.images.float() / 255).argmax(1)
    assert report["right"] == int((said == few.labels).sum()) and report["count"] == 600
    assert sum(map(sum, report["confusion"])) == 600
    assert report["interval"][0] < report["accuracy"] <= report["interval"][1]
    assert 0 <= report["ece"] < 0.05 and report["loss"] < 0.2


def test_the_human_report_shows_the_count_and_every_digit(
    few: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    assert test.main([]) == 0
    out = capsys.readouterr().out
    assert "of 600; 95% interval" in out and "images a second" in out
    assert sum(line.split()[0] in "0123456789" for line in out.splitlines()[2:]) == 10


@pytest.mark.parametrize(
    "words", [["--by", "label"], ["--data", ".", "--tta"], ["--data", ".", "--data-dir", "."]]
)
def test_an_option_that_would_change_nothing_is_refused(
    words: list[str], few: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    assert test.main(words) == 1
    assert "--data" in (err := capsys.readouterr().err) and err.count("\n") == 1


def drawings(folder: Path) -> None:
    for label, strokes in (("7", SEVEN), ("3", THREE), ("star", STAR)):
        (folder / label).mkdir(parents=True)
        Image.fromarray(draw_strokes(strokes, 14)).save(folder / label / "drawn.png")


def test_a_folder_of_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawings(tmp_path)
    report = report_of(["--data", tmp_path], capsys)
    assert (report["right"], report["count"]) == (2, 2)
    assert (report["negatives_refused"], report["negatives"]) == (1, 1)


def test_a_folders_pictures_are_those_that_are_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawings(tmp_path)
    for hidden in (tmp_path / ".thumbnails", tmp_path / "7" / "more"):
        hidden.mkdir()
        Image.fromarray(draw_strokes(SEVEN, 20)).save(hidden / "again.png")
    assert report_of(["--data", tmp_path], capsys)["count"] == 3
    assert len(class_files(tmp_path / "7")) == 2


def test_a_table_with_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawings(tmp_path)
    rows = ["path\tlabel\tpen", "7/drawn.png\t7\tred", "3/drawn.png\t9\tblue", "star/drawn.png\tstar\tblue"]
    (tmp_path / "set.tsv").write_text("\n".join(rows))
    report = report_of(["--data", tmp_path / "set.tsv", "--by", "pen"], capsys)
    assert report["accuracy"] == 0.5
    assert report["by"]["red"]["right"] == 1
    assert (report["by"]["blue"]["right"], report["by"]["blue"]["count"]) == (1, 2)


def test_an_archive_of_arrays_goes_through_the_road(
    tmp_path: Path, digits: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.pad(digits.images[:40, 0].numpy(), ((0, 0), (3, 40), (30, 5)))
    np.savez(tmp_path / "set.npz", x=images, y=digits.labels[:40].numpy().astype(np.uint8))
    assert report_of(["--data", tmp_path / "set.npz"], capsys)["right"] >= 38


@pytest.mark.parametrize("brush", [6, 16, 32])
def test_pen_strokes_are_drawn_with_the_brush(
    brush: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gzip.open(tmp_path / "pens.jsonl.gz", "wt") as file:
        for label, strokes in (("7", SEVEN), ("3", THREE)):
            file.write(json.dumps({"label": label, "writer": "w1", "strokes": strokes}) + "\n")
    report = report_of(["--data", tmp_path / "pens.jsonl.gz", "--brush", brush, "--by", "writer"], capsys)
    assert report["right"] == 2 and report["by"]["w1"]["count"] == 2


@pytest.mark.parametrize(
    "name, content",
    [
        ("x.tsv", b"a\tb\n1\t2\n"),
        ("x.npz", b"PK junk"),
        ("x.jsonl.gz", b"\x1f\x8b junk"),
        ("x.jsonl", b'{"label": "1"}\n'),
        ("x.txt", b""),
    ],
)
def test_a_damaged_test_set_is_one_line(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert test.main(["--data", str(tmp_path / name)]) == 1
    err = capsys.readouterr().err
    assert name in err and err.count("\n") == 1


def test_without_mnist_it_exits_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(_: Path) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr("dataset._download_mnist", unreachable)
    assert test.main(["--data-dir", str(tmp_path)]) == 1
    assert "--data-dir" in capsys.readouterr().err


def test_the_report_is_a_picture(few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert test.main(["--plot", str(tmp_path / "report.png")]) == 0
    with Image.open(tmp_path / "report.png") as drawn:
        assert min(drawn.size) > 500


def test_a_network_of_other_classes_is_measured_by_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    checkpoint = Checkpoint(
        build_model("colour", 2).eval(),
        "colour",
        {},
        ("leaf", "sky"),
        {"size": 64, "channels": 3, "road": False},
    )
    with torch.no_grad():  # the one layer that decides looks at blue minus green
        for layer in (checkpoint.model.body[0], checkpoint.model.body[3], checkpoint.model.head):
            layer.weight.zero_()
            layer.bias.zero_()
        checkpoint.model.body[0].weight[0, 1], checkpoint.model.body[0].weight[1, 2] = 1, 1
        for channel in (0, 1):
            checkpoint.model.body[3].weight[channel, channel] = 1
            checkpoint.model.head.weight[channel, 169 * channel : 169 * (channel + 1)] = 1
    save_checkpoint(tmp_path / "two.pth", checkpoint)
    for name, colour in (("leaf", (0, 200, 0)), ("sky", (0, 0, 200)), ("stone", (90, 90, 90))):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (80, 60 + number), colour).save(tmp_path / "set" / name / f"{number}.png")
    report = report_of(
        ["--data", tmp_path / "set", "--model", tmp_path / "two.pth", "--plot", tmp_path / "two.png"], capsys
    )
    assert (report["right"], report["count"], report["negatives"]) == (4, 4, 2)
    assert report["confusion"] == [[2, 0, 0], [0, 2, 0]] and report["classes"] == ["leaf", "sky"]
    assert test.main(["--data", str(tmp_path / "set"), "--model", str(tmp_path / "two.pth")]) == 0
    assert " leaf " in capsys.readouterr().out
    assert test.main(["--model", str(tmp_path / "two.pth")]) == 1
    assert "--data" in capsys.readouterr().err


def answer(label: str, text: str, confidence: float) -> Answer:
    probs = np.full(10, (1 - confidence) / 9)
    probs[int(text)] = confidence
    return Answer(label, True, text, "ok", probs, np.zeros((28, 28), np.uint8))


def test_calibration_is_the_gap_between_confidence_and_accuracy() -> None:
    answers = [answer("1", "1", 0.8)] * 6 + [answer("1", "2", 0.8)] * 4
    report = measure(answers)
    assert report["accuracy"] == 0.6
    assert report["ece"] == pytest.approx(0.2, abs=1e-6)
    assert report["recall"][1] == pytest.approx(0.6) and report["precision"][1] == 1


def test_the_interval_is_wilsons() -> None:
    assert interval(9962, 10000) == pytest.approx((0.99479, 0.99723), abs=2e-5)


def test_a_picture_that_cannot_be_read_counts_as_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawings(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    rows = [
        "\ufeffpath\tlabel\tpen",
        "7/drawn.png\t7\tred",
        "absent.png\t3\tred",
        "bad.png\tcat\tblue",
    ]  # with Excel's mark
    (tmp_path / "set.tsv").write_text("\n".join(rows), encoding="utf-8")
    report = report_of(["--data", tmp_path / "set.tsv", "--by", "pen"], capsys)
    assert (report["right"], report["count"], report["several_groups"]) == (1, 2, 0)
    assert (report["negatives_refused"], report["negatives"]) == (0, 1)
    assert (report["by"]["red"]["right"], report["by"]["red"]["count"]) == (1, 2)


def test_a_row_without_a_label_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set.tsv").write_text("path\tlabel\na.png\t1\nb.png\n")
    assert test.main(["--data", str(tmp_path / "set.tsv")]) == 1
    assert "set.tsv, line 3" in capsys.readouterr().err


def test_labels_may_be_floats(tmp_path: Path, digits: Digits, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(
        tmp_path / "set.npz", x=digits.images[:20, 0].numpy(), y=digits.labels[:20].numpy().astype(float)
    )
    assert report_of(["--data", tmp_path / "set.npz"], capsys)["right"] >= 18


def test_a_plot_that_cannot_be_written_loses_no_measurement(
    few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert test.main(["--json", "--plot", str(tmp_path / "report.xyz")]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["count"] == 600 and said.err.count("\n") == 1


def test_a_network_that_sees_pictures_as_they_are_is_not_measured_on_mnist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build_model("colour", 10).eval()
    save_checkpoint(
        tmp_path / "c.pth", Checkpoint(model, "colour", {}, input={"size": 64, "channels": 3, "road": False})
    )
    assert test.main(["--model", str(tmp_path / "c.pth")]) == 1
    assert "--data" in capsys.readouterr().err


@pytest.mark.parametrize("brush", ["0", "-5", "nan", "1000"])
def test_a_brush_of_no_width_is_refused(brush: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        test.main(["--brush", brush])
    assert ended.value.code == 2 and "--brush" in capsys.readouterr().err
