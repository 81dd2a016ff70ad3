// Shared causes of two events
// Answers: which reasons, intents, needs and earlier events two events have in common.
// Parameter first: the text of an event, such as "PersonX calls an ambulance"
// Parameter second: the text of another event, such as "PersonX goes to the emergency room"
MATCH p = (:Phrase {text: $first})-[:xReason|xIntent|xNeed|isAfter]->(:Phrase)<-[:xReason|xIntent|xNeed|isAfter]-(:Phrase {text: $second})
RETURN p
LIMIT 60
UNION
MATCH p = (:Phrase {text: $first})<-[:Causes|xEffect|isBefore]-(:Phrase)-[:Causes|xEffect|isBefore]->(:Phrase {text: $second})
RETURN p
LIMIT 60
