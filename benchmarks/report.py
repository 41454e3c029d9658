"""Bring results/*.json into the tables of RESULTS.md and README.md, or check that they are there.

    $ python -m benchmarks.report              # write the tables
    $ python -m benchmarks.report --check      # exit with 1 where a table, its json and model.pth differ

A table stands between `<!-- table: NAME -->` and `<!-- end -->`; NAME is that of a json, or "summary".
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from typing import Any

from base import command
from base.storage import MODEL_PATH, atomic_write
from benchmarks.record import RESULTS, ROOT, checksum

PAGES = (ROOT / "RESULTS.md", ROOT / "README.md")
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
SUMMARY = ("reading", "made", "refusing")  # of their rows those that are named here
SUMMARY_ROWS = re.compile(
    r"^(MNIST test set|[^,]*: (digits|numbers)$|corrupted, all|number, |\w*(letters|draw))"
)
Record = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Write the tables, or check them; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing; say what is out of date")
    arguments = parser.parse_args(argv)
    problems = find_problems() if arguments.check else []
    for page in () if arguments.check else PAGES:
        with atomic_write(page) as file:
            file.write(filled(page.read_text(encoding="utf-8")).encode())
    print("\n".join(problems or ["every table is up to date" if arguments.check else "tables written"]))
    return int(bool(problems))


def find_problems() -> list[str]:
    """Return what is out of date: tables beside their json, and records beside model.pth."""
    problems = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            problems.append(f"{page.name}: a table differs from its json: run `python -m benchmarks.report`")
    for name, record in read_records().items():
        if record["model"] and record["model"]["sha256"] != checksum(MODEL_PATH):
            problems.append(f"results/{name}.json is of another model: run `{record['command']} --record`")
    return problems


def read_records() -> dict[str, Record]:
    """Return what was recorded, by name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))
    }


def filled(text: str) -> str:
    """Return a page with its tables made anew."""
    records = read_records()

    def table(found: re.Match[str]) -> str:
        name = found[2]
        if name == "summary":
            made = summary({each: records[each] for each in SUMMARY if each in records})
        elif name in records:
            made = RENDERERS.get(name, shares)(records[name]["rows"]) + "\n" + origin(records[name])
        else:
            made = "Not recorded yet.\n"
        return f"{found[1]}{made}{found[3]}"

    return TABLE.sub(table, text)


def shares(rows: list[Record]) -> str:
    """Return a table of shares with their intervals."""
    lines = ["| | right | of | share | 95 % interval |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        low, high = (100 * end for end in row["interval"])
        lines.append(
            f"| {row['what']} | {row['right']:,} | {row['n']:,} | {row['share']:.2%} | {low:.1f}-{high:.1f} |"
        )
    return "\n".join(lines) + "\n"


def columns(rows: list[Record]) -> str:
    """Return a table with a column for each figure of the rows."""
    names = [name for name in rows[0] if name not in ("what", "failures")]
    lines = [f"| | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    lines += [f"| {row['what']} | {' | '.join(shown(row[name]) for name in names)} |" for row in rows]
    return "\n".join(lines) + "\n"


def fuzzed(rows: list[Record]) -> str:
    """Return one line for all kinds of hostile input."""
    total = {name: sum(row[name] for row in rows) for name in ("cases", "accepted", "refused")}
    failed = sum(len(row["failures"]) for row in rows)
    slowest, memory = (max(row[name] for row in rows) for name in ("slowest", "memory"))
    return columns(
        [
            {
                "what": f"hostile inputs of {len(rows)} kinds",
                **total,
                "failed": failed,
                "slowest, s": slowest,
                "most memory, MB": memory >> 20,
            }
        ]
    )


def summary(records: dict[str, Record]) -> str:
    """Return README's table: the main rows, each with its command."""
    lines = ["| | share | n | 95 % interval | command |", "|---|---:|---:|---:|---|"]
    for name, record in records.items():
        for row in record["rows"]:
            if SUMMARY_ROWS.match(row["what"]):
                low, high = (100 * end for end in row["interval"])
                what = row["what"] + (", refused" if name == "refusing" else "")
                lines.append(
                    f"| {what} | {row['share']:.1%} | {row['n']:,} | {low:.1f}-{high:.1f} | `benchmarks.{name}` |"
                )
    return "\n".join(lines) + "\n"


def origin(record: Record) -> str:
    """Return the line that says how a table came about."""
    model = f", {record['model']['file']} {record['model']['sha256'][:12]}" if record["model"] else ""
    versions = f"Python {record['versions']['python']}, torch {record['versions']['torch']}"
    return f"`{record['command']}`; {record['commit']}{model}; {record['machine']}; {versions}; {record['date']}\n"


def shown(value: Any) -> str:
    """Return a figure as text."""
    return (
        f"{value:,.2f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


RENDERERS: dict[str, Callable[[list[Record]], str]] = {"kill": columns, "fuzz": fuzzed, "speed": columns}


if __name__ == "__main__":
    command.run(main)
