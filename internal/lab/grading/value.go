package grading

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// value is a Python value of a builtin type.
type value struct {
	kind  string // n none, b bool, i int, f float, s str, y bytes, l list, e set, d dict, o another type, x too large
	truth bool
	text  string // str; bytes as hex
	whole *big.Int
	float float64
	items []value // list, set; dict: key, value, key, value …
}

var errValue = errors.New("not a value of the harness")

// The harness sends less than this; the learner's code may send anything.
const (
	maxDepth = 50
	maxNodes = 20_000
)

// parseValue reads the wire form. The learner's code may have written it.
func parseValue(raw json.RawMessage) (value, error) {
	nodes := maxNodes
	return readValue(raw, maxDepth, &nodes)
}

func readValue(raw json.RawMessage, depth int, nodes *int) (value, error) {
	if *nodes--; depth < 0 || *nodes < 0 {
		return value{}, errValue
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) == 0 {
		return value{}, errValue
	}
	var v value
	if err := json.Unmarshal(parts[0], &v.kind); err != nil {
		return value{}, errValue
	}
	rest := parts[1:]
	switch v.kind {
	case "n", "o", "x":
		if len(rest) != 0 {
			return value{}, errValue
		}
		return v, nil
	case "l", "e", "d":
		for _, r := range rest {
			item, err := readValue(r, depth-1, nodes)
			if err != nil {
				return value{}, err
			}
			v.items = append(v.items, item)
		}
		if v.kind == "d" && len(v.items)%2 != 0 {
			return value{}, errValue
		}
		return v, nil
	}
	if len(rest) != 1 {
		return value{}, errValue
	}
	if v.kind == "b" {
		if err := json.Unmarshal(rest[0], &v.truth); err != nil {
			return value{}, errValue
		}
		return v, nil
	}
	if err := json.Unmarshal(rest[0], &v.text); err != nil {
		return value{}, errValue
	}
	switch v.kind {
	case "i":
		var ok bool
		if v.whole, ok = new(big.Int).SetString(v.text, 16); !ok {
			return value{}, errValue
		}
	case "f":
		f, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			return value{}, errValue
		}
		v.float = f
	case "s", "y":
	default:
		return value{}, errValue
	}
	return v, nil
}

// wire writes a value as the harness does.
func (v value) wire() json.RawMessage {
	parts := []any{v.kind}
	switch v.kind {
	case "b":
		parts = append(parts, v.truth)
	case "s", "y":
		parts = append(parts, v.text)
	case "i":
		parts = append(parts, v.whole.Text(16))
	case "f":
		parts = append(parts, strconv.FormatFloat(v.float, 'g', -1, 64))
	case "l", "e", "d":
		for _, it := range v.items {
			parts = append(parts, it.wire())
		}
	}
	data, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings and lists of them always marshal
	}
	return data
}

// plain brings what an author wrote, in YAML or in Go, to JSON with exact numbers.
func plain(want any) (any, error) {
	raw, err := json.Marshal(want)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAuthor, err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: %w", errAuthor, err)
	}
	return v, nil
}

