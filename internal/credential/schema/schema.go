// Package schema holds credentials to the JSON Schemas of Open Badges 3.0. It is for tests alone.
//
// One schema is ours, the other 1EdTech's, which not everybody may pass on: `make openbadges` fetches it, and where it is there, it is asked too.
// testdata/README.md says more.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Class is a kind of credential that Open Badges has a schema for.
type Class string

// The classes.
const (
	Achievement Class = "AchievementCredential"
	Endorsement Class = "EndorsementCredential"
)

func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// official is where `make openbadges` puts 1EdTech's file of a class.
func (c Class) official() string {
	return filepath.Join(root(), "build", "openbadges", "ob_v3p0_"+strings.ToLower(string(c))+"_schema.json")
}

func (c Class) ours() string {
	return filepath.Join(root(), "internal", "credential", "schema", "testdata", "open-badges-3.0.schema.json") + "#/$defs/" + string(c)
}

// compiled are the schemas by their file: each test asks for a dozen documents.
var compiled sync.Map

func compile(t testing.TB, address string) *jsonschema.Schema {
	t.Helper()
	if s, ok := compiled.Load(address); ok {
		return s.(*jsonschema.Schema)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(address)
	if err != nil {
		t.Fatal(err)
	}
	compiled.Store(address, s)
	return s
}

// Refusals says what the schemas of a class refuse in a document, as "/place: why", each once; nothing when it passes all. What one of several
// alternatives refuses is one refusal, of the innermost place.
func Refusals(t testing.TB, c Class, doc []byte) []string {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatalf("%v: %s", err, doc)
	}
	schemas := []*jsonschema.Schema{compile(t, c.ours())}
	switch _, err := os.Stat(c.official()); {
	case err == nil:
		schemas = append(schemas, compile(t, c.official()))
	case !errors.Is(err, fs.ErrNotExist):
		t.Fatal(err)
	}
	var out []string
	for _, s := range schemas {
		var refused *jsonschema.ValidationError
		if err := s.Validate(v); errors.As(err, &refused) {
			out = append(out, leaves(refused)...)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func leaves(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		text := strings.Split(e.Error(), "\n")
		_, why, _ := strings.Cut(text[len(text)-1], ": ")
		return []string{"/" + strings.Join(e.InstanceLocation, "/") + ": " + why}
	}
	var out []string
	for _, cause := range e.Causes {
		out = append(out, leaves(cause)...)
	}
	return out
}

// Passes fails a test whose document is refused. Ours have two entries in credentialStatus, an array, as version 2 of the data model has it;
// the schemas of Open Badges 3.0 take one object (ADR 23). So each entry is tried as the only one, and of the whole nothing but the array may be refused.
func Passes(t testing.TB, c Class, doc []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatalf("%v: %s", err, doc)
	}
	tree, _ := v.(map[string]any)
	entries, several := tree["credentialStatus"].([]any)
	if !several {
		if found := Refusals(t, c, doc); len(found) > 0 {
			t.Errorf("%s\n%s", strings.Join(found, "\n"), doc)
		}
		return
	}
	if found := Refusals(t, c, doc); len(found) != 1 || found[0] != ArrayOfStatuses {
		t.Errorf("want no refusal but %q: %q\n%s", ArrayOfStatuses, found, doc)
	}
	if len(entries) == 0 {
		t.Errorf("no status: %s", doc)
	}
	for _, e := range entries {
		tree["credentialStatus"] = e
		one, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		if found := Refusals(t, c, one); len(found) > 0 {
			t.Errorf("with one of its statuses: %s\n%s", strings.Join(found, "\n"), one)
		}
	}
}

// ArrayOfStatuses is the one refusal that credentials of ours have.
const ArrayOfStatuses = "/credentialStatus: got array, want object"
