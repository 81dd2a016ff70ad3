// The neighbourhood of a phrase
// Answers: what is at most two edges away from a phrase, in either direction.
// Parameter phrase: the text of a head or a tail, such as "fire"
MATCH p = (:Phrase {text: $phrase})-[r]-(:Phrase)
WHERE type(r) <> 'REJECTED'
RETURN p
ORDER BY r.probability DESC, r.triple_id
LIMIT 30
UNION
MATCH p = (:Phrase {text: $phrase})-[first]-(:Phrase)-[second]-(other:Phrase)
WHERE other.text <> $phrase AND type(first) <> 'REJECTED' AND type(second) <> 'REJECTED'
RETURN p
ORDER BY first.probability * second.probability DESC, first.triple_id, second.triple_id
LIMIT 30
