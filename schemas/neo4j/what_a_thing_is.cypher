// What a thing is
// Answers: its kinds, parts, materials and properties, and what it can do and wants.
// Parameter thing: the text of a concept, such as "honey"
MATCH p = (:Phrase {text: $thing})-[r:IsA|PartOf|MadeOf|MadeUpOf|HasProperty|CapableOf|Desires|NotDesires|NotCapableOf]->(:Phrase)
RETURN p
ORDER BY r.probability DESC, r.triple_id
LIMIT 60
