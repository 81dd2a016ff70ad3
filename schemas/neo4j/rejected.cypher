// Rejected triples, for audit
// Answers: what the critic turned down, nearest to the threshold first. Needs a push with --with-rejected.
MATCH p = ()-[r:REJECTED]->()
RETURN p
ORDER BY r.threshold - r.probability, r.triple_id
LIMIT 60
