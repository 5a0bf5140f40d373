package wire

import (
	"encoding/json"
	"strings"
)

// quickBatch reads a batch that is written the plain way: the known fields by
// their exact names, texts of printable ASCII without escapes. That is what devices send. For anything
// else it gives up, and says nothing of what is wrong: encoding/json has the word then.
// What it reads is what encoding/json would, in a third of the time.
func quickBatch(batch []byte) ([]Statement, bool) {
	r := quick{text: string(batch)}
	ins := make([]Statement, 0, strings.Count(r.text, `"id"`))
	if !r.take('[') {
		return nil, false
	}
	for more := !r.take(']'); more; {
		var in Statement
		if !r.statement(&in) {
			return nil, false
		}
		ins = append(ins, in)
		if more = r.take(','); !more && !r.take(']') {
			return nil, false
		}
	}
	r.space()
	return ins, r.at == len(r.text)
}

type quick struct {
	text string
	at   int
}

func (r *quick) space() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\n' || r.text[r.at] == '\t' || r.text[r.at] == '\r') {
		r.at++
	}
}

// take reads one byte of punctuation after white space.
func (r *quick) take(c byte) bool {
	r.space()
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

// word reads a text.
func (r *quick) word() (string, bool) {
	if !r.take('"') {
		return "", false
	}
	for i := r.at; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			w := r.text[r.at:i]
			r.at = i + 1
			return w, true
		case c < ' ' || c > '~' || c == '\\':
			return "", false
		}
	}
	return "", false
}

// count reads a whole number without sign, of at most nine digits.
func (r *quick) count() (int, bool) {
	r.space()
	n, from := 0, r.at
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' && r.at-from < 9 {
		n = 10*n + int(r.text[r.at]-'0')
		r.at++
	}
	return n, r.at > from && (r.text[from] != '0' || r.at == from+1)
}

func (r *quick) statement(in *Statement) bool {
	if !r.take('{') {
		return false
	}
	for more := !r.take('}'); more; {
		name, ok := r.word()
		if !ok || !r.take(':') {
			return false
		}
		switch name {
		case "id":
			in.ID, ok = r.word()
		case "enrollment_id":
			in.EnrollmentID, ok = r.word()
		case "verb":
			in.Verb, ok = r.word()
		case "object_id":
			in.ObjectID, ok = r.word()
		case "at":
			in.At, ok = r.word()
		case "attempt":
			in.Attempt, ok = r.count()
		case "sequence":
			in.Sequence, ok = r.count()
		case "responses":
			// A second one would be merged into the first.
			ok = in.Responses == nil && r.responses(in)
		default:
			return false
		}
		if !ok {
			return false
		}
		if more = r.take(','); !more && !r.take('}') {
			return false
		}
	}
	return true
}

// responses finds the end of an object and leaves its inside to encoding/json.
func (r *quick) responses(in *Statement) bool {
	r.space()
	from, depth, inText := r.at, 0, false
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '\\':
			return false
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 {
			if r.text[from] != '{' {
				return false
			}
			r.at++
			return json.Unmarshal([]byte(r.text[from:r.at]), &in.Responses) == nil
		}
	}
	return false
}
