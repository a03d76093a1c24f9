"""Read facial expressions from photographs, also when part of the face is hidden."""

from mien.errors import (
    DataError,
    InputError,
    MienError,
    MissingExtraError,
    ModelError,
    OutputError,
    UsageError,
)
from mien.expressions import EXPRESSIONS
from mien.preparation import Preparation
from mien.recognizer import ExpressionReader, Recognizer
from mien.records import Face, Prediction
from mien.weights import list_models

__version__ = "0.1.0"

__all__ = [
    "EXPRESSIONS",
    "DataError",
    "ExpressionReader",
    "Face",
    "InputError",
    "MienError",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "Prediction",
    "Preparation",
    "Recognizer",
    "UsageError",
    "__version__",
    "list_models",
]
