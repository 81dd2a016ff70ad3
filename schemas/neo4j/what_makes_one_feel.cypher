// What makes one feel so
// Answers: which events lead to a feeling, of PersonX or of others.
// Parameter feeling: the text of a feeling, such as "proud"
MATCH p = (:Phrase)-[r:xReact|oReact]->(:Phrase {text: $feeling})
RETURN p
ORDER BY r.probability DESC, r.triple_id
LIMIT 60
