// Concepts with most uses
// Answers: which things serve for most, and for what.
MATCH (thing:Phrase)-[:UsedFor|ObjectUse]->(use:Phrase)
WITH thing, count(DISTINCT use) AS uses
ORDER BY uses DESC, thing.text
LIMIT 5
MATCH p = (thing)-[:UsedFor|ObjectUse]->(:Phrase)
RETURN p, uses
ORDER BY uses DESC
