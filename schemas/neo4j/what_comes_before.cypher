// What comes before an event
// Answers: why PersonX does it, what it needs, what happens first and what gave the reason.
// Parameter event: the text of an event, such as "PersonX goes to the emergency room"
MATCH p = (:Phrase {text: $event})-[r:xIntent|xNeed|isAfter|xReason]->(:Phrase)
RETURN p
ORDER BY r.probability DESC, r.triple_id
LIMIT 60
