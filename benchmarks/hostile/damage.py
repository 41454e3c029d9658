"""A corpus of inputs, and the ways to damage them."""

from __future__ import annotations

import functools
import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BOMB = 3 << 30  # bytes that a small file unpacks to
PIXELS = 10**8  # of a picture that is small on disk
NUMBERS = (
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff",
    b"\x7f\xff",
    b"\x80\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\0\0\0\x80",
    b"\0" * 4,
    b"\xff" * 8,
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    10**6,
    2**31,
    10**30,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "7",
    "a" * 5000,
    "\0",
    "../../x",
    "ä手",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    [1, 2],
    b"\xff",
)
WORDS = (
    b"nan",
    b"-1",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b"[[[[",
    b"\\u0000",
    b"\xff\xfe",
    b"\t",
    b"\n",
    b'"',
    b"9" * 400,
    b"..",
    b"//",
    b"\r",
    b"true",
    b"0x10",
)


@dataclass(frozen=True)
class Content:
    """The bytes of a file and its name's ending."""

    data: bytes
    suffix: str


@dataclass(frozen=True)
class Corpus:
    """Valid inputs of a kind, and nasty ones that are fed as they are first; without seeds `fields` makes all others."""

    suffix: str
    seeds: Callable[[], list[bytes]]
    nasty: Callable[[], list[bytes]] = list
    fields: Callable[[random.Random], bytes] | None = None  # a valid container with its fields replaced


def mutated(corpus: Corpus, rng: random.Random, number: int) -> Content:
    """Return the case `number` of a corpus."""
    seeds, nasty = seeds_of(corpus)
    if number < len(nasty):
        return Content(nasty[number], corpus.suffix)
    if corpus.fields is not None and (not seeds or rng.random() < 0.4):
        return Content(corpus.fields(rng), corpus.suffix)
    data = bytearray(rng.choice(seeds))
    if corpus.suffix.endswith(".gz") and rng.random() < 0.7:  # damage what is inside
        return Content(gzipped(_damaged(bytearray(gzip.decompress(data)), rng, seeds)), corpus.suffix)
    return Content(_damaged(data, rng, seeds), corpus.suffix)


def gzipped(data: bytes, level: int = 1) -> bytes:
    return gzip.compress(data, level, mtime=0)  # the same bytes each time


@functools.cache
def seeds_of(corpus: Corpus) -> tuple[list[bytes], list[bytes]]:
    return corpus.seeds(), corpus.nasty()


def _damaged(data: bytearray, rng: random.Random, seeds: list[bytes]) -> bytes:
    """Return `data` after one to eight random damages, most of them near its head, where formats keep their numbers."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4, 8))):
        if not data:
            break
        place = rng.randrange(min(len(data), 128) if rng.random() < 0.5 else len(data))
        way = rng.randrange(9)
        if way == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[place] = rng.randrange(256)
        elif way == 2:
            value = rng.choice(NUMBERS)
            data[place : place + len(value)] = value
        elif way == 3:
            del data[place:]
        elif way == 4:
            del data[place : place + rng.randrange(1, 64)]
        elif way == 5:
            data[place:place] = rng.randbytes(rng.randrange(1, 32))
        elif way == 6:
            data[place:place] = data[place : place + rng.randrange(1, 256)] * rng.randrange(1, 4)
        elif way == 7:
            value = rng.choice(WORDS)
            data[place : place + rng.randrange(2) * len(value)] = value
        else:
            other = rng.choice(seeds)
            data[place:] = other[rng.randrange(len(other)) :] if other else b""
    return bytes(data)


def replaced(value: Any, rng: random.Random) -> Any:
    """Return a nested value with one to three of its parts replaced by odd ones."""
    for _ in range(rng.randrange(1, 4)):
        value = _replace_one(value, rng)
    return value


def _replace_one(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _replace_one(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        index = rng.randrange(len(value))
        return [*value[:index], _replace_one(value[index], rng), *value[index + 1 :]]
    return rng.choice(VALUES)
