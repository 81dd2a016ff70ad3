"""Seeds: the heads that a run asks about.

Reads: seed files (TSV, CSV, JSON Lines, one head a line) and, by `extract_heads`, running text.
Writes: `Head` records in input order; a head seen twice or a clause that makes no good head
becomes a `Rejection` in its place.
Refuses: files that are missing, empty, not UTF-8, without a `head` column or without any head;
heads with control characters, over the length limit or of an unknown kind. `SeedError` names
the file, the line and the way out.
"""

from kgbuild.seeds.collect import collect_heads
from kgbuild.seeds.extract import extract_heads

__all__ = ["collect_heads", "extract_heads"]
