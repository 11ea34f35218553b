"""Units here, by the scripts of schedulers, and on three nodes of Ray of which one dies."""

import json
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

import equipoise as eq
from equipoise import cluster

PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parents[2] / "target")) / "debug" / "equipoise"


@pytest.fixture(autouse=True)
def program(monkeypatch):
    if "EQUIPOISE_PROGRAM" not in os.environ:
        if not PROGRAM.is_file():
            pytest.skip("the program is not built")
        monkeypatch.setenv("EQUIPOISE_PROGRAM", str(PROGRAM))


@pytest.fixture(scope="module")
def saved(clicks, image, tmp_path_factory):
    place = tmp_path_factory.mktemp("shared") / "data"
    items = [f"i{item}" for item in range(len(image))]
    eq.Dataset.from_frames(clicks, items=items, features={"image": image}, split="mmrec", quiet=True, save_to=place)
    return place


def units(place, data, seeds, epochs=3):
    """Files of trainings that differ by their seed."""
    found = []
    for seed in seeds:
        spec = place / f"seed{seed}" / "task.json"
        spec.parent.mkdir(parents=True)
        train = {"epochs": epochs, "metric": "recall@5", "batch_size": 64, "patience": 1000}
        config = {"seed": seed, "data": {"path": str(data)}, "backbone": {"name": "vbpr", "width": 8}, "train": train}
        spec.write_text(json.dumps({"kind": "train", "config": config}))
        found.append(spec)
    return found


def results(specs):
    """What decides every later table: the models, and the values of each user."""
    return [[(spec.parent / name).read_bytes() for name in ("tables.safetensors", "per_user.parquet")] for spec in specs]


def test_units_give_the_same_files_however_many_run_at_a_time(saved, tmp_path):
    one, two = units(tmp_path / "one", saved, [1, 2, 3]), units(tmp_path / "two", saved, [1, 2, 3])
    assert all(outcome.done for outcome in cluster.run_tasks(one))
    assert all(outcome.done for outcome in cluster.run_tasks(two, jobs=3, threads=2))
    assert results(one) == results(two)
    before = [spec.with_name("finished.json").stat().st_mtime_ns for spec in one]
    assert all(outcome.done for outcome in cluster.run_tasks(one))
    assert [spec.with_name("finished.json").stat().st_mtime_ns for spec in one] == before


def test_a_unit_that_fails_whenever_it_is_run_says_why_and_is_run_once(saved, tmp_path):
    spec = units(tmp_path, saved, [1])[0]
    broken = json.loads(spec.read_text())
    broken["config"]["train"]["lr"] = -1
    spec.write_text(json.dumps(broken))
    outcome = cluster.run_task(spec)
    assert not outcome.done and outcome.code != cluster.TRY_AGAIN and "train.lr" in outcome.message
    with pytest.raises(eq.ConfigError, match="ray"):
        cluster.run_tasks([spec], on="dask")


def pictures(place, count):
    """Pictures of items, in a format that is written in a line."""
    place.mkdir()
    rng = np.random.default_rng(5)
    for item in range(count):
        pixels = rng.integers(256, size=(24, 24, 3), dtype=np.uint8).tobytes()
        rows = b"".join(b"\0" + pixels[72 * row : 72 * row + 72] for row in range(24))
        chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        head = struct.pack(">IIBBBBB", 24, 24, 8, 2, 0, 0, 0)
        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        (place / f"i{item}.png").write_bytes(png)


def test_features_that_are_encoded_in_parts_are_those_of_one_machine(saved, tmp_path):
    pictures(tmp_path / "pictures", 40)
    found = []
    for parts in (1, 3):
        out, given = tmp_path / f"in {parts}", {"model": "builtin", "images": tmp_path / "pictures", "name": "seen"}
        outcome = cluster.encode(saved, "image", parts=parts, work=tmp_path / f"work{parts}", jobs=2, out=out, batch_tokens=100, **given)
        assert outcome.done, outcome.message
        found.append((out / "seen_feat.npy").read_bytes())
        assert not [path for path in out.iterdir() if path.name.startswith(".equipoise")]
    assert found[0] == found[1]
    broken = cluster.encode(saved, "image", parts=2, work=tmp_path / "none", model="builtin", images=tmp_path / "nowhere")
    assert not broken.done and broken.code != cluster.TRY_AGAIN and "nowhere" in broken.message
    with pytest.raises(eq.ConfigError, match="text, image, audio"):
        cluster.encode(saved, "smell", parts=2, work=tmp_path)


