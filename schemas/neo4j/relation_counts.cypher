// What the graph holds
// Answers: how many edges each relation has and how sure the critic is of them. A table.
MATCH (:Phrase)-[r]->(:Phrase)
WHERE type(r) <> 'REJECTED'
RETURN type(r) AS relation, count(*) AS edges, avg(r.probability) AS mean_probability,
       min(r.probability) AS least_probability, avg(r.cluster_size) AS mean_cluster_size
ORDER BY edges DESC, relation
