// Where things are found
// Answers: the places of a thing, and what else is found there.
// Parameter thing: the text of a concept, such as "spinach"
MATCH p = (:Phrase {text: $thing})-[:AtLocation]->(place:Phrase)
OPTIONAL MATCH q = (place)<-[:AtLocation]-(:Phrase)
RETURN p, q
LIMIT 60
