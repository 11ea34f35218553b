"""Tiny models of `rotary.py`: their files and what they make of some texts. Written by make_encoders.py."""

import numpy as np

import forward
import rotary
from tiny_files import byte_pair_tokenizer, rounded, safetensors, wordpiece_tokenizer, write
from tiny_tokens import byte_pairs, cut, wordpiece

MODERN = {
    "model_type": "modernbert", "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2,
    "intermediate_size": 24, "hidden_activation": "gelu", "max_position_embeddings": 64, "norm_eps": 1e-5,
    "global_attn_every_n_layers": 3, "local_attention": 6, "global_rope_theta": 160.0, "local_rope_theta": 10.0,
}
NOMIC = {
    "model_type": "nomic_bert", "n_embd": 16, "n_layer": 2, "n_head": 2, "n_inner": 24, "n_positions": 64,
    "max_trained_positions": 32, "pad_vocab_size_multiple": 8, "type_vocab_size": 2, "activation_function": "swiglu",
    "layer_norm_epsilon": 1e-12, "rotary_emb_base": 100.0, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False,
    "rotary_scaling_factor": None, "prenorm": False, "parallel_block": False, "causal": False,
}
QWEN3 = {
    "model_type": "qwen3", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 6, "intermediate_size": 24, "hidden_act": "silu",
    "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "rope_theta": 1000.0, "rope_scaling": None,
    "use_sliding_window": False,
}
JINA = {
    "model_type": "bert", "hidden_size": 18, "num_hidden_layers": 2, "num_attention_heads": 3,
    "intermediate_size": 24, "hidden_act": "gelu", "max_position_embeddings": 64, "layer_norm_eps": 1e-12,
    "type_vocab_size": 2, "pad_token_id": 0, "position_embedding_type": "alibi", "feed_forward_type": "geglu",
}


def draw(rng, maps, tables, norms, bare, dtype):
    """Random weights: `maps` and `norms` with biases but for those in `bare`."""
    p = {}
    for name, shape in tables.items():
        p[name] = rng.normal(0, 0.5, shape)
    for name, (outputs, inputs) in maps.items():
        p[name + ".weight"] = rng.normal(0, 1.5 / np.sqrt(inputs), (outputs, inputs))
        if not bare(name):
            p[name + ".bias"] = rng.normal(0, 0.3, outputs)
    for name, width in norms.items():
        p[name + ".weight"] = rng.uniform(0.5, 1.5, width)
        if not bare(name):
            p[name + ".bias"] = rng.normal(0, 0.3, width)
    return {name: rounded(value, dtype) for name, value in p.items()}


def modern(rng, words, dtype):
    w, h = MODERN["hidden_size"], MODERN["intermediate_size"]
    layers = range(MODERN["num_hidden_layers"])
    maps = {f"layers.{n}.{part}": shape for n in layers for part, shape in
            {"attn.Wqkv": (3 * w, w), "attn.Wo": (w, w), "mlp.Wi": (2 * h, w), "mlp.Wo": (w, h)}.items()}
    norms = {f"layers.{n}.{part}": w for n in layers for part in ("attn_norm", "mlp_norm") if n or part == "mlp_norm"}
    norms |= {"embeddings.norm": w, "final_norm": w}
    return draw(rng, maps, {"embeddings.tok_embeddings.weight": (words, w)}, norms, lambda name: True, dtype)


