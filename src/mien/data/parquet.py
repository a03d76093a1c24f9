"""Tables in Parquet files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from mien.errors import DataError, MissingExtraError

_AT_ONCE = 4096  # rows of a block


def read_parquet(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield row numbers and values as text, "" where there is none; row 0 is the header."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f"reading {path}", "pyarrow", "parquet") from error
    try:
        with arrow.parquet.ParquetFile(path) as file:
            yield 0, file.schema_arrow.names
            row = 0
            for batch in file.iter_batches():
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    row += 1
                    yield row, ["" if value is None else str(value).strip() for value in values]
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}; fetch the file again") from error


class ParquetWriter:
    """Write rows to a stream, block by block; `columns` say what each holds: str, int ...

    What a row does not have is empty.
    """

    def __init__(self, stream: BinaryIO, columns: Mapping[str, type]) -> None:
        try:
            import pyarrow as arrow
            import pyarrow.parquet
        except ImportError as error:
            raise MissingExtraError("writing Parquet", "pyarrow", "parquet") from error
        kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
        kinds[bool] = arrow.bool_()
        self._batch = arrow.RecordBatch
        self._schema = arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
        self._file = arrow.parquet.ParquetWriter(stream, self._schema)
        self._rows: list[Mapping[str, Any]] = []

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows."""
        self._rows += rows
        if len(self._rows) >= _AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        self._file.write_batch(self._batch.from_pylist(self._rows, schema=self._schema))
        self._rows = []