// equal compares as JSON does: 1 is 1.0 but not true, a tuple is a list, a
// set is not, and nothing equals an object of another type or not-a-number.
func equal(want any, got value) bool {
	switch w := want.(type) {
	case nil:
		return got.kind == "n"
	case bool:
		return got.kind == "b" && got.truth == w
	case string:
		return got.kind == "s" && got.text == w
	case json.Number:
		return equalNumber(w, got)
	case []any:
		if got.kind != "l" || len(got.items) != len(w) {
			return false
		}
		for i := range w {
			if !equal(w[i], got.items[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		if got.kind != "d" || len(got.items) != 2*len(w) {
			return false
		}
		seen := map[string]bool{} // the learner's code may claim a key twice
		for i := 0; i < len(got.items); i += 2 {
			k := got.items[i]
			wv, ok := w[k.text]
			if k.kind != "s" || !ok || seen[k.text] || !equal(wv, got.items[i+1]) {
				return false
			}
			seen[k.text] = true
		}
		return true
	}
	return false
}

// equalNumber compares as Python's == does for int and float: by value, exactly.
func equalNumber(want json.Number, got value) bool {
	exact, whole := new(big.Int).SetString(want.String(), 10)
	float, err := want.Float64()
	switch got.kind {
	case "i":
		if !whole {
			// 3.0 and 1e3 stand for the whole number that a float of this value is.
			if err != nil || float != math.Trunc(float) {
				return false
			}
			exact, _ = new(big.Float).SetFloat64(float).Int(nil)
		}
		return exact.Cmp(got.whole) == 0
	case "f":
		if math.IsNaN(got.float) || math.IsInf(got.float, 0) {
			return false
		}
		if whole {
			return new(big.Float).SetInt(exact).Cmp(new(big.Float).SetFloat64(got.float)) == 0
		}
		return err == nil && float == got.float
	}
	return false
}

// number is an int or a finite float.
func (v value) number() (float64, bool) {
	switch v.kind {
	case "i":
		f, _ := new(big.Float).SetInt(v.whole).Float64()
		return f, !math.IsInf(f, 0)
	case "f":
		return v.float, !math.IsNaN(v.float) && !math.IsInf(v.float, 0)
	}
	return 0, false
}

// sameSet compares a list, tuple or set with the wanted members; neither order nor repeats count.
func sameSet(want []any, got value) bool {
	if got.kind != "l" && got.kind != "e" {
		return false
	}
	met := make([]bool, len(want))
	for _, g := range got.items {
		found := false
		for i, w := range want {
			if equal(w, g) {
				met[i], found = true, true
			}
		}
		if !found {
			return false
		}
	}
	for _, m := range met {
		if !m {
			return false
		}
	}
	return true
}

// sameMembers compares a list, tuple or set with the wanted members: each as often, in any order.
func sameMembers(want []any, got value) bool {
	if got.kind != "l" && got.kind != "e" || len(got.items) != len(want) {
		return false
	}
	left := slices.Clone(want)
	for _, g := range got.items {
		i := slices.IndexFunc(left, func(w any) bool { return equal(w, g) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

// near compares numbers, member by member in lists and maps.
func near(want any, tolerance float64, got value) (bool, error) {
	switch w := want.(type) {
	case json.Number:
		wf, err := w.Float64()
		if err != nil {
			return false, fmt.Errorf("%w: %w", errAuthor, err)
		}
		gf, ok := got.number()
		return ok && math.Abs(gf-wf) <= tolerance, nil
	case []any:
		if got.kind != "l" || len(got.items) != len(w) {
			return false, nil
		}
		for i := range w {
			if ok, err := near(w[i], tolerance, got.items[i]); !ok {
				return false, err
			}
		}
		return true, nil
	case map[string]any:
		if got.kind != "d" || len(got.items) != 2*len(w) {
			return false, nil
		}
		seen := map[string]bool{}
		for i := 0; i < len(got.items); i += 2 {
			k := got.items[i]
			wv, ok := w[k.text]
			if k.kind != "s" || !ok || seen[k.text] {
				return false, nil
			}
			seen[k.text] = true
			if ok, err := near(wv, tolerance, got.items[i+1]); !ok {
				return false, err
			}
		}
		return true, nil
	}
	return false, fmt.Errorf("%w: near wants numbers", errAuthor)
}

// python writes a JSON value as Python does.
func python(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case json.Number:
		return v.String()
	case string:
		return quote(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = python(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, quote(k)+": "+python(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}

// show writes a value of the first room as Python does, from what was seen of it alone.
func (v value) show() string {
	list := func(open, end string) string {
		parts := make([]string, len(v.items))
		for i, e := range v.items {
			parts[i] = e.show()
		}
		return open + strings.Join(parts, ", ") + end
	}
	switch v.kind {
	case "n":
		return "None"
	case "b":
		return python(v.truth)
	case "i":
		return v.whole.String()
	case "f":
		text := strconv.FormatFloat(v.float, 'g', -1, 64)
		if !strings.ContainsAny(text, ".eNI") {
			text += ".0"
		}
		return text
	case "s":
		return quote(v.text)
	case "y":
		return "b'…'"
	case "l":
		return list("[", "]")
	case "e":
		if len(v.items) == 0 {
			return "set()"
		}
		return list("{", "}")
	case "d":
		var parts []string
		for i := 0; i+1 < len(v.items); i += 2 {
			parts = append(parts, v.items[i].show()+": "+v.items[i+1].show())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "…"
}

// quote writes a string as Python's repr does.
func quote(s string) string {
	mark := '\''
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		mark = '"'
	}
	var b strings.Builder
	b.WriteRune(mark)
	for _, r := range s {
		switch {
		case r == mark || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteRune(mark)
	return b.String()
}