def nomic(rng, words, dtype):
    w, h = NOMIC["n_embd"], NOMIC["n_inner"]
    layers = range(NOMIC["n_layer"])
    maps = {f"encoder.layers.{n}.{part}": shape for n in layers for part, shape in
            {"attn.Wqkv": (3 * w, w), "attn.out_proj": (w, w), "mlp.fc11": (h, w), "mlp.fc12": (h, w),
             "mlp.fc2": (w, h)}.items()}
    norms = {f"encoder.layers.{n}.{part}": w for n in layers for part in ("norm1", "norm2")} | {"emb_ln": w}
    rows = -(-words // NOMIC["pad_vocab_size_multiple"]) * NOMIC["pad_vocab_size_multiple"]
    tables = {"embeddings.word_embeddings.weight": (rows, w), "embeddings.token_type_embeddings.weight": (2, w)}
    return draw(rng, maps, tables, norms, lambda name: "norm" not in name and name != "emb_ln", dtype)


def qwen(rng, words, dtype):
    w, h, d = QWEN3["hidden_size"], QWEN3["intermediate_size"], QWEN3["head_dim"]
    q, k = QWEN3["num_attention_heads"] * d, QWEN3["num_key_value_heads"] * d
    layers = range(QWEN3["num_hidden_layers"])
    maps = {f"layers.{n}.{part}_proj": shape for n in layers for part, shape in
            {"self_attn.q": (q, w), "self_attn.k": (k, w), "self_attn.v": (k, w), "self_attn.o": (w, q),
             "mlp.gate": (h, w), "mlp.up": (h, w), "mlp.down": (w, h)}.items()}
    norms = {f"layers.{n}.{part}": width for n in layers for part, width in
             {"input_layernorm": w, "post_attention_layernorm": w, "self_attn.q_norm": d, "self_attn.k_norm": d}.items()}
    return draw(rng, maps, {"embed_tokens.weight": (words, w)}, norms | {"norm": w}, lambda name: True, dtype)


def jina(rng, words, dtype):
    w, h = JINA["hidden_size"], JINA["intermediate_size"]
    layers = range(JINA["num_hidden_layers"])
    maps = {f"encoder.layer.{n}.{part}": shape for n in layers for part, shape in
            {"attention.self.query": (w, w), "attention.self.key": (w, w), "attention.self.value": (w, w),
             "attention.output.dense": (w, w), "mlp.gated_layers": (2 * h, w), "mlp.wo": (w, h)}.items()}
    norms = {f"encoder.layer.{n}.{part}": w for n in layers for part in ("attention.output.LayerNorm", "mlp.layernorm")}
    tables = {"embeddings.word_embeddings.weight": (words, w), "embeddings.token_type_embeddings.weight": (2, w)}
    norms |= {"embeddings.LayerNorm": w}
    return draw(rng, maps, tables, norms, lambda name: name.endswith("gated_layers"), dtype)


def cases(out, texts, pieces, merges):
    """Writes the four models below `out`."""
    bytes_tokenizer, vocabulary = byte_pair_tokenizer(merges)
    words = lambda text: cut(wordpiece(text, pieces), 24, pieces["[CLS]"], pieces["[SEP]"])
    pairs = lambda text: cut(byte_pairs(text, vocabulary, merges), 40, 0, 2)
    by_words, by_bytes = (wordpiece_tokenizer(pieces), words, 24, len(pieces)), (bytes_tokenizer, pairs, 40, len(vocabulary))
    models = [
        ("modernbert", MODERN, modern, rotary.modern_bert, by_words, "model.", "mean", "F32"),
        ("nomic_bert", NOMIC, nomic, rotary.nomic_bert, by_words, "", "mean", "F16"),
        ("qwen3", QWEN3, qwen, rotary.qwen3, by_bytes, "", "lasttoken", "BF16"),
        ("jina_bert", JINA, jina, rotary.jina_bert, by_words, "", "mean", "F32"),
    ]
    for seed, (name, config, weights, encode, (tokenizer, tokenize, most, count), prefix, mode, dtype) in enumerate(models, 20):
        p = weights(np.random.default_rng(seed), count, dtype)
        write(out / name / "config.json", {"vocab_size": count, **config})
        write(out / name / "tokenizer.json", tokenizer)
        write(out / name / "sentence_bert_config.json", {"max_seq_length": most})
        write(out / name / "1_Pooling/config.json", {"pooling_mode": mode})
        safetensors(out / name / "model.safetensors", {prefix + key: (value, dtype) for key, value in p.items()})
        golden = []
        for text in texts:
            ids = tokenize(text)
            vector = forward.pool(encode(ids, p, config), mode)
            golden.append({"text": text, "ids": ids, "vector": [float(v) for v in vector]})
        write(out / name / "golden.json", golden)
