package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"

	"github.com/banyan-lms/banyan/internal/curriculum"
)

// This is the second room of grading: plain data from the first room meets
// what the author expects, and no code of the learner runs.

// observation is what the harness saw of one call. The wire form of a value is
// an array that begins with its kind, see harness.py.
type observation struct {
	Value  json.RawMessage `json:"value"`
	Repr   string          `json:"repr"`
	Raised string          `json:"raised"`
}

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

// parseValue reads the wire form. The learner's code may have written it.
func parseValue(raw json.RawMessage) (value, error) {
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
			item, err := parseValue(r)
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

// errAuthor says that a check itself is at fault.
var errAuthor = errors.New("the check cannot judge")

// judge tells whether a check is content with what its call gave.
func judge(c curriculum.Check, got value) (bool, error) {
	want, err := plain(c.Rule.Want)
	if err != nil {
		return false, err
	}
	switch c.Rule.Kind {
	case curriculum.Equals:
		return equal(want, got), nil
	case curriculum.Near:
		w, ok := want.(json.Number)
		if !ok {
			return false, fmt.Errorf("%w: near wants a number", errAuthor)
		}
		wf, err := w.Float64()
		if err != nil {
			return false, fmt.Errorf("%w: %w", errAuthor, err)
		}
		gf, ok := got.number()
		return ok && math.Abs(gf-wf) <= c.Rule.Tolerance, nil
	case curriculum.Set:
		w, ok := want.([]any)
		if !ok {
			return false, fmt.Errorf("%w: set wants a list", errAuthor)
		}
		return sameSet(w, got), nil
	}
	return false, fmt.Errorf("%w: no such kind %q", errAuthor, c.Rule.Kind)
}

// judgeStdout tells whether the output of loading matches the check's expression.
func judgeStdout(c curriculum.Check, stdout string) (bool, error) {
	pattern, ok := c.Rule.Want.(string)
	if !ok {
		return false, fmt.Errorf("%w: stdout wants a regular expression", errAuthor)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errAuthor, err)
	}
	return re.MatchString(stdout), nil
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
