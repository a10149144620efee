"""Converts many files on a cluster: cluster.py dask|ray FOLDER OUT."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import cntk2onnx


def convert(source: str, target: str) -> tuple[str, str]:
    """Converts one file; its name, and what became of it. Runs in a worker."""
    try:
        cntk2onnx.load(source).to_onnx(target)
    except (cntk2onnx.InvalidModelError, cntk2onnx.UnsupportedError, OSError) as e:
        return source, f"{type(e).__name__}: {e}"
    return source, "converted"


def jobs(sources: Iterable[Path], folder: Path) -> list[tuple[str, str]]:
    """Arguments of :func:`convert`."""
    return [(str(source), str(folder / f"{source.stem}.onnx")) for source in sources]


def with_dask(sources: Iterable[Path], folder: Path, workers: int = 2) -> dict[str, str]:
    """On a local Dask cluster; give ``Client`` an address for another."""
    from dask.distributed import Client

    with Client(n_workers=workers, threads_per_worker=1, dashboard_address=None) as client:
        futures = [client.submit(convert, *job) for job in jobs(sources, folder)]
        return dict(client.gather(futures))


def with_ray(sources: Iterable[Path], folder: Path, workers: int = 2) -> dict[str, str]:
    """On a local Ray cluster; give ``init`` an address for another."""
    import ray

    ray.init(num_cpus=workers, include_dashboard=False)
    try:
        remote = ray.remote(convert)
        return dict(ray.get([remote.remote(*job) for job in jobs(sources, folder)]))
    finally:
        ray.shutdown()


if __name__ == "__main__":
    run = {"dask": with_dask, "ray": with_ray}[sys.argv[1]]
    for name, outcome in run(sorted(Path(sys.argv[2]).glob("*.model")), Path(sys.argv[3])).items():
        print(f"{name}: {outcome}")
