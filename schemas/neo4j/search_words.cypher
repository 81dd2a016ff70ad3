// Phrases with some words
// Answers: which phrases hold these words, by the full-text index, with the edges around them.
// Parameter words: some words, such as "emergency room"
CALL db.index.fulltext.queryNodes('kgbuild_phrase_words', $words) YIELD node, score
MATCH p = (node)-[r]-(:Phrase)
WHERE type(r) <> 'REJECTED'
RETURN p, score
ORDER BY score DESC, r.triple_id
LIMIT 60