@pytest.mark.parametrize(("target", "index"), [("slurm", "SLURM_ARRAY_TASK_ID"), ("hq", "HQ_TASK_ID")])
def test_array_scripts_carry_out_each_unit(saved, tmp_path, target, index):
    specs = units(tmp_path / "it's here", saved, [1, 2])
    script = tmp_path / "array.sh"
    script.write_text(cluster.export(specs, target, threads=1, parallelism=2))
    for number in range(2):
        subprocess.run(["bash", script], check=True, env={**os.environ, index: str(number)})
    assert all(spec.with_name("finished.json").is_file() for spec in specs)
    if target == "slurm":
        assert "#SBATCH --array=0-1%2" in script.read_text()
    fake = tmp_path / "hq"
    fake.write_text('#!/bin/sh\necho "$@" > "$0.said"\n')
    fake.chmod(0o755)
    if target == "hq":
        environment = {key: value for key, value in os.environ.items() if key != index}
        environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
        subprocess.run(["bash", script], check=True, env=environment)
        assert (tmp_path / "hq.said").read_text().startswith("submit --array 0-1 --cpus=1 --crash-limit=3 bash")


def test_array_scripts_try_again_and_pass_final_codes_on(tmp_path):
    program = tmp_path / "equipoise"
    program.write_text('#!/bin/sh\necho x >> "$2.tries"\nexit $(cat "$2")\n')
    program.chmod(0o755)
    for code, tries in [(75, 3), (2, 1), (0, 1)]:
        spec = tmp_path / f"unit{code}"
        spec.write_text(str(code))
        script = tmp_path / "array.sh"
        script.write_text(cluster.export([spec], "slurm"))
        done = subprocess.run(["bash", script], env={"SLURM_ARRAY_TASK_ID": "0", "EQUIPOISE_PROGRAM": str(program), "PATH": os.environ["PATH"]})
        assert done.returncode == code
        assert len(Path(f"{spec}.tries").read_text().split()) == tries


