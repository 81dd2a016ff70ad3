// How a triple was made
// Answers: teacher, prompt, decoding, log-probabilities, critic and run of the edges between two phrases. A table.
// Parameter head: the text of a head, such as "PersonX goes to the emergency room"
// Parameter tail: the text of a tail, such as "PersonX has a heart attack"
MATCH (:Phrase {text: $head})-[r]->(:Phrase {text: $tail})
RETURN type(r) AS relation, r.sentence AS sentence, r.probability AS probability, r.threshold AS threshold,
       r.critic AS critic, r.source AS source, r.teacher AS teacher, r.teacher_hash AS teacher_hash,
       r.prompt_id AS prompt, r.decoding AS decoding, r.rank AS rank,
       r.log_probability AS log_probability, r.mean_log_probability AS mean_log_probability,
       r.prior_log_probability AS prior_log_probability, r.tokens AS tokens,
       r.clauses_met AS clauses_met, r.clauses AS clauses, r.cluster_size AS cluster_size,
       r.run AS run, r.round AS round, r.triple_id AS triple_id
ORDER BY probability DESC
