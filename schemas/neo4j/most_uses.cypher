// Concepts with most uses
// Answers: which things serve for most, and for what.
MATCH (thing:Phrase)-[:UsedFor|ObjectUse]->(use:Phrase)
WITH thing, count(DISTINCT use) AS uses
ORDER BY uses DESC, thing.text
LIMIT 5
MATCH p = (thing)-[r:UsedFor|ObjectUse]->(:Phrase)
RETURN p, uses
ORDER BY uses DESC, r.probability DESC, r.triple_id
LIMIT 60
