"""What importing the package loads, seen from a fresh interpreter."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "mien"
THIRD_PARTY = {"numpy", "PIL", "onnxruntime"}
ABSENT = ("torch", "cv2", "matplotlib", "sklearn", "scipy", "onnx", "fastapi", "uvicorn", "tkinter")
# Everything else must work with the base install.
NEEDS_AN_EXTRA = {"networks", "training", "study", "live", "serve"}

LOADED = """
import json, sys
before = set(sys.modules)
import mien
print(json.dumps(sorted(set(sys.modules) - before)))
"""

WITHOUT = """
import importlib, sys
for name in {absent!r}:
    sys.modules[name] = None
for name in {modules!r}:
    importlib.import_module(name)
"""


@pytest.fixture
def loaded(fresh_python: Callable[[str], str]) -> list[str]:
    return json.loads(fresh_python(LOADED))


def test_importing_the_package_loads_nothing_heavy(loaded: list[str]) -> None:
    tops = {name.partition(".")[0] for name in loaded}
    assert not tops & set(ABSENT)
    assert {"mien", *THIRD_PARTY} <= tops


def test_importing_the_package_loads_prediction_and_nothing_above(loaded: list[str]) -> None:
    units = {name.split(".")[1] for name in loaded if name.startswith("mien.")}
    assert "recognizer" in units
    assert not units & {"data", "evaluation", "media", "report", "cli", *NEEDS_AN_EXTRA}


def base_modules() -> list[str]:
    """List every module of the units that the base install must run."""
    paths = [path.relative_to(PACKAGE.parent).with_suffix("") for path in PACKAGE.rglob("*.py")]
    needed = [path for path in paths if path.parts[1] not in {"__main__", *NEEDS_AN_EXTRA}]
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in needed)


def test_everything_but_training_and_its_like_imports_without_the_extras(
    fresh_python: Callable[[str], str],
) -> None:
    fresh_python(WITHOUT.format(absent=ABSENT, modules=base_modules()))


def test_importing_the_package_prints_nothing(fresh_python: Callable[[str], str]) -> None:
    assert fresh_python("import mien") == ""
