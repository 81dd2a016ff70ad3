// Shared outcomes of two events
// Answers: which feelings, wishes and effects two events have in common.
// Parameter first: the text of an event, such as "PersonX goes bankrupt"
// Parameter second: the text of another event, such as "PersonX misses a penalty kick"
MATCH p = (:Phrase {text: $first})-[one:xReact|oReact|xWant|oWant|xEffect|oEffect|isBefore]->(:Phrase)<-[other:xReact|oReact|xWant|oWant|xEffect|oEffect|isBefore]-(:Phrase {text: $second})
RETURN p
ORDER BY one.probability * other.probability DESC, one.triple_id, other.triple_id
LIMIT 60
