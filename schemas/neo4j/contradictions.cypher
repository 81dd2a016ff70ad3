// Contradictions
// Answers: which edges are denied by another edge between the same two phrases.
MATCH p = (h:Phrase)-[:Desires]->(t:Phrase), q = (h)-[:NotDesires]->(t)
RETURN p, q
LIMIT 60
UNION
MATCH p = (h:Phrase)-[:CapableOf]->(t:Phrase), q = (h)-[:NotCapableOf]->(t)
RETURN p, q
LIMIT 60
UNION
MATCH p = (h:Phrase)-[:UsedFor]->(t:Phrase), q = (h)-[:NotUsedFor]->(t)
RETURN p, q
LIMIT 60
