"""The forms in which openly licensed handwriting is published, read into drawings and pictures.

UCI's scanned digits (semeion.data, optdigits-orig) and pen strokes (pendigits-orig, ujipenchars2.txt); UNIPEN 1.0 (Guyon et
al., 1994); Quick, Draw!'s .ndjson, raw or simplified; Omniglot's strokes. Every reader raises ValueError naming the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEMEION_SIDE, OPTDIGITS_SIDE = 16, 32  # pixels
SCAN = re.compile(rf"((?:^[01]{{{OPTDIGITS_SIDE}}}\s*?\n){{{OPTDIGITS_SIDE}}})^\s*(\d)\s*$", re.MULTILINE)
UJI_WORD = re.compile(r"^WORD\s+(\S+)\s+\S*?(W\d+)-\d+", re.MULTILINE)
UJI_POINTS = re.compile(r"^\s*POINTS\s+\d+\s+#([-\d \t]+)$", re.MULTILINE)
SEGMENT = re.compile(r'^\.SEGMENT\s+(\w+)\s+([\d:,\-]*)\s+\S*\s*"(.*)"\s*$')
PEN_WRITERS = re.compile(r"^\.COMMENT\s+\d\s+(\d+)\s", re.MULTILINE)

Strokes = list[list[tuple[float, float]]]


@dataclass(frozen=True)
class Drawing:
    """What somebody wrote: `strokes` in any units, y down, none of them empty; `writer` "" where that is not known."""

    label: str
    writer: str
    strokes: Strokes


# ---------------------------------------------------------------------------------- UCI


def read_pictures(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return (images uint8 (N, H, W), ink 255; labels uint8 (N,)) of semeion.data or a file of optdigits-orig.

    semeion.data has a line a digit: its pixels as 0 or 1, then ten flags, one for each class. optdigits-orig has a
    header, then for each digit as many lines of 0 and 1 as it has rows, and a line with its label.
    """
    text = path.read_text(encoding="latin-1")
    scans = SCAN.findall(text)
    if scans:
        bits = np.array([[list(row) for row in rows.split()] for rows, _ in scans]) == "1"
        labels = np.array([int(label) for _, label in scans])
    else:
        table = np.array([line.split() for line in text.splitlines() if line.strip()], dtype=object)
        if table.ndim != 2 or table.shape[1] != SEMEION_SIDE**2 + 10:
            raise ValueError(
                f"{path} is no set of UCI's that is known here: unpack it first if it ends in .Z or .zip"
            )
        try:
            values = table.astype(np.float64)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        bits = values[:, :-10].reshape(-1, SEMEION_SIDE, SEMEION_SIDE) > 0.5
        labels = values[:, -10:].argmax(axis=1)
    return np.where(bits, 255, 0).astype(np.uint8), labels.astype(np.uint8)


def is_strokes(path: Path) -> bool:
    """Return whether a file of UCI's holds strokes rather than pictures."""
    with path.open(encoding="latin-1") as file:
        start = file.read(1 << 16)
    return ".PEN_DOWN" in start or UJI_WORD.search(start) is not None


def read_uci_strokes(path: Path) -> Iterator[Drawing]:
    """Yield the drawings of pendigits-orig (y up, in the form of UNIPEN) or of ujipenchars2.txt (y down)."""
    text = path.read_text(encoding="latin-1")
    if ".PEN_DOWN" not in text:
        yield from _read_uji(path, text)
        return
    components, segments = _parse(path, text)
    writers = PEN_WRITERS.findall(text)
    for place, (_, spans, label) in enumerate(segments):
        writer = f"w{int(writers[place]):02d}" if len(writers) == len(segments) else ""
        yield from _drawing(label, writer, components, spans)


def _read_uji(path: Path, text: str) -> Iterator[Drawing]:
    words = list(UJI_WORD.finditer(text))
    if not words:
        raise ValueError(f"{path} holds no strokes that are known here: docs/data.md names UCI's files")
    for word, following in zip(words, [*words[1:], None]):
        part = text[word.end() : following.start() if following else len(text)]
        strokes: Strokes = []
        for numbers in UJI_POINTS.findall(part):
            values = [float(number) for number in numbers.split()]
            strokes.append(list(zip(values[::2], values[1::2])))
        if strokes:
            yield Drawing(word[1], f"uji2-{word[2].lower()}", strokes)


# ---------------------------------------------------------------------------------- UNIPEN


