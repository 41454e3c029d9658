"""MNIST is found, verified, and drawn from in batches."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

import dataset
from dataset import (
    Batches,
    DataError,
    Digits,
    load_mnist,
    load_stand_in,
    read_idx,
    search_path,
    split_validation,
)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(3 * 28 * 28, dtype=np.uint64).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([3, 1, 4], np.uint8)


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder laid out as MNIST's, whose four files hold three pictures; returns MNIST/raw."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    files = {}
    for name, (_, shape) in dataset.MNIST_FILES.items():
        array = IMAGES if len(shape) == 3 else LABELS
        packed = gzip.compress(idx(array))
        (raw / f"{name}.gz").write_bytes(packed)
        files[name] = (hashlib.md5(packed).hexdigest(), array.shape)
    monkeypatch.setattr(dataset, "MNIST_FILES", files)
    return raw


@pytest.mark.parametrize("name", ["plain", "packed.gz"])
def test_an_idx_file_comes_back(name: str, tmp_path: Path) -> None:
    content = idx(IMAGES)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert np.array_equal(read_idx(tmp_path / name, IMAGES.shape), IMAGES)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[:-1],
        lambda c: c + b"\0",
        lambda c: b"\1" + c[1:],
        lambda c: c[:2] + b"\x0d" + c[3:],
        lambda c: c[:7],
        lambda c: b"",
    ],
)
def test_a_damaged_idx_file_is_named_with_its_cure(change, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "train-images"
    path.write_bytes(change(idx(IMAGES)))
    with pytest.raises(DataError, match=r"train-images.*train\.py"):
        read_idx(path)


def test_an_idx_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(idx(LABELS))
    with pytest.raises(DataError):
        read_idx(tmp_path / "x", (3, 28, 28))


def test_mnist_is_read_from_packed_or_extracted_files(small_mnist: Path, tmp_path: Path) -> None:
    packed = load_mnist(True, tmp_path, download=False)
    for file in list(small_mnist.glob("*.gz")):
        (small_mnist / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    plain = load_mnist(True, tmp_path, download=False)
    assert torch.equal(packed.images, plain.images) and packed.images.shape == (3, 1, 28, 28)
    assert plain.labels.tolist() == LABELS.tolist()


def test_a_truncated_extracted_file_gives_way_to_its_archive(small_mnist: Path, tmp_path: Path) -> None:
    (small_mnist / "train-images-idx3-ubyte").write_bytes(idx(IMAGES)[:500])
    assert np.array_equal(load_mnist(True, tmp_path, download=False).images[:, 0].numpy(), IMAGES)


def test_a_truncated_archive_is_an_error_with_the_cure(small_mnist: Path, tmp_path: Path) -> None:
    path = small_mnist / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged.*--data-dir"):
        load_mnist(True, tmp_path, download=False)


def test_damaged_files_are_set_aside_and_fetched_again(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision

    whole = {path.name: path.read_bytes() for path in small_mnist.iterdir()}
    broken = small_mnist / "train-labels-idx1-ubyte.gz"
    broken.write_bytes(b"half")

    class Server:
        def __init__(self, root: str, download: bool) -> None:
            for name, content in whole.items():
                if not (small_mnist / name).exists():  # as torchvision does: what exists is believed
                    (small_mnist / name).write_bytes(content)

    monkeypatch.setattr(torchvision.datasets, "MNIST", Server)
    assert load_mnist(True, tmp_path).labels.tolist() == LABELS.tolist()
    assert broken.with_name(broken.name + ".damaged").read_bytes() == b"half"


def test_no_mnist_and_no_network_is_an_error_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_: Path) -> None:
        raise RuntimeError("name not resolved")

    monkeypatch.setattr(dataset, "_download_mnist", unreachable)
    with pytest.raises(DataError, match=r"name not resolved.*--data-dir"):
        load_mnist(True, tmp_path)


def test_the_environment_names_a_folder_and_the_option_overrides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_DATA", "/somewhere")
    assert search_path() == [Path("/somewhere"), Path("data")]
    assert search_path("mine") == [Path("mine")]


def test_the_stand_in_is_real_digits() -> None:
    digits = load_stand_in()
    assert digits.images.shape == (5000, 1, 28, 28) and digits.images.dtype == torch.uint8
    assert torch.bincount(digits.labels).tolist() == [500] * 10


def numbered(count: int) -> Digits:
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 1, 2, 2)
    return Digits(images, torch.arange(count), "test")


def test_the_validation_split_is_fixed_and_disjoint() -> None:
    training, validation = split_validation(numbered(100), 20)
    torch.manual_seed(123)
    again = split_validation(numbered(100), 20)[1]
    assert torch.equal(validation.labels, again.labels)
    assert sorted([*training.labels.tolist(), *validation.labels.tolist()]) == list(range(100))


def test_an_epoch_holds_every_picture_once_in_a_new_order() -> None:
    batches = Batches(numbered(60), 20, seed=0)
    first = torch.cat([labels for _, labels in batches])
    batches.epoch = 1
    second = torch.cat([labels for _, labels in batches])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(60))
    assert not torch.equal(first, second)


def test_batches_can_start_in_the_middle_of_an_epoch() -> None:
    batches = Batches(numbered(60), 20, seed=0)
    whole = [labels for _, labels in batches]
    batches.epoch, batches.start = 0, 2
    assert [labels.tolist() for _, labels in batches] == [whole[2].tolist()]
    assert len(list(batches)) == 3


def test_pictures_and_labels_stay_together_and_are_scaled() -> None:
    for images, labels in Batches(numbered(50), 16):
        assert torch.equal((images[:, 0, 0, 0] * 255).round().long(), labels)
