// Phrases that most edges meet at
// Answers: which tails many heads share, such as feelings and places that say little.
MATCH (tail:Phrase)<-[r]-(:Phrase)
WITH tail, count(r) AS heads
ORDER BY heads DESC, tail.text
LIMIT 3
MATCH p = (tail)<-[:xReact|AtLocation|IsA|UsedFor]-(:Phrase)
RETURN p, heads
ORDER BY heads DESC
LIMIT 60
