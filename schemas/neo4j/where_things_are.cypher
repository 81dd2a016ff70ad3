// Where things are found
// Answers: the places of a thing, and what else is found there.
// Parameter thing: the text of a concept, such as "spinach"
MATCH p = (:Phrase {text: $thing})-[:AtLocation]->(place:Phrase)
OPTIONAL MATCH q = (place)<-[r:AtLocation]-(:Phrase)
RETURN p, q
ORDER BY r.probability DESC, r.triple_id
LIMIT 60
