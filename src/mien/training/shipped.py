"""The recipes that ship, by name: those of our models, and one for each published run."""

from pathlib import Path

from mien.errors import UsageError, unknown_name

_PACKAGE = Path(__file__).parents[1]


def folder() -> Path:
    """Give the folder of the recipes: in the package, or beside `src` in a clone."""
    installed = _PACKAGE / "recipes"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "recipes"


def names() -> list[str]:
    """List the recipes that ship."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def recipe_path(recipe: str | Path) -> Path:
    """Find a recipe by its path or by the name of one that ships."""
    path = Path(recipe)
    if path.suffix == ".toml" or path.exists():
        return path
    if str(recipe) in names():
        return folder() / f"{recipe}.toml"
    raise UsageError(f"{unknown_name('recipe', str(recipe), names())}; and no file of that name")
