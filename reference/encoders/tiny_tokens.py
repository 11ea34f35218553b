"""Tokens of ASCII texts, by the definitions of WordPiece and byte-pair encoding, for the tiny models."""

import re

BYTE_PATTERN = re.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"
)


def byte_pieces(text):
    """One piece for each byte of printable ASCII; the blank is written as G with a dot above."""
    return ["\u0120" if c == " " else c for c in text]


def wordpiece(text, vocabulary):
    """Longest pieces first, from the left; a word that cannot be spelled is unknown."""
    ids = []
    for word in re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()):
        pieces, start = [], 0
        while start < len(word):
            ends = range(len(word), start, -1)
            name = lambda end: ("##" if start else "") + word[start:end]
            end = next((end for end in ends if name(end) in vocabulary), None)
            if end is None:
                pieces = [vocabulary["[UNK]"]]
                break
            pieces.append(vocabulary[name(end)])
            start = end
        ids += pieces
    return ids


def byte_pairs(text, vocabulary, merges):
    """Joins the pair that was learned first, until none is left; `<pad>` in a text is the token of that name."""
    rank = {pair: n for n, pair in enumerate(merges)}
    ids = []
    for part in re.split(r"(<pad>)", text):
        if part == "<pad>":
            ids.append(vocabulary[part])
            continue
        for word in BYTE_PATTERN.findall(part):
            pieces = byte_pieces(word)
            while len(pieces) > 1:
                pairs = list(zip(pieces, pieces[1:]))
                best = min(range(len(pairs)), key=lambda n: (rank.get(pairs[n], len(rank)), n))
                if pairs[best] not in rank:
                    break
                pieces[best : best + 2] = [pieces[best] + pieces[best + 1]]
            ids += [vocabulary[piece] for piece in pieces]
    return ids


def cut(ids, most, first, last):
    """Special tokens around at most `most - 2` others."""
    return [first] + ids[: most - 2] + [last]
