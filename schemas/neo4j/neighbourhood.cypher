// The neighbourhood of a phrase
// Answers: what is at most two edges away from a phrase, in either direction.
// Parameter phrase: the text of a head or a tail, such as "fire"
MATCH p = (:Phrase {text: $phrase})-[*1..2]-(other:Phrase)
WHERE other.text <> $phrase AND all(r IN relationships(p) WHERE type(r) <> 'REJECTED')
RETURN p
ORDER BY length(p)
LIMIT 60
