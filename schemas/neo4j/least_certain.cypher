// The least certain edges
// Answers: which accepted edges lie nearest to the threshold of their relation, to look at first.
MATCH p = (:Phrase)-[r]->(:Phrase)
WHERE type(r) <> 'REJECTED'
RETURN p
ORDER BY r.probability - r.threshold, r.triple_id
LIMIT 60
