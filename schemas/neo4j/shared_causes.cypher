// Shared causes of two events
// Answers: which reasons, intents, needs and earlier events two events have in common.
// Parameter first: the text of an event, such as "PersonX calls an ambulance"
// Parameter second: the text of another event, such as "PersonX goes to the emergency room"
MATCH p = (:Phrase {text: $first})-[one:xReason|xIntent|xNeed|isAfter]->(:Phrase)<-[other:xReason|xIntent|xNeed|isAfter]-(:Phrase {text: $second})
RETURN p
ORDER BY one.probability * other.probability DESC, one.triple_id, other.triple_id
LIMIT 30
UNION
MATCH p = (:Phrase {text: $first})<-[one:Causes|xEffect|isBefore]-(:Phrase)-[other:Causes|xEffect|isBefore]->(:Phrase {text: $second})
RETURN p
ORDER BY one.probability * other.probability DESC, one.triple_id, other.triple_id
LIMIT 30
