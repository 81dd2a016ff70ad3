// Phrases with some words
// Answers: which phrases hold these words, by the full-text index, with the edges around them.
// Parameter words: some words, such as "birthday party"
CALL db.index.fulltext.queryNodes('kgbuild_phrase_words', $words) YIELD node, score
MATCH p = (node)-[r]-(:Phrase)
WHERE r.probability >= r.threshold
RETURN p, score
ORDER BY score DESC
LIMIT 60
