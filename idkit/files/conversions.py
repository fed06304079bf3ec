"""The line that makes, of a file of another tool, one that idkit reads."""

import re
from pathlib import Path

from idkit.errors import LONGEST, SPEAKER

STANDARD_INPUT = "standard input"
ANY = "FILE"  # where the name of the file would be too long, or is not known
ANY_ARRAY = "NAME"
UNQUOTED = re.compile(r"""["'$`\\!]""")  # what a shell, or Python, does not take as it stands
ALL = "np.savez({npz}, **(o if isinstance(o, dict) else dict(z=o)))"

PICKLE = "import numpy as np, pickle; o = pickle.load(open({file}, 'rb')); " + ALL
JOBLIB = "import joblib, numpy as np; o = joblib.load({file}); " + ALL
TORCH = "import numpy as np, torch; o = torch.load({file}, 'cpu'); " + ALL  # 2.6: of weights only
OBJECTS = (
    "import numpy as np; np.save({npy}, np.array(np.load({file}, allow_pickle=True).tolist()))"
)
MEMBERS = (
    "import numpy as np; f = np.load({file}, allow_pickle=True); "
    "np.savez({npz}, **{{k: np.array(f[k].tolist()) for k in f}})"
)
DICT = "import numpy as np; np.savez({npz}, **np.load({file}, allow_pickle=True).item())"
STRUCTURED = (
    "import numpy as np, numpy.lib.recfunctions as r; "
    "np.save({npy}, r.structured_to_unstructured(np.load({file})))"
)
STRUCTURED_MEMBER = STRUCTURED.replace("np.load({file})", "np.load({file})[{key}]")
HDF5 = "import h5py, numpy as np; np.savez({npz}, z=h5py.File({file})['NAME'])"
ANNDATA = (
    "import anndata, numpy as np; a = anndata.read_h5ad({file}); "
    "np.savez({npz}, z=a.obsm['X_pca'], obs_names=a.obs_names.to_numpy(str))"
)
MATLAB = "import numpy as np, scipy.io; np.savez({npz}, z=scipy.io.loadmat({file})['NAME'])"
MATLAB_HDF5 = "import h5py, numpy as np; np.savez({npz}, z=h5py.File({file})['NAME'][()].T)"
PARQUET = "import pandas; pandas.read_parquet({file}).to_csv({csv}, index=False)"
FEATHER = "import pandas; pandas.read_feather({file}).to_csv({csv}, index=False)"
EXCEL = "import pandas; pandas.read_excel({file}).to_csv({csv}, index=False)"
ZARR = "import numpy as np, zarr; np.save({npy}, zarr.open({file})[:])"
MATRIX_MARKET = "import numpy as np, scipy.io; np.save({npy}, scipy.io.mmread({file}).toarray())"
WORD2VEC = (
    "from gensim.models import KeyedVectors as K; "
    "K.load_word2vec_format({file}, binary=True).save_word2vec_format({txt})"
)
RDATA = "load({file}); write.csv(NAME, {csv}, row.names = FALSE)"
RDS = "write.csv(readRDS({file}), {csv}, row.names = FALSE)"


def by_python(label: str, what: str, code: str, *, key: str | None = None) -> str:
    """A message that ends in a command.

    Args:
        label: the file, as the user typed it.
        what: what it is, in a sentence that goes on.
        code: one of this module, with the names of files left open.
        key: the array of the file that is spoken of.
    """
    subject = label if key is None else f"{label}:{key}"
    return _fitting(label, f"{subject} {what}", f'python -c "{code}"', key)


def in_r(label: str, what: str, code: str) -> str:
    """The same, in the language R."""
    return _fitting(label, f"{label} {what}", f"in R, {code}", None)


def _fitting(label: str, said: str, command: str, key: str | None) -> str:
    """The message with the file as it was typed, else by its name alone, else by none."""
    names = (ANY,) if label == STANDARD_INPUT else (label, Path(label).name, ANY)
    array = repr(key if key and not UNQUOTED.search(key) else ANY_ARRAY)
    texts = [
        f"{said}: {command.format(file=repr(name), key=array, **_targets(name))}"
        for name in names
        if not UNQUOTED.search(name)
    ]
    return next((text for text in texts if len(text) <= LONGEST - SPEAKER), texts[-1])


def _targets(name: str) -> dict[str, str]:
    """Names for what is made, in the working folder, by extension; never the file itself."""
    stem = Path(name).stem
    made = {ending: f"{stem}.{ending}" for ending in ("npz", "npy", "csv", "txt")}
    return {
        ending: repr(target if target != Path(name).name else f"{stem}-new.{ending}")
        for ending, target in made.items()
    }
