"""What one token adds to a text, for the kinds of tokenizers that transformers loads."""

from __future__ import annotations

import re
from typing import Any

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def map_byte_letters() -> dict[str, int]:
    """Give the letters by which byte-level BPE writes the 256 bytes (GPT-2's table)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {chr(byte): byte for byte in shown}
    return letters | {chr(256 + place): byte for place, byte in enumerate(hidden)}


def read_token_bytes(tokenizer: Any) -> list[bytes]:
    """Give the UTF-8 bytes that every token adds to a text in which it is not the first.

    Byte-level BPE is read off the table of letters. For other kinds the token is decoded behind
    a short word, which keeps the leading space that decoding strips from a first token.
    """
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    if tokenizer.convert_tokens_to_string(["Ġa"]) == " a":
        letters = map_byte_letters()
        return [_read_letters(token or "", letters) for token in tokens]
    options = {"clean_up_tokenization_spaces": False, "skip_special_tokens": False}
    anchor = next((i for i, token in enumerate(tokens) if token and token.isalpha()), None)
    lead = [] if anchor is None else [anchor]
    before = tokenizer.decode(lead, **options) if lead else ""
    pieces: list[bytes] = []
    for index, token in enumerate(tokens):
        single = _BYTE_TOKEN.fullmatch(token or "")
        if single:
            pieces.append(bytes([int(single[1], 16)]))
            continue
        text = tokenizer.decode([*lead, index], **options)
        pieces.append(text[len(before) :].encode("utf-8", "replace"))
    return pieces


def _read_letters(token: str, letters: dict[str, int]) -> bytes:
    if all(letter in letters for letter in token):
        return bytes(letters[letter] for letter in token)
    return token.encode("utf-8", "replace")  # an added token stands for itself
