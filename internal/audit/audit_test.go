package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
)

const school = "01950000-0000-7000-8000-000000000001"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// chain is n sound entries.
func chain(t testing.TB, n int) []audit.Entry {
	t.Helper()
	var head audit.Head
	out := make([]audit.Entry, n)
	for i := range out {
		e, err := audit.New(school, "someone", noon.Add(time.Duration(i)*time.Second), audit.KeyRotated, map[string]any{"i": i}).After(head)
		if err != nil {
			t.Fatal(err)
		}
		out[i], head = e, e.Head()
	}
	return out
}

// rehash gives an entry the hash that its content has, as who forges one would.
func rehash(t *testing.T, e audit.Entry) audit.Entry {
	t.Helper()
	e, err := e.After(audit.Head{N: e.N - 1, Hash: e.Prev})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func export(entries []audit.Entry) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		b.Write(e.Line())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// The line is a format: who has an export of years ago must be able to check it.
func TestLine(t *testing.T) {
	e, err := audit.New(school, "u", noon, audit.KeyRotated, map[string]any{"z": "<&>\u2028é\n\x02", "a": []any{1, nil, true, map[string]any{}}}).
		After(audit.Head{N: 6, Hash: strings.Repeat("ab", 32)})
	if err != nil {
		t.Fatal(err)
	}
	without := `{"at":"2026-03-01T12:00:00.123456Z","by":"u","data":{"a":[1,null,true,{}],"z":"<&>` + "\u2028" + `é\n\u0002"},` +
		`"institution":"` + school + `","kind":"key_rotated","n":7,"prev":"` + strings.Repeat("ab", 32) + `"}`
	sum := sha256.Sum256([]byte(without))
	if want := hex.EncodeToString(sum[:]); e.Hash != want {
		t.Errorf("hash %s, want %s", e.Hash, want)
	}
	want := strings.Replace(without, `,"institution"`, `,"hash":"`+e.Hash+`","institution"`, 1)
	if string(e.Line()) != want {
		t.Errorf("line %s, want %s", e.Line(), want)
	}
	back, err := audit.ParseLine(e.Line())
	if err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("%+v, %v", back, err)
	}
	first, err := audit.New("", "", noon, audit.PublisherTrusted, nil).After(audit.Head{})
	if err != nil || first.Institution != audit.Server || first.Prev != strings.Repeat("0", 64) || string(first.Data) != "{}" || first.N != 1 {
		t.Errorf("%+v, %v", first, err)
	}
}

