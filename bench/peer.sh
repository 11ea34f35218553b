# Read by bench/run and bench/gpu/run: PyTorch, and the bench of the steps. Sets `python`; `built FLAG...` builds and prints the program.
# PROGRAM names a bench that is built already, for machines without a compiler.

python="${PEER_PYTHON:-python3}"
if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
    cat >&2 <<EOF
$0: $python has no PyTorch. Make an environment that has it and name its Python:
    python3 -m venv /tmp/peer
    /tmp/peer/bin/pip install torch numpy        # a build for the processor is enough for bench/run
    PEER_PYTHON=/tmp/peer/bin/python $0
EOF
    exit 2
fi

built() {
    if [ -n "${PROGRAM:-}" ]; then
        echo "$PROGRAM"
        return
    fi
    cargo bench --locked "$@" --bench baby_scale --no-run >&2 || return
    cargo bench --locked "$@" --bench baby_scale --no-run --message-format json 2>/dev/null | "$python" -c 'import json, sys
lines = map(json.loads, sys.stdin)
print([m["executable"] for m in lines if m.get("target", {}).get("name") == "baby_scale" and m.get("executable")][-1])'
}

export PYTHONPATH=bench PYTHONWARNINGS=ignore