def read_unipen(path: Path, root: Path) -> Iterator[Drawing]:
    """Yield the labelled segments of one file of UNIPEN 1.0; its .INCLUDE files lie in an `include` folder below `root`.

    The finest hierarchy of the file counts: characters before words before lines. A writer is told by the folder.
    """
    text = path.read_text(encoding="latin-1")
    if ".SEGMENT" not in text:
        return
    included = [_included(name, path, root) for name in re.findall(r"^\.INCLUDE\s+(\S+)", text, re.MULTILINE)]
    components, segments = _parse(path, "\n".join([*included, text]))
    levels = [level for level in ("DIGIT", "CHARACTER", "WORD") if any(each[0] == level for each in segments)]
    for level, spans, label in segments:
        if level in levels[:1] and spans:
            yield from _drawing(label, "-".join(path.parent.parts[-2:]), components, spans)


def _included(name: str, path: Path, root: Path) -> str:
    """Return the text of an .INCLUDE file, wherever an `include` folder holds it; "" for one that is not there."""
    for folder in [path.parent, *(root / "include", root.parent / "include", root.parent.parent / "include")]:
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="latin-1")
    if name.endswith(".dat"):
        raise ValueError(f"{path} needs {name}: unpack all of train_r01_v07 and name its top folder")
    return ""


def _parse(path: Path, text: str) -> tuple[list[Strokes], list[tuple[str, str, str]]]:
    """Return (components, segments (level, spans, label)) of UNIPEN text.

    A component is what is written with the pen down, or moved with it up where that has points; the latter is kept as
    no stroke, for segments count both. y is up in UNIPEN, and turned.
    """
    components: list[Strokes] = []
    segments: list[tuple[str, str, str]] = []
    points: list[tuple[float, float]] | None = None
    down = False
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] in (".PEN_DOWN", ".PEN_UP"):
            points, down = [], words[0] == ".PEN_DOWN"
            if down:
                components.append([points])
        elif words[0][0] == ".":
            points = None
            if (segment := SEGMENT.match(line.strip())) is not None:
                segments.append((segment[1], segment[2], segment[3]))
        elif points is not None:
            if not down and not points:
                components.append([])
            try:
                points.append((float(words[0]), -float(words[1])))
            except (ValueError, IndexError):
                raise ValueError(f"{path} has a point that is none: {line.strip()[:40]!r}") from None
    return components, segments


def _drawing(label: str, writer: str, components: list[Strokes], spans: str) -> Iterator[Drawing]:
    """Yield the drawing of a segment's `spans`, like 0-1,4 or 3:10-5:2 (component:point); nothing where it has no point."""
    strokes: Strokes = []
    for span in filter(None, spans.split(",")):
        start, _, stop = span.partition("-")
        first, _, first_point = start.partition(":")
        last, _, last_point = (stop or start).partition(":")
        for number in range(int(first), min(int(last) + 1, len(components))):
            for points in components[number]:
                low = int(first_point) if first_point and number == int(first) else 0
                high = int(last_point) + 1 if last_point and number == int(last) else len(points)
                strokes.append(points[low:high])
    strokes = [stroke for stroke in strokes if stroke]
    if strokes:
        yield Drawing(label, writer, strokes)


# ---------------------------------------------------------------------------------- Quick, Draw!, Omniglot


def read_quickdraw(path: Path) -> Iterator[Drawing]:
    """Yield the drawings of a category's .ndjson, raw (x, y, time) or simplified (x, y): one JSON a line."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                content = json.loads(line)
                strokes = [
                    [(float(x), float(y)) for x, y in zip(*stroke[:2])] for stroke in content["drawing"]
                ]
                drawing = Drawing(
                    str(content["word"]), str(content.get("key_id", "")), [part for part in strokes if part]
                )
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise ValueError(f"{path}, line {number}: no drawing of Quick, Draw!'s ({error})") from error
            if drawing.strokes:
                yield drawing


def read_omniglot(path: Path) -> Iterator[Drawing]:
    """Yield the drawing of one file, ALPHABET/characterNN/NNNN_WW.txt: lines of x,y,time between START and BREAK.

    y is negative downwards there, and turned. The label is the alphabet and the character, WW the writer within it.
    """
    if path.suffix != ".txt" or not path.parent.name.startswith("character"):
        return
    strokes: Strokes = [[]]
    for line in path.read_text(encoding="ascii", errors="replace").split():
        if line == "BREAK":
            strokes.append([])
        elif line != "START":
            try:
                x, y = (float(value) for value in line.split(",")[:2])
            except ValueError:
                raise ValueError(f"{path} is no drawing of Omniglot's: {line[:40]!r}") from None
            strokes[-1].append((x, -y))
    alphabet, character = path.parent.parent.name, path.parent.name.removeprefix("character")
    strokes = [stroke for stroke in strokes if stroke]
    if strokes:
        yield Drawing(f"{alphabet}/{character}", f"omni-{alphabet}-{path.stem.rpartition('_')[2]}", strokes)
