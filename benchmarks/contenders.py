"""The commands that compute one case: losscli's, and those of other libraries."""

import importlib.util
import sys
from pathlib import Path

from benchmarks.cases import Case

#: reads the files with as many threads as there are cores and does nothing with what it reads
_DECODE = """
import numpy, os, sys, threading, pyarrow.parquet as pq
files = {files}
lock, jobs = threading.Lock(), iter([(f, g) for f in files
                                     for g in range(pq.ParquetFile(f).num_row_groups)])
def work():
    readers = {{f: pq.ParquetFile(f, pre_buffer=False, buffer_size=1 << 18) for f in files}}
    while True:
        with lock:
            job = next(jobs, None)
        if job is None:
            return
        step = max(1, (1 << 18) // {width})
        for _ in readers[job[0]].iter_batches(step, row_groups=[job[1]], use_threads=False):
            pass
threads = [threading.Thread(target=work) for _ in range(len(os.sched_getaffinity(0)))]
[t.start() for t in threads]
[t.join() for t in threads]
print()
"""
_DUCKDB = "import duckdb; duckdb.sql('SET enable_progress_bar = false')"
_DECODE_CSV = "import pyarrow.csv as pc; [pc.read_csv(f).num_rows for f in {files}]; print()"


def contenders(
    case: Case, paths: dict[str, Path], kind: str, out: Path | None, only: list[str] | None = None
) -> dict[str, list[str]]:
    """Each contender's command, or those of some. With `out`, it writes the losses of rows."""
    found = {"losscli": _losscli(case, paths, kind, out)}
    scripts = _scripts(case, paths, kind, out)
    for name, script in scripts.items():
        if name not in (only or scripts):
            continue
        library = name.rsplit(" ", 1)[-1]
        library = {"alone": "pyarrow", "scikit-learn": "sklearn"}.get(library, library)
        if script and importlib.util.find_spec(library):
            found[name] = [sys.executable, "-W", "ignore", "-c", script]
    return found


def _losscli(case: Case, paths: dict[str, Path], kind: str, out: Path | None) -> list[str]:
    command = [str(Path(sys.executable).with_name("losscli")), "compute", case.loss]
    if "data" in paths:
        command += ["--data", str(paths["data"])]
        if case.title.endswith("columns"):
            command += ["--pred", "pred_*"]
        elif kind == "csv":
            lists = [name for name, width in case.widths.items() if width]
            command += [x for name in lists for x in (f"--{name}", f"{name}_*")]
    else:
        command += [x for role, path in paths.items() for x in (f"--{role}", str(path))]
    command += ["--format", "value", *case.options]
    return command + (["--per-sample", str(out), "--force"] if out else [])


def _scripts(case: Case, paths: dict[str, Path], kind: str, out: Path | None) -> dict[str, str]:
    files = [str(path) for path in paths.values()]
    reader = "csv" if kind == "csv" else "parquet"
    read = f"f = pd.concat([pd.read_{reader}(x) for x in {files}], axis=1); "
    wide = case.rows is not None
    if case.title.endswith("columns"):
        read += "p = f[[f'pred_{i}' for i in range(100)]].to_numpy(); t = f['target'].to_numpy()"
    elif wide and kind == "csv":
        read += (
            f"f = {{n: f[[f'{{n}}_{{i}}' for i in range(w)]].to_numpy('float32') if w "
            f"else f[n].to_numpy() for n, w in {case.widths}.items()}}; "
            "p, t = f.get('pred'), f.get('target')"
        )
    elif wide:
        read += (
            "f = {n: np.stack(f[n]) if f[n].dtype == object else f[n].to_numpy() for n in f}; "
            "p, t = f.get('pred'), f.get('target')"
        )
    else:
        read += "p, t = f['pred'], f['target']"
    polars = (
        f"import polars as pl; f = pl.concat([pl.scan_{reader}(x) for x in {files}], "
        "how='horizontal'); e = "
    )
    table = f"'{files[0]}'" + "".join(f" POSITIONAL JOIN '{file}'" for file in files[1:])
    if out is not None:
        rows = {k: getattr(case, k).replace(".mean()", "") for k in ("numpy", "polars")}
        sql = case.duckdb.removeprefix("avg")
        return {
            "pandas + numpy": rows["numpy"]
            and f"import numpy as np, pandas as pd; {read}; "
            f"pd.DataFrame({{'loss': {rows['numpy']}}}).to_parquet('{out}'); print()",
            "polars": rows["polars"]
            and f"{polars}{rows['polars']}; "
            f"f.select(e.alias('loss')).sink_parquet('{out}'); print()",
            "duckdb": sql
            and f'{_DUCKDB}; duckdb.sql("COPY (SELECT {sql} AS loss FROM {table}) '
            f"TO '{out}' (FORMAT parquet)\"); print()",
        }
    tensors = "p, t = (None if x is None else torch.as_tensor(np.asarray(x)) for x in (p, t)); "
    tensors += (
        "f = {n: torch.as_tensor(np.asarray(x)) for n, x in f.items()}"
        if wide
        else "t = t.to(p.dtype)"
    )
    decode = _DECODE_CSV if kind == "csv" else _DECODE
    width = 100 if wide else 1
    return {
        "pandas + numpy": case.numpy
        and f"import numpy as np, pandas as pd; {read}; print({case.numpy})",
        "pandas + torch": case.torch
        and "import numpy as np, pandas as pd, torch; import torch.nn.functional as F; "
        f"{read}; {tensors}; print(({case.torch}).item())",
        "pandas + scikit-learn": case.sklearn
        and f"import numpy as np, pandas as pd; from sklearn import metrics; {read}; "
        f"print({case.sklearn})",
        "polars": case.polars
        and f"{polars}{case.polars}; print(f.select(e).collect(engine='streaming').item())",
        "duckdb": case.duckdb
        and f'{_DUCKDB}; found = duckdb.sql("SELECT {case.duckdb} FROM {table}").fetchall(); '
        "print(found[0][0])",
        "decode alone": decode.format(files=files, width=width),
    }
