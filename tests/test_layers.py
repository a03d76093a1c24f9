"""The architecture is a table: a unit imports only units above it, and the packages named."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "mien"

# Every unit may import the units above it, the standard library, numpy, and what it names.
UNITS: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),
    "expressions": set(),
    "progress": {"rich"},
    "geometry": set(),
    "records": set(),
    "images": {"PIL"},
    "metrics": set(),
    "report": {"matplotlib"},
    "weights": set(),
    "session": {"onnxruntime"},
    "readings": set(),
    "preparation": set(),
    "faces": set(),
    "occlusion": set(),
    "recognizer": set(),
    "media": set(),
    "data": set(),
    "evaluation": set(),
    "networks": {"torch"},
    "training": {"torch", "safetensors", "onnx"},
    "study": {"sklearn", "captum", "matplotlib"},
    "live": set(),
    "serve": {"fastapi", "uvicorn", "starlette", "prometheus_client"},
    "cli": {"typer", "rich"},
}

# A heavy package that only one file of its unit may name.
FILES: dict[str, set[str]] = {
    "faces/dlib.py": {"dlib"},
    "faces/mtcnn.py": {"mtcnn"},
    "media/opencv.py": {"cv2"},
    "media/tracks.py": {"scipy"},
    "data/parquet.py": {"pyarrow"},
    "networks/pretrained.py": {"torchvision", "timm"},
    "training/quantize.py": {"onnxruntime"},
    "training/trackers.py": {"mlflow"},
    "study/cam.py": {"torch"},
}

# Needed only where they are used: imported inside a function, wherever they are allowed.
LATE = {
    "matplotlib",
    "rich",
    "captum",
    "cv2",
    "scipy",
    "dlib",
    "mtcnn",
    "pyarrow",
    "torchvision",
    "timm",
    "mlflow",
}

# Part of the standard library, and still with one home.
HOMES = {"tkinter": "live"}


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield every imported module and whether it is imported with the file.

    `from mien import x` counts as `mien.x`; a relative import as `.`.
    """
    late = {id(node) for body in ast.walk(tree) if waits(body) for node in ast.walk(body)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((name, id(node) not in late) for name in imported(node))


def waits(node: ast.AST) -> bool:
    """Tell whether what stands in a node is not run with its file: a function, or types alone."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def imported(node: ast.ImportFrom) -> list[str]:
    if node.level or node.module is None:
        return ["."]
    if node.module == "mien":
        return [f"mien.{alias.name}" for alias in node.names]
    return [node.module]


def violations(path: Path, source: str) -> list[str]:
    """List what a file imports and must not."""
    return [
        f"{path.relative_to(PACKAGE)}: {name}: {reason}"
        for name, at_top in imports(ast.parse(source))
        if (reason := objection(path, name, at_top))
    ]


def objection(path: Path, name: str, at_top: bool) -> str:
    unit, (top, _, rest) = unit_of(path), name.partition(".")
    if name.startswith("."):
        return "imports are absolute"
    if top == "mien":
        return layer_objection(unit, rest.partition(".")[0])
    if top in sys.stdlib_module_names:
        return "" if HOMES.get(top, unit) == unit else f"belongs to {HOMES[top]}"
    if top not in {"numpy"} | UNITS[unit] | FILES.get(str(path.relative_to(PACKAGE)), set()):
        return "this package has another home"
    return "must be imported inside a function" if at_top and top in LATE else ""


def layer_objection(unit: str, other: str) -> str:
    order = list(UNITS)
    if other == "__version__":
        return ""
    if other not in order:
        return "no such unit"
    return "" if order.index(other) <= order.index(unit) else f"{other} lies above {unit}"


def sources() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem[0] != "_"
    )


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    assert not violations(path, path.read_text("utf-8"))


def test_every_unit_of_the_package_is_in_the_table() -> None:
    assert {unit_of(path) for path in sources()} <= set(UNITS)


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("geometry.py", "import numpy as np, math", []),
        ("geometry.py", "from mien import images", ["images lies above geometry"]),
        ("geometry.py", "import mien.recognizer", ["recognizer lies above geometry"]),
        ("images/read.py", "from mien.geometry import nms\nfrom PIL import Image", []),
        ("images/read.py", "from mien.images.resize import resize", []),
        ("images/read.py", "from . import resize", ["imports are absolute"]),
        ("recognizer.py", "import onnxruntime", ["this package has another home"]),
        ("recognizer.py", "def f():\n    import torch", ["this package has another home"]),
        ("training/quantize.py", "import onnxruntime", []),
        ("media/opencv.py", "def f():\n    import cv2", []),
        ("cli/demo.py", "if TYPE_CHECKING:\n    from rich.table import Table", []),
        ("media/opencv.py", "import cv2", ["must be imported inside a function"]),
        ("media/folders.py", "def f():\n    import cv2", ["this package has another home"]),
        ("cli/demo.py", "import tkinter", ["belongs to live"]),
        ("records.py", "from mien.emotions import joy", ["no such unit"]),
    ],
)
def test_the_rule_sees_what_breaks_it(file: str, source: str, expected: list[str]) -> None:
    found = [line.rpartition(": ")[2] for line in violations(PACKAGE / file, source)]
    assert found == expected


def test_no_file_outgrows_its_reader() -> None:
    long = {str(path): n for path in sources() if (n := len(path.read_text().splitlines())) > 300}
    assert not long


def test_the_package_stays_small_enough_to_read() -> None:
    assert sum(len(path.read_text("utf-8").splitlines()) for path in sources()) <= 36_500
