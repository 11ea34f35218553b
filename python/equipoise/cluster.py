"""
Units of work on many machines: the files that ``equipoise task`` carries out, by Ray, or by the script of a scheduler.

A unit is a pure function of its file, and done when ``finished.json`` is in its directory; ``docs/tasks.md`` has the format. Every way
to run units gives the same files, on one machine or on many that share a disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._errors import ConfigError, MachineError

TRY_AGAIN = 75
"""The exit code of a unit that was interrupted, or whose machine failed."""

_TARGETS = ("slurm", "hq", "k8s")
_CONTENTS = ("text", "image", "audio")


@dataclass(frozen=True)
class Outcome:
    """What became of a unit."""

    spec: Path
    """Its file."""
    code: int
    """The exit code of the last try: 0 done, 75 try again, anything else final."""
    message: str
    """What it said at the end."""

    @property
    def done(self) -> bool:
        """Whether its results are there."""
        return self.code == 0


def program() -> str:
    """
    The program ``equipoise``: ``EQUIPOISE_PROGRAM``, the one beside this interpreter, or the first on the search path.

    Raises
    ------
    MachineError
        If there is none.
    """
    named = os.environ.get("EQUIPOISE_PROGRAM")
    beside = Path(sys.executable).parent / "equipoise"
    found = named or (str(beside) if beside.is_file() else shutil.which("equipoise"))
    if found is None:
        raise MachineError("no program `equipoise`: install the package with pip, or name the program in EQUIPOISE_PROGRAM")
    return found


def run_task(spec: str | os.PathLike[str], *, threads: int = 1, tries: int = 3) -> Outcome:
    """
    Carry out one unit in a process of its own, and try again where that may help.

    The process ends with this one: it holds the other end of its standard input.

    Parameters
    ----------
    spec : path
        The unit's file.
    threads : int
        Size of its thread pool. Results do not depend on it.
    tries : int
        How often it is begun at most.
    """
    path = Path(spec).absolute()
    command = [program(), "task", str(path), "--with-stdin", "--wait", "60", "--quiet", "--threads", str(threads)]
    outcome = Outcome(path, TRY_AGAIN, "not begun")
    for _ in range(max(tries, 1)):
        pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, **pipe) as process:  # type: ignore[call-overload]
            try:
                # Reading to the end first: standard input stays open until the unit is done.
                said = process.stderr.read().decode(errors="replace").strip()
                code = process.wait()
            except BaseException:
                process.kill()
                raise
        # A process that a signal ended may succeed another time.
        outcome = Outcome(path, TRY_AGAIN if code < 0 else code, said[-300:])
        if outcome.code != TRY_AGAIN:
            break
    return outcome


def run_tasks(
    specs: Iterable[str | os.PathLike[str]],
    *,
    on: str | None = None,
    jobs: int = 1,
    threads: int = 1,
    tries: int = 3,
) -> list[Outcome]:
    """
    Carry out units: on this machine, or on the nodes of a Ray cluster that share a disk.

    Parameters
    ----------
    specs : list of path
        Files of units. What is finished is not done again.
    on : str, optional
        ``"ray"`` for the cluster that Ray finds, or begins on this machine; ``"ray:ADDRESS"`` for another.
    jobs : int
        Units at a time on this machine. On Ray it is as many as there are processors for.
    threads : int
        Threads of each unit, and processors that it asks Ray for.
    tries : int
        How often a unit is begun at most where its node died, or it says that it may succeed another time.

    Returns
    -------
    list of Outcome
        In the order of the units.
    """
    paths = [Path(spec).absolute() for spec in specs]
    if on is None:
        with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
            return list(pool.map(lambda path: run_task(path, threads=threads, tries=tries), paths))
    engine, _, address = on.partition(":")
    if engine != "ray":
        raise ConfigError(f"on = {on!r:.100}, expected ray or ray:ADDRESS")
    return _on_ray(paths, address or None, threads, tries)


def _on_ray(paths: list[Path], address: str | None, threads: int, tries: int) -> list[Outcome]:
    import ray

    if not ray.is_initialized():
        where = address or ("auto" if os.environ.get("RAY_ADDRESS") else None)
        # What names the program and the package here names them there.
        handed_on = {name: os.environ[name] for name in ("EQUIPOISE_PROGRAM", "PYTHONPATH") if name in os.environ}
        ray.init(address=where, log_to_driver=False, logging_level="ERROR", runtime_env={"env_vars": handed_on})
    # Ray begins a unit again on another node when the node that had it is gone.
    remote = ray.remote(num_cpus=threads, max_retries=tries)(run_task)
    waiting = [remote.remote(path, threads=threads, tries=tries) for path in paths]
    found = []
    for path, reference in zip(paths, waiting, strict=True):
        try:
            found.append(ray.get(reference))
        except ray.exceptions.RayError as error:
            found.append(Outcome(path, TRY_AGAIN, str(error).strip()[-300:]))
    return found


def encode(
    data: str | os.PathLike[str],
    kind: str,
    *,
    parts: int,
    work: str | os.PathLike[str],
    on: str | None = None,
    jobs: int = 1,
    threads: int = 1,
    tries: int = 3,
    **settings: Any,
) -> Outcome:
    """
    Features from the content of items, encoded in parts: each is a unit, and one more unit puts them together.

    The features are those of one machine, to the bit.

    Parameters
    ----------
    data : path
        The data set, on a disk that all nodes share.
    kind : {"text", "image", "audio"}
        What is encoded.
    parts : int
        Number of parts.
    work : path
        A directory for the files of the units, on the same disk.
    on, jobs, threads, tries
        As in :func:`run_tasks`.
    **settings
        Of the encoding, as the flags of ``equipoise features`` with underscores: ``model``, ``texts``, ``images``, ``audio``, ``name``.
        Paths are those of this process.

    Returns
    -------
    Outcome
        Of the first unit that failed, or of the last one.
    """
    place = Path(data).absolute()
    if kind not in _CONTENTS or parts < 1:
        raise ConfigError(f"kind = {kind!r:.100}, parts = {parts}; expected {', '.join(_CONTENTS)}, and at least 1 part")
    for name in ("texts", "images", "audio", "out"):
        if name in settings:
            settings[name] = str(Path(settings[name]).absolute())
    config = {"data": str(place), "out": str(place), **settings}
    specs = []
    for number in (*range(parts), None):
        here = Path(work).absolute() / ("together" if number is None else f"part-{number}-of-{parts}")
        here.mkdir(parents=True, exist_ok=True)
        shard = {} if number is None else {"shard": f"{number}/{parts}"}
        specs.append(here / "task.json")
        specs[-1].write_text(json.dumps({"kind": f"encode-{kind}", "config": {**config, **shard}}))
    done = run_tasks(specs[:-1], on=on, jobs=jobs, threads=threads, tries=tries)
    failed = [outcome for outcome in done if not outcome.done]
    return failed[0] if failed else run_task(specs[-1], threads=threads, tries=tries)


def recommend(
    users: Any, model: str | os.PathLike[str], *, n: int = 10, column: str = "user", concurrency: int = 1, threads: int = 1
) -> Any:
    """
    Lists for the users of a Ray data set, by actors that each hold the model.

    Parameters
    ----------
    users : ray.data.Dataset
        With a column of raw user ids.
    model : path
        A saved model or a run, on a disk that all nodes share.
    n : int
        Length of a list.
    column : str
        The column of ids.
    concurrency : int
        Number of actors.
    threads : int
        Threads of each, and processors that it asks for.

    Returns
    -------
    ray.data.Dataset
        ``user``, ``rank``, ``item``, ``score``; Arrow batches, without copies between Rust and Arrow.
    """
    place = str(Path(model).absolute())
    return users.map_batches(
        _Recommender,
        fn_constructor_args=(place, n, column, threads),
        batch_format="pyarrow",
        concurrency=concurrency,
        num_cpus=threads,
    )


class _Recommender:
    """An actor that holds a model."""

    def __init__(self, model: str, n: int, column: str, threads: int) -> None:
        from ._model import load

        self._model, self._n, self._column, self._threads = load(model), n, column, threads

    def __call__(self, batch: Any) -> Any:
        found = self._model.recommend(users=batch[self._column], n=self._n, threads=self._threads)
        return found.to_arrow().select(["user", "rank", "item", "score"])


def export(
    specs: Sequence[str | os.PathLike[str]],
    target: str,
    *,
    threads: int = 1,
    tries: int = 3,
    parallelism: int | None = None,
    image: str | None = None,
    volume: str | None = None,
) -> str:
    """
    The script that carries out units by a scheduler: an array job over the same files.

    Parameters
    ----------
    specs : list of path
        Files of units, on a disk that all nodes share.
    target : {"slurm", "hq", "k8s"}
        ``slurm``: for ``sbatch``. ``hq``: HyperQueue, a script that submits itself. ``k8s``: an indexed job of Kubernetes in JSON, for
        ``kubectl apply -f``.
    threads : int
        Threads of each unit, and processors that it asks for.
    tries : int
        How often a unit is begun at most.
    parallelism : int, optional
        Units at a time; as many as there is room for by default.
    image, volume : str
        Of ``k8s``: the image with the program, and the claim of the volume that has the files, mounted at ``/work``; paths are taken
        below the deepest directory that all files share.

    Returns
    -------
    str
    """
    paths = [Path(spec).absolute() for spec in specs]
    if not paths:
        raise ConfigError("specs: no unit is given; expected at least one")
    if target not in _TARGETS:
        raise ConfigError(f"target = {target!r:.100}, expected {', '.join(_TARGETS)}")
    if target == "k8s":
        if image is None or volume is None:
            raise ConfigError("k8s: image and volume are needed: the image that has the program, the claim that has the files")
        return _indexed_job(paths, threads, tries, parallelism, image, volume)
    return _array_script(paths, target, threads, tries, parallelism)


def _array_script(paths: list[Path], target: str, threads: int, tries: int, parallelism: int | None) -> str:
    last = len(paths) - 1
    if target == "slurm":
        most = "" if parallelism is None else f"%{parallelism}"
        head = [f"#SBATCH --array=0-{last}{most}", f"#SBATCH --cpus-per-task={threads}", "#SBATCH --requeue"]
        begin, index = [], "SLURM_ARRAY_TASK_ID"
    else:
        head, index = [], "HQ_TASK_ID"
        begin = [
            'if [ -z "${HQ_TASK_ID:-}" ]; then',
            f'    exec hq submit --array 0-{last} --cpus={threads} --crash-limit={tries} bash "$0"',
            "fi",
        ]
    listed = [f"    {shlex.quote(str(path))}" for path in paths]
    return "\n".join(
        [
            "#!/usr/bin/env bash",
            *head,
            f"# {len(paths)} units; what is finished is not done again.",
            "set -u",
            *begin,
            "units=(",
            *listed,
            ")",
            f'unit=${{units[${index}]}}',
            f"for try in $(seq {tries}); do",
            f'    "${{EQUIPOISE_PROGRAM:-equipoise}}" task "$unit" --wait 60 --quiet --threads {threads} && exit 0',
            "    code=$?",
            f'    [ "$code" -eq {TRY_AGAIN} ] || exit "$code"',
            "done",
            f"exit {TRY_AGAIN}",
            "",
        ]
    )


def _indexed_job(
    paths: list[Path], threads: int, tries: int, parallelism: int | None, image: str, volume: str
) -> str:
    top = Path(os.path.commonpath([path.parent for path in paths]))
    within = [f"/work/{path.relative_to(top)}" for path in paths]
    command = (
        f"set -- {' '.join(shlex.quote(path) for path in within)}; shift $JOB_COMPLETION_INDEX; "
        f'exec equipoise task "$1" --wait 60 --quiet --threads {threads}'
    )
    container = {
        "name": "unit",
        "image": image,
        "command": ["sh", "-c", command],
        "resources": {"requests": {"cpu": str(threads)}, "limits": {"cpu": str(threads)}},
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
    }
    final = {"action": "FailIndex", "onExitCodes": {"containerName": "unit", "operator": "NotIn", "values": [TRY_AGAIN]}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "equipoise-units"},
        "spec": {
            "completionMode": "Indexed",
            "completions": len(paths),
            "parallelism": parallelism or len(paths),
            "backoffLimitPerIndex": tries - 1,
            # A node that is lost is no fault of the unit.
            "podFailurePolicy": {
                "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}, final]
            },
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [container],
                    "volumes": [{"name": "work", "persistentVolumeClaim": {"claimName": volume}}],
                }
            },
        },
    }
    return json.dumps(job, indent=2) + "\n"


def _main(arguments: Sequence[str]) -> int:
    """
    ``python -m equipoise.cluster --on ray task SPEC ...``: the program's command `task`, carried out by Ray.

    It ends when its standard input is closed, as the program does under ``--with-stdin``.
    """
    parser = argparse.ArgumentParser(prog="python -m equipoise.cluster")
    parser.add_argument("--on", default="ray", help="ray or ray:ADDRESS")
    parser.add_argument("command", choices=["task"])
    parser.add_argument("spec", type=Path, help="the file of the unit")
    parser.add_argument("--threads", type=int, default=1, help="of the unit, and processors that it asks for")
    parser.add_argument("--with-stdin", action="store_true", help="stop when standard input is closed")
    parser.add_argument("--wait", type=int, help="seconds for another process that has the unit: 60, whatever is given")
    parser.add_argument("--quiet", action="store_true", help="it says nothing in any case")
    given = parser.parse_args(arguments)
    if given.with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    (outcome,) = run_tasks([given.spec], on=given.on, threads=given.threads)
    if not outcome.done:
        print(outcome.message, file=sys.stderr)
    return outcome.code


def _end_with_stdin() -> None:
    """End this process, and with its connection to Ray the unit, when nobody holds the other end of standard input."""
    # Not through `sys.stdin`, whose lock a thread that waits would hold when the interpreter ends.
    while os.read(0, 1):
        pass
    os._exit(TRY_AGAIN)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
