// Phrases that most edges meet at
// Answers: which tails many heads share, such as feelings and places that say little.
MATCH (tail:Phrase)<-[r]-(:Phrase)
WHERE type(r) <> 'REJECTED'
WITH tail, count(r) AS heads
ORDER BY heads DESC, tail.text
LIMIT 3
MATCH p = (tail)<-[r:xReact|AtLocation|IsA|UsedFor]-(:Phrase)
RETURN p, heads
ORDER BY heads DESC, r.probability DESC, r.triple_id
LIMIT 60
