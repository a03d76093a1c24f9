import pytest
import torch

from mien.training import memory


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_lack_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert memory.is_exhausted(error) is expected


def test_torch_itself_says_it_in_these_words() -> None:
    with pytest.raises(RuntimeError) as found:
        torch.empty(2**60)
    assert memory.is_exhausted(found.value)


@pytest.mark.parametrize(("room", "expected"), [(100, 64), (64, 64), (5, 4), (1, 1), (0, 0)])
def test_the_batch_is_halved_until_it_fits(room: int, expected: int) -> None:
    tried: list[int] = []

    def attempt(size: int) -> None:
        tried.append(size)
        if size > room:
            raise MemoryError

    assert memory.fitting(attempt, 128) == expected
    assert tried == [128 // 2**n for n in range(1, len(tried) + 1)]


def test_another_error_of_an_attempt_is_not_hidden() -> None:
    def attempt(size: int) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        memory.fitting(attempt, 8)


def test_the_advice_counts_the_faces_of_all_processes() -> None:
    assert "batch_size = 8 " in memory.advice(4, processes=2)
    assert "not even one face" in memory.advice(0)
