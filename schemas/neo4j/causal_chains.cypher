// The longest causal chains
// Answers: which causes and events lead furthest, one step after the other.
MATCH p = (first:Phrase)-[:Causes|isBefore|xEffect|oEffect*2..5]->(last:Phrase)
WHERE NOT EXISTS { MATCH (:Phrase)-[:Causes|isBefore|xEffect|oEffect]->(first) }
  AND NOT EXISTS { MATCH (last)-[:Causes|isBefore|xEffect|oEffect]->(:Phrase) }
RETURN p
ORDER BY length(p) DESC, first.text, last.text
LIMIT 20