func TestAfterRefuses(t *testing.T) {
	deep := any("x")
	for range 20 {
		deep = []any{deep}
	}
	for name, e := range map[string]audit.Entry{
		"no kind":         audit.New(school, "", noon, "", nil),
		"a bad kind":      audit.New(school, "", noon, "Key.rotated", nil),
		"no JSON":         audit.New(school, "", noon, audit.KeyRotated, map[string]any{"f": math.Inf(1)}),
		"a fraction":      audit.New(school, "", noon, audit.KeyRotated, map[string]any{"f": 0.5}),
		"a large number":  audit.New(school, "", noon, audit.KeyRotated, map[string]any{"f": int64(1<<53 + 1)}),
		"too deep":        audit.New(school, "", noon, audit.KeyRotated, map[string]any{"d": deep}),
		"too much":        audit.New(school, "", noon, audit.KeyRotated, map[string]any{"d": strings.Repeat("x", audit.MaxData)}),
		"a name in Greek": audit.New(school, "", noon, audit.KeyRotated, map[string]any{"α": 1}),
		"no object":       {Institution: school, Kind: audit.KeyRotated, Data: json.RawMessage(`[1]`)},
		"two values":      {Institution: school, Kind: audit.KeyRotated, Data: json.RawMessage(`{} {}`)},
	} {
		if got, err := e.After(audit.Head{}); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Whatever is done to a chain is named by the number of an entry.
func TestVerify(t *testing.T) {
	const n = 9
	sound := chain(t, n)
	head := sound[n-1].Head()
	for _, tt := range []struct {
		name   string
		change func(es []audit.Entry) []audit.Entry
		want   audit.Head
		found  []string // "number flaw"
	}{
		{"sound", nil, audit.Head{}, nil},
		{"sound, and the head known", nil, head, nil},
		{"sound, and an older head known", nil, sound[4].Head(), nil},
		{"data changed", func(es []audit.Entry) []audit.Entry {
			es[3].Data = json.RawMessage(`{"i":7}`)
			return es
		}, audit.Head{}, []string{"4 changed"}},
		{"time changed", func(es []audit.Entry) []audit.Entry {
			es[3].At = es[3].At.Add(time.Microsecond)
			return es
		}, audit.Head{}, []string{"4 changed"}},
		{"who changed", func(es []audit.Entry) []audit.Entry { es[3].By = "else"; return es }, audit.Head{}, []string{"4 changed"}},
		{"kind changed", func(es []audit.Entry) []audit.Entry { es[0].Kind = audit.KeyRevoked; return es }, audit.Head{}, []string{"1 changed"}},
		{"number changed", func(es []audit.Entry) []audit.Entry { es[3].N = 40; return es }, audit.Head{}, []string{"4 changed"}},
		{"hash changed", func(es []audit.Entry) []audit.Entry {
			es[3].Hash = strings.Repeat("0", 64)
			return es
		}, audit.Head{}, []string{"4 changed", "5 replaced"}},
		{"changed with its hash", func(es []audit.Entry) []audit.Entry {
			es[3].Data = json.RawMessage(`{"i":7}`)
			es[3] = rehash(t, es[3])
			return es
		}, audit.Head{}, []string{"5 replaced"}},
		{"removed", func(es []audit.Entry) []audit.Entry { return slices.Delete(es, 3, 4) }, audit.Head{}, []string{"4 missing"}},
		{"the first removed", func(es []audit.Entry) []audit.Entry { return es[1:] }, audit.Head{}, []string{"1 missing"}},
		{"three removed", func(es []audit.Entry) []audit.Entry { return slices.Delete(es, 3, 6) }, audit.Head{}, []string{"4 missing", "5 missing", "6 missing"}},
		{"swapped", func(es []audit.Entry) []audit.Entry { es[3], es[4] = es[4], es[3]; return es }, audit.Head{}, []string{"4 missing", "4 misplaced"}},
		{"repeated", func(es []audit.Entry) []audit.Entry { return slices.Insert(es, 4, es[3]) }, audit.Head{}, []string{"4 misplaced"}},
		{"inserted", func(es []audit.Entry) []audit.Entry {
			forged, err := audit.New(school, "else", noon, audit.KeyRotated, nil).After(es[3].Head())
			if err != nil {
				t.Fatal(err)
			}
			return slices.Insert(es, 4, forged)
		}, audit.Head{}, []string{"5 misplaced", "6 replaced"}},
		{"another institution's", func(es []audit.Entry) []audit.Entry {
			es[3].Institution = audit.Server
			es[3] = rehash(t, es[3])
			return es
		}, audit.Head{}, []string{"4 foreign", "4 missing"}},
		{"cut off", func(es []audit.Entry) []audit.Entry { return es[:7] }, audit.Head{}, nil},
		{"cut off, and the head known", func(es []audit.Entry) []audit.Entry { return es[:7] }, head, []string{"9 short"}},
		{"written anew, and the head known", func(es []audit.Entry) []audit.Entry {
			es[2].By = "else"
			for i := 2; i < n; i++ {
				es[i].Prev = es[i-1].Hash
				es[i] = rehash(t, es[i])
			}
			return es
		}, head, []string{"9 head"}},
		{"empty, and the head known", func([]audit.Entry) []audit.Entry { return nil }, head, []string{"9 short"}},
	} {
		es := slices.Clone(sound)
		if tt.change != nil {
			es = tt.change(es)
		}
		end, found, err := audit.VerifyExport(bytes.NewReader(export(es)), tt.want)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.N, " ", f.Flaw))
		}
		if !slices.Equal(got, tt.found) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.found)
		}
		if tt.change == nil && end != head {
			t.Errorf("%s: head %v, want %v", tt.name, end, head)
		}
	}
}

// Every single byte of an export counts.
func TestVerifyEveryByte(t *testing.T) {
	raw := export(chain(t, 3))
	for i := range raw {
		for _, to := range []byte{raw[i] ^ 1, ' '} {
			if to == raw[i] {
				continue
			}
			bad := bytes.Clone(raw)
			bad[i] = to
			end, found, err := audit.VerifyExport(bytes.NewReader(bad), audit.Head{})
			last := i == len(raw)-1 // the last line feed is no part of an entry, but what stands for it is
			if err == nil && len(found) == 0 && (!last || end.N != 3) {
				t.Errorf("byte %d, %q for %q, is not seen", i, to, raw[i])
			}
		}
	}
}

func TestVerifyWhatIsNoExport(t *testing.T) {
	line := string(chain(t, 1)[0].Line())
	for name, raw := range map[string]string{
		"no JSON":          "hello\n",
		"an empty line":    line + "\n\n",
		"a member more":    strings.Replace(line, `"by"`, `"b":1,"by"`, 1),
		"a member twice":   strings.Replace(line, `"by"`, `"by":"x","by"`, 1),
		"a space more":     strings.Replace(line, `,"by"`, `, "by"`, 1),
		"a large line":     strings.Repeat("x", 1<<20) + "\n",
		"an upper-case N":  strings.Replace(line, `"n":`, `"N":`, 1),
		"a time elsewhere": strings.Replace(line, `456Z"`, `456+00:00"`, 1),
	} {
		_, found, err := audit.VerifyExport(strings.NewReader(raw), audit.Head{})
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	_, found, err := audit.VerifyExport(strings.NewReader(strings.Repeat("x\n", 1000)), audit.Head{})
	if err != nil || len(found) != 100 {
		t.Errorf("%d findings, %v", len(found), err)
	}
	if _, _, err := audit.VerifyExport(strings.NewReader(line), audit.Head{}); err != nil {
		t.Error(err)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, e := range chain(f, 2) {
		f.Add(e.Line())
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if e, err := audit.ParseLine(line); err == nil && !bytes.Equal(e.Line(), line) {
			t.Errorf("%q is read as %q", line, e.Line())
		}
	})
}
