"""Files of tiny models: safetensors, tokenizers and configurations, written without any library of models."""

import json
import struct
from collections import Counter
from pathlib import Path

import numpy as np

from tiny_tokens import BYTE_PATTERN, byte_pieces


def rounded(array, dtype):
    """The values that are left once they were stored as `dtype`, in float64."""
    if dtype == "BF16":
        bits = np.asarray(array, np.float32).view(np.uint32) & 0xFFFF0000
        return bits.astype(np.uint32).view(np.float32).astype(np.float64)
    return np.asarray(array).astype({"F32": np.float32, "F16": np.float16}[dtype]).astype(np.float64)


def stored(array, dtype):
    if dtype == "BF16":
        return (np.asarray(array, np.float32).view(np.uint32) >> 16).astype("<u2").tobytes()
    kinds = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}
    return np.ascontiguousarray(np.asarray(array).astype(kinds[dtype])).tobytes()


def safetensors(path, tensors):
    """`tensors`: name to (array, dtype)."""
    header, body = {}, b""
    for name, (array, dtype) in sorted(tensors.items()):
        data = stored(array, dtype)
        header[name] = {
            "dtype": dtype,
            "shape": list(np.shape(array)),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)


def write(path, value):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def wordpiece_vocabulary(corpus, size):
    """Special tokens, letters, whole words by frequency and some continuations."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = sorted({c for text in corpus for c in text.lower() if not c.isspace()})
    vocabulary += letters + ["##" + c for c in letters if c.isalnum()]
    words = Counter(word for text in corpus for word in text.lower().split() if word.isalnum())
    for word, _ in sorted(words.items(), key=lambda pair: (-pair[1], pair[0])):
        vocabulary += [piece for piece in (word[:4], "##" + word[4:]) if piece != "##"]
    return {piece: n for n, piece in enumerate(dict.fromkeys(vocabulary).keys()) if n < size}


def wordpiece_tokenizer(vocabulary):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    return {
        "version": "1.0",
        # As many published files have it; a reader must not keep to it.
        "truncation": {"max_length": 6, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {
            "strategy": {"Fixed": 6},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [added(vocabulary[token], token) for token in special],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 0}},
            ],
            "special_tokens": {
                token: {"id": token, "ids": [vocabulary[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }


def added(number, token):
    return {
        "id": number,
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def byte_pair_merges(corpus, count):
    """The most frequent pairs, joined one after another."""
    words = Counter(piece for text in corpus for piece in BYTE_PATTERN.findall(text))
    split = {word: byte_pieces(word) for word in words}
    merges = []
    for _ in range(count):
        pairs = Counter()
        for word, times in words.items():
            for pair in zip(split[word], split[word][1:]):
                pairs[pair] += times
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        split = {word: joined(pieces, best) for word, pieces in split.items()}
    return merges


def joined(pieces, pair):
    out, at = [], 0
    while at < len(pieces):
        if tuple(pieces[at : at + 2]) == pair:
            out.append(pieces[at] + pieces[at + 1])
            at += 2
        else:
            out.append(pieces[at])
            at += 1
    return out


def byte_pair_tokenizer(merges):
    """RoBERTa's tokenizer over printable ASCII; returns it with its vocabulary."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = byte_pieces("".join(chr(c) for c in range(32, 127)))
    names = special + letters + [a + b for a, b in merges]
    vocabulary = {name: n for n, name in enumerate(dict.fromkeys(names))}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(vocabulary[token], token) for token in special],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": ["</s>", vocabulary["</s>"]],
            "cls": ["<s>", vocabulary["<s>"]],
            "trim_offsets": True,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocabulary,
            "merges": [f"{a} {b}" for a, b in merges],
        },
    }
    return tokenizer, vocabulary
