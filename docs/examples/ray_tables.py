"""Tables of all runs in a folder or bucket, by Ray Data on all machines that it knows.

    python ray_tables.py s3://bucket/runs s3://bucket/tables

makes folders `runs`, `steps`, `calls`, `files` and `failures` of Parquet files.
"""

import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pyarrow
import ray
from pyarrow.fs import FileSelector, FileSystem, LocalFileSystem, copy_files

from oh_tui import runs
from oh_tui.batch.table_writer import schema
from oh_tui.trajectory.tables import SCHEMAS

ENDINGS = (".zip", ".tar.gz", ".jsonl", ".parquet")


def files_in(place):
    """The file system of a place, and the paths of the files with runs in it."""
    system, top = FileSystem.from_uri(place)
    found = system.get_file_info(FileSelector(top, recursive=True))
    return system, [one.path for one in found if one.is_file and one.path.endswith(ENDINGS)]


def tables_of(system, row):
    """For each run in a file the rows of each table, as JSON."""
    source = row["item"]
    with TemporaryDirectory() as folder:
        path = Path(folder, Path(source).name)
        copy_files(source, str(path), system, LocalFileSystem())
        try:
            for run in runs.open_all(path):
                tables = run.to_rows(run=f"{source}#{run.id}", source=source)
                yield {name: msgspec.json.encode(getattr(tables, name)) for name in SCHEMAS}
        except runs.Problem as problem:  # the other files are read all the same
            print(f"{source}: {problem.sentence}", file=sys.stderr)


def as_table(name, batch):
    """The rows of one table."""
    found = [row for text in batch[name] for row in json.loads(text.as_py())]
    return pyarrow.Table.from_pylist(found, schema=schema(pyarrow, name))


def main(place, target):
    system, paths = files_in(place)
    rows = ray.data.from_items(paths).flat_map(partial(tables_of, system)).materialize()
    for name in SCHEMAS:
        table = rows.select_columns([name]).map_batches(
            partial(as_table, name), batch_format="pyarrow", batch_size=500
        )
        table.write_parquet(f"{target}/{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
