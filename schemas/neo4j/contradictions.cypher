// Contradictions
// Answers: which edges are denied by another edge between the same two phrases.
MATCH p = (h:Phrase)-[yes:Desires]->(t:Phrase), q = (h)-[no:NotDesires]->(t)
RETURN p, q
ORDER BY yes.probability * no.probability DESC, yes.triple_id
LIMIT 20
UNION
MATCH p = (h:Phrase)-[yes:CapableOf]->(t:Phrase), q = (h)-[no:NotCapableOf]->(t)
RETURN p, q
ORDER BY yes.probability * no.probability DESC, yes.triple_id
LIMIT 20
UNION
MATCH p = (h:Phrase)-[yes:UsedFor]->(t:Phrase), q = (h)-[no:NotUsedFor]->(t)
RETURN p, q
ORDER BY yes.probability * no.probability DESC, yes.triple_id
LIMIT 20
