// Phrases with some words
// Answers: which phrases hold these words, by the full-text index, and one edge of each.
// Parameter words: some words, such as "birthday cake"
CALL db.index.fulltext.queryNodes('phrase_text', $words) YIELD node, score
MATCH p = (node)--(:Phrase)
RETURN p, score
ORDER BY score DESC
LIMIT 60
