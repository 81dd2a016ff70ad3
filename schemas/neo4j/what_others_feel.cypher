// What others feel
// Answers: how others feel because of an event, what they then want, and what it does to them.
// Parameter event: the text of an event, such as "PersonX scores the winning goal"
MATCH p = (:Phrase {text: $event})-[r:oReact|oWant|oEffect]->(:Phrase)
RETURN p
ORDER BY r.probability DESC, r.triple_id
LIMIT 60
