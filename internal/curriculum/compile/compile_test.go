package compile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
)

var update = flag.Bool("update", false, "write the golden files anew")

func compiled(t testing.TB, fsys fs.FS) compile.Result {
	t.Helper()
	c, err := compile.Course(fsys, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func item(t testing.TB, c compile.Result, id curriculum.ContentID) curriculum.Item {
	t.Helper()
	it, ok := c.Manifest.Item(id)
	if !ok {
		t.Fatalf("no item %s", id)
	}
	return it
}

func TestCompileGolden(t *testing.T) {
	c := compiled(t, coursetest.Golden())
	files := map[string][]byte{
		"manifest.json": c.ManifestJSON,
		"vault.json":    c.Vault,
	}
	for _, m := range c.Manifest.Modules {
		for _, it := range m.Items {
			for l, d := range it.Fragment {
				files[string(it.ID)+"."+l+".html"] = c.Blobs[d]
			}
			for l, d := range it.Data {
				files[string(it.ID)+"."+l+".json"] = c.Blobs[d]
			}
		}
	}
	for name, data := range files {
		path := filepath.Join("testdata/golden", name)
		if *update {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, want) {
			t.Errorf("%s differs; when that is meant, run go test -update\ngot:  %s\nwant: %s", name, data, want)
		}
	}
	entries, err := os.ReadDir("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(files) {
		t.Errorf("%d golden files, %d compiled", len(entries), len(files))
	}
}

func TestCompiledIsWhole(t *testing.T) {
	c := compiled(t, coursetest.Golden())
	if blob.Of(c.ManifestJSON) != c.Digest || blob.Of(c.Vault) != c.Manifest.Vault {
		t.Error("digests do not bind manifest and vault")
	}
	var back curriculum.Manifest
	if err := json.Unmarshal(c.ManifestJSON, &back); err != nil || !reflect.DeepEqual(back, c.Manifest) {
		t.Errorf("manifest does not survive its JSON: %v", err)
	}
	named := map[blob.Digest]bool{}
	for _, m := range c.Manifest.Modules {
		for _, it := range m.Items {
			for _, l := range c.Manifest.Locales {
				if it.Title[l] == "" {
					t.Errorf("%s has no title in %s", it.ID, l)
				}
				if (it.Kind == curriculum.Quiz) != (it.Fragment[l] == "") || (it.Kind == curriculum.Lesson) != (it.Data[l] == "") {
					t.Errorf("%s misses blobs in %s", it.ID, l)
				}
				named[it.Fragment[l]], named[it.Data[l]] = true, true
				for _, m := range it.Media[l] {
					named[m] = true
				}
			}
		}
	}
	for d, data := range c.Blobs {
		if blob.Of(data) != d || !named[d] {
			t.Errorf("blob %s is not what the manifest names", d)
		}
	}
	// What was not translated says in which language it is.
	second := string(c.Blobs[item(t, c, "second").Fragment["ar"]])
	if second != "<p lang=\"en\" dir=\"ltr\" class=\"fallback\">Short.</p>\n" {
		t.Errorf("untranslated lesson: %s", second)
	}
}

func TestSameBytesSameVersion(t *testing.T) {
	first := compiled(t, coursetest.Golden())
	for range 20 {
		if next := compiled(t, coursetest.Copy(t)); !reflect.DeepEqual(first, next) {
			t.Fatal("two runs differ")
		}
	}
	// A changed answer key is another version, though nothing public but the vault's digest tells.
	m := coursetest.Copy(t)
	m["quizzes/exam.yaml"].Data = bytes.ReplaceAll(m["quizzes/exam.yaml"].Data, []byte("73519.25"), []byte("73519.5"))
	if compiled(t, m).Digest == first.Digest {
		t.Error("another key gave the same version")
	}
	m = coursetest.Copy(t)
	m["labs/echo/solution.py"].Data = append(m["labs/echo/solution.py"].Data, '#')
	if compiled(t, m).Digest == first.Digest {
		t.Error("another solution gave the same version")
	}
}

// Nothing that anybody may read holds a key of a graded quiz, an expected value or a solution.
func TestKeysStayInTheVault(t *testing.T) {
	c := compiled(t, coursetest.Golden())
	secrets := []string{"SECRET", "73519", "0.0625", "Zwölfkämpfer", "zwolfkampfer", "the other", "كِتَاب", "كتاب", "correct", "accept"}
	public := map[string][]byte{"manifest": c.ManifestJSON}
	for d, data := range c.Blobs {
		public[string(d)] = data
	}
	for _, d := range item(t, c, "practice").Data {
		delete(public, string(d)) // marked in the page
	}
	for name, data := range public {
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				t.Errorf("%q is public in %s: %s", s, name, data)
			}
		}
	}
	for _, s := range []string{"SECRET-S2", "SECRET-CALL", "SECRET-LABEL-1", "SECRET-GROUP-2", "SECRET-JUDGE", "SECRET-SOLUTION", "SECRET-WRONG", "73519.25", "zwolfkampfer", "كتاب"} {
		if !bytes.Contains(c.Vault, []byte(s)) {
			t.Errorf("%q is not in the vault: the test proves nothing", s)
		}
	}

	var exam quiz.Public
	if err := json.Unmarshal(c.Blobs[item(t, c, "exam").Data["en"]], &exam); err != nil {
		t.Fatal(err)
	}
	var vault curriculum.VaultFile
	if err := json.Unmarshal(c.Vault, &vault); err != nil {
		t.Fatal(err)
	}
	for i, q := range exam.Questions {
		if q.Type != quiz.Match {
			continue
		}
		text := map[string]string{"pa": "R1", "pb": "R2", "pc": "R3"}
		if len(q.Rights) != 3 {
			t.Fatalf("rights: %v", q.Rights)
		}
		for _, r := range q.Rights {
			pair := vault.Quizzes["exam"].Questions[i].Rights[r.ID]
			if text[pair] != r.Text {
				t.Errorf("right %s is %q and pair %q", r.ID, r.Text, pair)
			}
			if slices.Contains([]string{"pa", "pb", "pc"}, r.ID) {
				t.Errorf("right id %s gives the pair away", r.ID)
			}
		}
	}
	// With another secret in the course the opaque ids are others: they are keyed.
	m := coursetest.Copy(t)
	m["quizzes/exam.yaml"].Data = bytes.ReplaceAll(m["quizzes/exam.yaml"].Data, []byte("SECRET-O1"), []byte("SECRET-O9"))
	var other quiz.Public
	oc := compiled(t, m)
	if err := json.Unmarshal(oc.Blobs[item(t, oc, "exam").Data["en"]], &other); err != nil {
		t.Fatal(err)
	}
	if other.Questions[3].Rights[0].ID == exam.Questions[3].Rights[0].ID {
		t.Error("right ids do not depend on the secret")
	}
}

// The order on the page does not follow from the order of the answer.
func TestOrderTellsNothing(t *testing.T) {
	options := func(fsys fs.FS) []string {
		c := compiled(t, fsys)
		var public quiz.Public
		if err := json.Unmarshal(c.Blobs[item(t, c, "exam").Data["en"]], &public); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, o := range public.Questions[2].Options {
			ids = append(ids, o.ID)
		}
		return ids
	}
	m := coursetest.Copy(t)
	src := string(m["quizzes/exam.yaml"].Data)
	one, four := "- {id: one, text: One}", "- {id: four, text: Four}"
	src = strings.Replace(strings.Replace(strings.Replace(src, one, "@", 1), four, one, 1), "@", four, 1)
	m["quizzes/exam.yaml"].Data = []byte(src)
	if a, b := options(coursetest.Golden()), options(m); !slices.Equal(a, b) {
		t.Errorf("another right order shows: %v and %v", a, b)
	}
}
