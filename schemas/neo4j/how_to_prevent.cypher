// What to do to prevent an event
// Answers: what hinders it, and what hinders the steps and the reasons that lead to it.
// Parameter event: the text of an event, such as "PersonX paints the fence white"
MATCH p = (:Phrase {text: $event})-[:xNeed|isAfter|xReason|HasSubEvent*0..2]->(:Phrase)-[r:HinderedBy]->(:Phrase)
RETURN p
ORDER BY length(p), r.probability DESC, r.triple_id
LIMIT 60
