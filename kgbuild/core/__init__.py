"""The shared words of the house: records, ids, config, relations, files, errors.

Reads: nothing but files it is pointed at. Writes: shards and manifests. Refuses: anything that
would make one stage know another. Every room may import `core`; `core` imports no room.
"""
