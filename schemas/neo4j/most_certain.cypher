// The most certain edges
// Answers: what the critic is surest of, over all relations.
MATCH p = (:Phrase)-[r]->(:Phrase)
WHERE type(r) <> 'REJECTED'
RETURN p
ORDER BY r.probability DESC, r.triple_id
LIMIT 60