def test_an_indexed_job_names_each_unit_and_what_is_final(saved, tmp_path):
    specs = units(tmp_path / "runs", saved, [1, 2, 3])
    job = json.loads(cluster.export(specs, "k8s", image="shop/equipoise:1", volume="runs", threads=2))
    spec = job["spec"]
    assert (spec["completions"], spec["parallelism"], spec["completionMode"]) == (3, 3, "Indexed")
    assert spec["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"] == [75]
    command = spec["template"]["spec"]["containers"][0]["command"][2]
    # The shell of the container, with a program that says what it was given.
    said = command.replace("exec equipoise", "echo")
    done = subprocess.run(["sh", "-c", said], env={"JOB_COMPLETION_INDEX": "2"}, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["task", "/work/seed3/task.json"]
    for given, says in [({}, "image and volume"), ({"target": "pbs"}, "slurm, hq, k8s")]:
        with pytest.raises(eq.ConfigError, match=says):
            cluster.export(specs, given.get("target", "k8s"))
    with pytest.raises(eq.ConfigError, match="at least one"):
        cluster.export([], "slurm")


def test_the_command_for_other_machines_ends_as_its_unit_does(monkeypatch, capsys, tmp_path):
    asked = []

    def run_tasks(specs, **given):
        asked.append((specs, given))
        return [cluster.Outcome(specs[0], codes.pop(0), "error: lr = -1")]

    monkeypatch.setattr(cluster, "run_tasks", run_tasks)
    codes = [0, 2, cluster.TRY_AGAIN]
    command = ["--on", "ray:host:6379", "task", str(tmp_path / "task.toml"), "--wait", "60", "--quiet", "--threads", "4"]
    assert [cluster._main(command) for _ in range(3)] == [0, 2, cluster.TRY_AGAIN]
    assert asked[0] == ([tmp_path / "task.toml"], {"on": "ray:host:6379", "threads": 4})
    assert capsys.readouterr().err == "error: lr = -1\n" * 2


def test_the_command_for_other_machines_ends_with_its_standard_input():
    script = "import sys, time, equipoise.cluster as c; c.run_tasks = lambda *a, **k: time.sleep(600); c._main(sys.argv[1:])"
    command = [sys.executable, "-c", script, "task", "task.toml", "--with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        time.sleep(0.5)
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(60) == cluster.TRY_AGAIN


@pytest.fixture(scope="module")
def nodes():
    # Nodes of this machine talk over the loopback device alone; Ray reads this when it is imported.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=head)
    others = [found.add_node(num_cpus=1, node_ip_address="127.0.0.1") for _ in range(2)]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "EQUIPOISE_PROGRAM": os.environ.get("EQUIPOISE_PROGRAM", str(PROGRAM))}
    ray.init(address=found.address, log_to_driver=False, runtime_env={"env_vars": environment})
    yield found, others
    ray.shutdown()
    found.shutdown()


@pytest.mark.filterwarnings("ignore")
def test_three_nodes_of_which_one_dies_give_the_files_of_one_machine(nodes, saved, tmp_path):
    import threading

    found, others = nodes
    alone, spread = units(tmp_path / "alone", saved, range(6), 150), units(tmp_path / "spread", saved, range(6), 150)
    assert all(outcome.done for outcome in cluster.run_tasks(alone))

    def kill():
        # In the middle: units are at work, and none or few are finished.
        while sum((spec.parent / "unit.json").is_file() for spec in spread) < 2:
            time.sleep(0.02)
        found.remove_node(others.pop(), allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = cluster.run_tasks(spread, on="ray")
    killer.join()
    assert all(outcome.done for outcome in outcomes), outcomes
    assert results(alone) == results(spread)


@pytest.mark.filterwarnings("ignore")
def test_a_table_by_ray_is_that_of_one_machine(nodes, saved, tmp_path):
    settings = ["train.epochs=3", "train.metric=recall@5", "backbone.width=8", "train.batch_size=64", "train.lr=0.01"]
    command = [cluster.program(), "reproduce", "table1", "--data", saved, "--dataset", "data", "--backbones", "vbpr", "--methods", "none"]
    command += [word for setting in settings for word in ("--set", setting)]
    command += ["--seeds", "2", "--jobs", "3", "--threads", "1", "--quiet", "--without-published"]
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    for out, on in [("here", []), ("there", ["--on", f"ray:{nodes[0].address}"])]:
        subprocess.run([*command, "--out", tmp_path / out, *on], check=True, env=environment)
    tables = [[(tmp_path / out / f"table1{end}.csv").read_bytes() for end in ("", "-runs", "-parts")] for out in ("here", "there")]
    assert tables[0] == tables[1]


@pytest.mark.filterwarnings("ignore")
def test_lists_by_actors_are_those_of_one_machine(nodes, model, tmp_path):
    import pyarrow as pa
    import ray

    model.save(tmp_path / "model")
    users = ray.data.from_arrow(pa.table({"user": model.users})).repartition(4)
    found = cluster.recommend(users, tmp_path / "model", n=5, concurrency=2)
    rows = sorted(found.take_all(), key=lambda row: (model.users.index(row["user"]), row["rank"]))
    expected = list(model.recommend_all(5).rows())
    assert [{**row, "score": pytest.approx(row["score"])} for row in expected] == rows


def test_hyperqueue_carries_out_the_array_script_on_three_workers(saved, tmp_path):
    pytest.importorskip("hyperqueue")
    from hyperqueue import Job
    from hyperqueue.cluster import LocalCluster, WorkerConfig

    here, there = units(tmp_path / "here", saved, range(1, 6)), units(tmp_path / "there", saved, range(1, 6))
    assert all(outcome.done for outcome in cluster.run_tasks(here))
    script = tmp_path / "array.sh"
    script.write_text(cluster.export(there, "hq"))
    with LocalCluster(str(tmp_path / "server")) as queue:
        for _ in range(3):
            queue.start_worker(WorkerConfig(cores=1))
        client, job = queue.client(), Job(tmp_path, max_fails=None)
        for number in range(len(there)):
            # The queue numbers its tasks by itself, from 0 as `submit --array` does in the script.
            environment = {"EQUIPOISE_PROGRAM": os.environ["EQUIPOISE_PROGRAM"], "PATH": os.environ["PATH"]}
            job.program(["bash", str(script)], env=environment, stderr=str(tmp_path / f"said-{number}"))
        client.wait_for_jobs([client.submit(job)], raise_on_error=True)
    assert results(there) == results(here)
