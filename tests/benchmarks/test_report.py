"""Every figure in RESULTS.md and README.md is that of a recorded json, and of the model that is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from base.storage import MODEL_PATH
from benchmarks import record, report
from benchmarks.sets import kind_of, spread
from measuring.testsets import Sample


def test_the_tables_are_those_of_the_records_and_the_records_those_of_the_model() -> None:
    assert report.find_problems() == []


def test_results_are_a_page_to_read() -> None:
    assert (record.ROOT / "RESULTS.md").stat().st_size <= 10_000
    assert (record.ROOT / "docs" / "left-out.md").stat().st_size <= 4_000


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of records and a page, in the place of this repository's."""
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "ROOT", tmp_path)
    monkeypatch.setattr(report, "PAGES", (tmp_path / "RESULTS.md",))
    (tmp_path / "RESULTS.md").write_text(
        "# A\n<!-- table: reading -->\nold\n<!-- end -->\n", encoding="utf-8"
    )
    return tmp_path


def test_a_record_becomes_a_table_and_every_difference_is_found(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [record.share("digits of others", np.int64(97), 100)]  # type: ignore[arg-type]
    path = record.write_record("reading", rows, MODEL_PATH, ["--data", "/some/where/set.npz", "--record"])
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["command"] == "python -m benchmarks.reading --data set.npz"
    assert content["model"] == {"file": "model.pth", "sha256": record.checksum(MODEL_PATH)}
    assert {"commit", "machine", "date", "versions"} <= set(content)
    assert report.main(["--check"]) == 1 and "RESULTS.md: a table differs" in capsys.readouterr().out
    assert report.main([]) == 0 and report.main(["--check"]) == 0
    page = results / "RESULTS.md"
    text = page.read_text(encoding="utf-8")
    assert "| digits of others | 97 | 100 | 97.00% | 91.5-99.0 |" in text and "old" not in text
    assert content["machine"] in text and content["model"]["sha256"][:12] in text
    page.write_text(text.replace("97.00%", "98.00%"), encoding="utf-8")
    assert len(report.find_problems()) == 1
    page.write_text(text, encoding="utf-8")
    content["model"]["sha256"] = "0" * 64
    path.write_text(json.dumps(content), encoding="utf-8")
    assert any("another model" in problem for problem in report.find_problems())


def test_a_table_without_a_record_says_so(results: Path) -> None:
    assert "Not recorded yet." in report.filled((results / "RESULTS.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "label, kind",
    [
        ("7", "digit"),
        ("2026", "number"),
        ("-3.14", "number with signs"),
        ("12:30", "number with signs"),
        ("3rd", "mixed"),
        ("a", "no digit"),
        ("two", "no digit"),
        ("--", "no digit"),
        ("٣", "no digit"),
    ],
)
def test_a_label_says_what_is_in_the_picture(label: str, kind: str) -> None:
    assert kind_of(label) == kind


def test_a_part_of_a_set_is_spread_over_it() -> None:
    samples = [Sample(str(number), b"", "1") for number in range(10)]
    assert [sample.name for sample in spread(samples, 5)] == ["0", "2", "4", "6", "8"]
    assert spread(samples, None) is samples and spread(samples, 10) is samples
