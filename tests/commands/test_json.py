"""What --json prints is what docs/json.md says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

import predict

PAGE = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
SCHEMA = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "null": type(None),
}


def check(value: Any, schema: dict[str, Any], where: str = "$") -> None:
    """Fail unless `value` keeps to `schema`: the part of JSON Schema that docs/json.md uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        assert value in schema["enum"], where
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        assert any(isinstance(value, TYPES[name]) for name in names) and not isinstance(value, bool), where
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), where
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                check(value[key], inner, f"{where}.{key}")
    if isinstance(value, list):
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)), where
        for number, each in enumerate(value):
            check(each, schema["items"], f"{where}[{number}]")
    if "minimum" in schema:
        assert schema["minimum"] <= value <= schema["maximum"], where


def test_the_json_keeps_to_its_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    names = ("minus-3.14.png", "blank.png", "star.png", "seven.png")
    assert predict.main(["--json", *(str(ROOT / "examples" / each) for each in names), str(tmp_path)]) == 1
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["status"] for each in objects] == ["ok", "blank", "not_a_digit", "ok", "error"]
    for each in objects:
        check(each, SCHEMA)
    assert objects[2]["rejected"] and objects[4]["error"]


def test_every_key_is_described_and_every_described_key_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert predict.main(["--json", str(ROOT / "examples" / "minus-3.14.png")]) == 0
    printed = json.loads(capsys.readouterr().out)
    described = set(re.findall(r"^\| `([\w\[\].]+)` \|", PAGE, re.MULTILINE))
    lists = ("digits", "signs", "alternatives")
    assert set(printed) | {f"{name}[].{key}" for name in lists for key in printed[name][0]} == described
    assert set(SCHEMA["properties"]) == set(printed)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "maybe"},
        {"digits": [{"digit": 7}]},
        {"rejected": [[1, 2, 3]]},
        {"error": 1},
        {"signs": [{}]},
    ],
)
def test_the_check_finds_what_does_not_fit(change: dict[str, Any]) -> None:
    lists: dict[str, list[Any]] = {"digits": [], "rejected": [], "signs": [], "alternatives": []}
    good = {"path": "x", "status": "blank", "text": "", "turned": 0, "error": None, **lists}
    check(good, SCHEMA)
    with pytest.raises((AssertionError, KeyError)):
        check({**good, **change}, SCHEMA)
