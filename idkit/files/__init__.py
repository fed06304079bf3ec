"""The only opener of files: arrays with metadata, and tables, from and to anywhere.

    artefact = read("runs/a/latents.npz", schema="idkit.latents/1")   # or '-', or FILE:KEY
    z = as_floats(artefact.array("z"), artefact.label)
    write("out.safetensors", {"z": z}, metadata("idkit.latents/1", "embed", [artefact]))

Two formats are equals: safetensors and NPZ, chosen by the extension on writing and told apart by
content on reading; `.npy` and tables of text are read as well. Large files are mapped, nothing is
ever unpickled, sizes that a file declares are checked before memory is taken, checksums before
values are given, and a file is written whole or not at all.
"""

from idkit.files.artefact import Artefact, metadata
from idkit.files.limits import limit_memory
from idkit.files.members import describe_bytes
from idkit.files.numbers import as_floats, blocks
from idkit.files.outputs import refuse_existing, sweep, write_bytes
from idkit.files.reading import read, read_any, read_table
from idkit.files.sources import single_stdin
from idkit.files.summary import Summary, summarise
from idkit.files.tables import Table
from idkit.files.validation import require
from idkit.files.writing import check_extension, write

__all__ = [
    "Artefact",
    "Summary",
    "Table",
    "as_floats",
    "blocks",
    "check_extension",
    "describe_bytes",
    "limit_memory",
    "metadata",
    "read",
    "read_any",
    "read_table",
    "refuse_existing",
    "require",
    "single_stdin",
    "summarise",
    "sweep",
    "write",
    "write_bytes",
]
