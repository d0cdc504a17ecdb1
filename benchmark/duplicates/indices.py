"""Compare nearest-neighbour indices with the exact search for near-duplicates, on the descriptors of a set of images.

    python -m benchmark.duplicates descriptors FOLDER DESCRIPTORS.npy --images 10000
    pip install faiss-cpu hnswlib pynndescent numpy   # in an environment of its own: the project needs none of them
    python benchmark/duplicates/indices.py DESCRIPTORS.npy [NAME ...]

Each index lists for every upright view the NEAREST views, of both orientations. Printed: processor time, and the share
of the truly nearest (by inner product above MINIMUM, those that the search verifies) that it lists. On two cores:

    index              10,000 digits       10,000 photographs  70,000 digits
    exact              2.2 s    1.000       2.6 s    1.000     104 s    1.000
    faiss, flat        2.0 s    1.000       2.2 s    0.996      77 s    1.000
    faiss, IVF         1.7 s    0.971       1.9 s    0.725      45 s    0.993
    faiss, HNSW        4.5 s    0.999       6.8 s    0.992      39 s    0.998
    hnswlib            3.2 s    1.000       6.4 s    0.994      38 s    0.998
    pynndescent        119 s    0.989        33 s    0.964      45 s    0.981

An approximate index saves a minute of ten at 70,000 images and nothing below 20,000, finds other neighbours with
another number of threads (HNSW, pynndescent), and misses some. So the search is exact.
"""

import resource
import sys
import time

import numpy as np

NEAREST, BLOCK, ROWS = 7, 8192, 1024  # an image finds itself first
MINIMUM = 0.25 * 4000**2


def exact(queries, base):
    """Blocks of matrix products, as versus/images/duplicates/neighbours.py has them."""
    found = np.empty((len(queries), NEAREST), int)
    for start in range(0, len(queries), ROWS):
        rows = queries[start:start + ROWS]
        names, values = np.empty((len(rows), 0), int), np.empty((len(rows), 0), np.float32)
        for block in range(0, len(base), BLOCK):
            new = rows @ base[block:block + BLOCK].T
            best = np.argpartition(new, -NEAREST)[:, -NEAREST:]
            names = np.concatenate([names, best + block], axis=1)
            values = np.concatenate([values, np.take_along_axis(new, best, 1)], axis=1)
            keep = np.argpartition(values, -NEAREST)[:, -NEAREST:]
            names, values = np.take_along_axis(names, keep, 1), np.take_along_axis(values, keep, 1)
        found[start:start + ROWS] = names
    return found


def faiss_flat(queries, base):
    import faiss
    index = faiss.IndexFlatIP(base.shape[1])
    index.add(base)
    return index.search(queries, NEAREST)[1]


def faiss_hnsw(queries, base):
    import faiss
    index = faiss.IndexHNSWFlat(base.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = 100, 64
    index.add(base)
    return index.search(queries, NEAREST)[1]


def faiss_ivf(queries, base):
    import faiss
    lists = int(4 * np.sqrt(len(base)))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(base.shape[1]), base.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.train(base)
    index.add(base)
    index.nprobe = lists // 16
    return index.search(queries, NEAREST)[1]


def hnswlib_index(queries, base):
    import hnswlib
    index = hnswlib.Index("ip", base.shape[1])
    index.init_index(len(base), M=32, ef_construction=100, random_seed=0)
    index.add_items(base)
    index.set_ef(64)
    return index.knn_query(queries, NEAREST)[0]


def pynndescent_index(queries, base):
    import pynndescent
    index = pynndescent.NNDescent(base, metric="cosine", n_neighbors=30, random_state=0)
    return index.query(queries, NEAREST)[0]


INDICES = {each.__name__: each for each in (exact, faiss_flat, faiss_ivf, faiss_hnsw, hnswlib_index, pynndescent_index)}


def main(path, *names):
    base = np.load(path)
    queries = base[:len(base) // 2]
    truth = exact(queries, base)
    products = np.take_along_axis(truth, np.arange(NEAREST)[None], 1)
    products = np.stack([(queries * base[products[:, k]]).sum(1) for k in range(NEAREST)], axis=1)
    wanted = (products >= MINIMUM) & (truth != np.arange(len(queries))[:, None])
    print(f"{len(queries):,} images, {wanted.sum():,} neighbours above the limit\nindex               processor s  "
          "wall s  listed  peak GiB", flush=True)
    for name in names or INDICES:
        start, processor = time.perf_counter(), time.process_time()
        found = INDICES[name](queries, base)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        listed = (truth[:, :, None] == found[:, None, :]).any(axis=2)[wanted].mean()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{name:18} {processor:12.1f} {seconds:7.1f} {listed:7.3f} {peak:9.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
