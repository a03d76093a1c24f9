"""The filter before a network: it takes off grain, and nothing from a face without any."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from mien.networks.denoising import Denoise


@pytest.fixture
def seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def faces(count: int = 6, channels: int = 1) -> Tensor:
    """Make smooth images with a black bar across, of mean 0 and deviation 1."""
    coarse = torch.randn(count, channels, 6, 6)
    images = nn.functional.interpolate(coarse, 48, mode="bicubic", align_corners=True)
    images[:, :, 12:20, 6:42] = -2.0
    images = images - images.mean((2, 3), keepdim=True)
    return images / images.std((2, 3), keepdim=True)


def grainy(images: Tensor, deviation: float) -> Tensor:
    return images + deviation * torch.randn(images.shape)


def denoised(images: Tensor) -> Tensor:
    found: Tensor = Denoise()(images)
    return found


def error(images: Tensor, truth: Tensor) -> float:
    return float((images - truth).square().mean().sqrt())


def test_a_face_without_grain_stays_as_it_is(seed: None) -> None:
    images = faces()
    assert torch.equal(denoised(images), images)


@pytest.mark.parametrize(("deviation", "left"), [(0.25, 0.7), (0.5, 0.6)])
def test_grain_is_taken_off_and_edges_stay(seed: None, deviation: float, left: float) -> None:
    images = faces()
    noisy = grainy(images, deviation)
    assert error(denoised(noisy), images) < left * error(noisy, images)
    across = denoised(noisy).mean((0, 1, 3))
    assert across[14:18].mean() < across[8:11].mean() - 0.5


def test_the_more_grain_the_more_is_changed(seed: None) -> None:
    images = faces()
    changes = []
    for deviation in (0.05, 0.15, 0.3, 0.6):
        noisy = grainy(images, deviation)
        changes.append(error(denoised(noisy), noisy))
    assert changes == sorted(changes)
    assert changes[0] < 0.01 < 0.1 < changes[2]


@pytest.mark.parametrize(("scale", "light"), [(60.0, 120.0), (5.0, 245.0), (0.01, 0.9)])
def test_light_and_contrast_do_not_matter(seed: None, scale: float, light: float) -> None:
    noisy = grainy(faces(), 0.3)
    lit = denoised(scale * noisy + light)
    torch.testing.assert_close((lit - light) / scale, denoised(noisy), rtol=0, atol=0.002)


def test_images_and_channels_go_by_themselves(seed: None) -> None:
    images = faces(2, channels=3)
    images[1, 2] = grainy(images[1:, 2:], 0.4)[0, 0]
    together = denoised(images)
    assert torch.equal(together[0], images[0])
    assert torch.equal(together[1, :2], images[1, :2])
    assert not torch.equal(together[1, 2], images[1, 2])
    alone = denoised(images[1:, 2:])[0, 0]
    torch.testing.assert_close(together[1, 2], alone)


@pytest.mark.parametrize("tone", [0.0, 0.5, 250.0])
def test_an_image_of_one_tone_stays_and_so_does_a_spot_on_it(tone: float) -> None:
    flat = torch.full((1, 1, 48, 48), tone)
    torch.testing.assert_close(denoised(flat), flat)
    flat[:, :, 20, 20:23] += 1
    torch.testing.assert_close(denoised(flat), flat)


def test_the_smallest_image_has_two_pixels_a_side() -> None:
    assert torch.isfinite(denoised(torch.rand(3, 1, 2, 2))).all()


def test_the_network_sees_what_is_left(seed: None) -> None:
    noisy = grainy(faces(), 0.3)
    network = nn.Sequential(Denoise(), nn.Identity())
    torch.testing.assert_close(network(noisy), denoised(noisy))
    assert not list(network.parameters()) and not network.state_dict()
