"""A FER-2013 of a few random faces, with votes and points, written the ways it is published."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import models

USAGES = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}
FOLDERS = {"train": "FER2013Train", "public": "FER2013Valid", "private": "FER2013Test"}
VOTE_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)


@dataclass
class TinyFer:
    """Faces to write: images (N, 48, 48), labels, splits, names and votes (N, 10)."""

    images: NDArray[np.uint8]
    labels: list[int]
    splits: list[str]
    names: list[str]
    votes: NDArray[np.int64]

    def rows(self, order: Sequence[str] = ("emotion", "pixels", "Usage")) -> list[list[str]]:
        """Give the CSV's rows with their columns in that order."""
        return [
            [
                {
                    "emotion": str(label),
                    "pixels": " ".join(map(str, image.ravel())),
                    "Usage": USAGES[split],
                }[column]
                for column in order
            ]
            for image, label, split in zip(self.images, self.labels, self.splits, strict=True)
        ]

    def write(self, path: Path) -> Path:
        """Write `fer2013.csv`, gzipped if the name says so."""
        text = "\n".join(["emotion,pixels,Usage", *map(",".join, self.rows())]) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    def write_votes(self, path: Path) -> Path:
        """Write `fer2013new.csv`."""
        lines = [
            ",".join([USAGES[split], name, *map(str, votes)])
            for split, name, votes in zip(self.splits, self.names, self.votes, strict=True)
        ]
        path.write_text("\n".join([VOTE_HEADER, *lines]) + "\n")
        return path

    def write_official(self, root: Path) -> Path:
        """Write the authors' folders: the last of the rows that share a name, none without one."""
        last = {name: row for row, name in enumerate(self.names) if name}
        for split, folder in FOLDERS.items():
            rows = [row for row in last.values() if self.splits[row] == split]
            lines = [
                f'{self.names[row]},"(0, 0, 48, 48)",{",".join(map(str, self.votes[row]))}'
                for row in rows
            ]
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / "label.csv").write_text("\n".join(lines) + "\n")
        return root

    def write_points(self, path: Path, found: Sequence[bool]) -> Path:
        """Write landmarks, each face's a little beside the last; not-a-number where none."""
        shift = np.arange(len(self.labels), dtype=np.float32)[:, None, None] / 10
        points = models.face_points()[None] + shift
        points[~np.array(found)] = np.nan
        np.savez(path, points_xy=points.astype(np.float16), found=np.array(found))
        return path


def tiny_fer(per_split: int = 4, seed: int = 0) -> TinyFer:
    """Make a set whose every face has a clear majority, names and no duplicate."""
    rng = np.random.default_rng(seed)
    splits = [split for split in USAGES for _ in range(per_split)]
    n = len(splits)
    votes = np.zeros((n, 10), dtype=np.int64)
    votes[np.arange(n), np.arange(n) % 8] = 10
    return TinyFer(
        images=rng.integers(0, 256, (n, 48, 48), dtype=np.uint8),
        labels=[row % 7 for row in range(n)],
        splits=splits,
        names=[f"fer{row:07}.png" for row in range(n)],
        votes=votes,
    )
