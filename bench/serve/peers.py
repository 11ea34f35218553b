"""Two servers of the same tables in Python, for bench/serve/run.

    peers.py implicit MODEL PORT      implicit's `recommend` behind the HTTP server of the standard library
    peers.py cornac MODEL FOLDER      writes a Cornac model into FOLDER, which `flask --app cornac.serving.app` serves

MODEL is a served model of `made_model`: its blocks side by side are one table of users and one of items.
"""

import json
import pickle
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix


def read(model):
    tensors = load_file(Path(model) / "tables.safetensors")
    blocks = sum(1 for name in tensors if name.startswith("users."))
    users, items = (
        np.ascontiguousarray(np.concatenate([tensors[f"{side}.{b}"] for b in range(blocks)], axis=1))
        for side in ("users", "items")
    )
    indptr, indices = tensors["train.indptr"].astype(np.int64), tensors["train.indices"].astype(np.int32)
    seen = csr_matrix((np.ones(len(indices), dtype=np.float32), indices, indptr), shape=(len(users), len(items)))
    return users, items, seen


def implicit(model, port):
    from implicit.cpu.als import AlternatingLeastSquares

    users, items, seen = read(model)
    als = AlternatingLeastSquares(factors=users.shape[1])
    als.user_factors, als.item_factors = users, items
    rows = {f"u{row}": row for row in range(len(users))}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            row = rows[asked["users"][0]]
            ids, scores = als.recommend(row, seen[row], N=asked["n"], filter_already_liked_items=True)
            found = [{"id": f"i{item}", "score": float(score)} for item, score in zip(ids, scores)]
            body = json.dumps({"lists": [{"items": found}]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.daemon_threads = True
    server.serve_forever()


def cornac(model, folder):
    from cornac.data import Dataset
    from cornac.models import BPR

    users, items, seen = read(model)
    uids = {f"u{row}": row for row in range(len(users))}
    iids = {f"i{row}": row for row in range(len(items))}
    pairs = seen.tocoo()
    triples = (pairs.row, pairs.col, pairs.data)
    train = Dataset(len(uids), len(iids), uids, iids, triples)
    bpr = BPR(k=users.shape[1], trainable=False)
    bpr.u_factors, bpr.i_factors, bpr.i_biases = users, items, np.zeros(len(items), dtype=np.float32)
    bpr.num_users, bpr.num_items, bpr.uid_map, bpr.iid_map = len(uids), len(iids), uids, iids
    bpr.is_fitted = True
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (("model.pkl", bpr), ("model.pkl.trainset", train)):
        with open(folder / name, "wb") as file:
            pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    {"implicit": implicit, "cornac": cornac}[sys.argv[1]](*sys.argv[2:])
