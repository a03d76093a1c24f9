import numpy as np

from mien.training.randomness import face_keys, face_uniforms


def test_a_face_draws_the_same_numbers_in_any_batch() -> None:
    together = face_uniforms(face_keys(1, 2, np.arange(50)), 4)
    alone = face_uniforms(face_keys(1, 2, np.array([33])), 4)
    np.testing.assert_array_equal(together[33:34], alone)


def test_faces_epochs_and_seeds_draw_different_numbers() -> None:
    draws = [face_uniforms(face_keys(s, e, np.arange(9)), 2) for s in (1, 2) for e in (0, 1)]
    assert len(np.unique(np.concatenate(draws))) == 4 * 9 * 2


def test_numbers_are_uniform_and_unrelated() -> None:
    numbers = face_uniforms(face_keys(3, 4, np.arange(20_000)), 3)
    assert numbers.min() >= 0.0 and numbers.max() < 1.0
    counts = np.histogram(numbers[:, 0], bins=20, range=(0, 1))[0]
    assert np.abs(counts - 1000).max() < 150
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.03
