// What follows from an event
// Answers: what happens after it, what it changes, and what PersonX and others then feel and want.
// Parameter event: the text of an event, such as "PersonX has a fever"
MATCH p = (:Phrase {text: $event})-[r:xEffect|oEffect|xReact|oReact|xWant|oWant|isBefore]->(:Phrase)
RETURN p
ORDER BY r.probability DESC, r.triple_id
LIMIT 60
