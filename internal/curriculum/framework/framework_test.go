package framework_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/content/frameworks"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/fault"
)

func TestShipped(t *testing.T) {
	s, err := framework.Load(frameworks.Files)
	if err != nil {
		var f *fault.Error
		if errors.As(err, &f) {
			for _, d := range f.Details {
				t.Errorf("%s:%d %s %v", d.File, d.Line, d.Key, d.Args)
			}
		}
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, id := range s.IDs() {
		c, f, ok := s.Find(id)
		if !ok || c.ID != id {
			t.Errorf("%s is listed but not found", id)
		}
		count[f.ID]++
		for _, l := range append(slices.Clone(framework.Required), "en") {
			if text, lang := c.Name.In(l, "en"); text == "" || lang != l {
				t.Errorf("%s has no name in %s", id, l)
			}
		}
	}
	// The figures of the publications; of AILit's final edition one competence is verified.
	for id, want := range map[string]int{"cfs": 12, "cft": 15, "ailit": 22, "ailit-2026": 1} {
		if count[id] != want {
			t.Errorf("%s has %d competences, want %d", id, count[id], want)
		}
	}
	for _, f := range s.Frameworks {
		if want := framework.Status(map[bool]string{true: "draft", false: "published"}[strings.HasPrefix(f.ID, "ailit")]); f.Status != want {
			t.Errorf("%s is %s", f.ID, f.Status)
		}
	}
	c, f, _ := s.Find("cfs.ai-system-design.apply")
	if text, lang := c.Name.In("es-MX", f.Language); text != "Diseño de la arquitectura" || lang != "es" || c.Level != "cfs:apply" {
		t.Errorf("%q in %s at %s", text, lang, c.Level)
	}
	if text, lang := c.Name.In("tlh", f.Language); text != "Architecture design" || lang != "en" {
		t.Errorf("a language that nobody speaks here: %q in %s", text, lang)
	}
	if _, _, ok := s.Find("cfs.ethics"); ok {
		t.Error("an aspect is taken for a competence")
	}
	groups := s.Group([]string{"cft.ethics.deepen", "cfs.ethics.create", "none.at.all", "cfs.human-centred.apply", "cfs.ethics.create"})
	var got []string
	for _, g := range groups {
		for _, c := range g.Competences {
			got = append(got, g.Framework.ID+" "+c.ID)
		}
	}
	if fmt.Sprint(got) != "[cfs cfs.human-centred.apply cfs cfs.ethics.create cft cft.ethics.deepen]" {
		t.Errorf("grouped %v", got)
	}
}

// The UUIDs are kept by other systems: they must never change.
func TestIdentifiersStay(t *testing.T) {
	for id, want := range map[string]string{
		"cfs":              "1f81168a-8785-5fab-b83b-0b8cc9d6743a",
		"cfs.ethics.apply": "290d5053-1821-55ab-b2f2-70a4818a18b5",
	} {
		if got := framework.Identifier(id); got != want {
			t.Errorf("%s is %s, and was %s", id, got, want)
		}
	}
}

func TestDocuments(t *testing.T) {
	s := framework.Shipped()
	version5 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	unique := func(id string) {
		if !version5.MatchString(id) || seen[id] {
			t.Errorf("%s is no UUID of version 5, or there twice", id)
		}
		seen[id] = true
	}
	docs := s.Documents()
	if want := (len(s.Frameworks) + 1) * (len(s.Languages) + 1); len(docs) != want {
		t.Fatalf("%d documents, want %d", len(docs), want)
	}
	kinds := map[string]int{}
	for i, d := range docs {
		unique(d.Identifier)
		if s.Document(d.Identifier) != d || d.Title == "" || d.Translation != (i > len(s.Frameworks)) {
			t.Errorf("document %d: %+v", i, d)
		}
		parents := map[string]int{}
		for _, it := range d.Items {
			unique(it.Identifier)
			if s.Item(it.Identifier) != it || it.Statement == "" || it.Document != d {
				t.Errorf("item %+v", it)
			}
			parents[it.Identifier] = 0
		}
		translated := 0
		for _, a := range d.Associations {
			unique(a.Identifier)
			kinds[a.Type]++
			for _, n := range []framework.Node{a.From, a.To} {
				title := ""
				if n.Document && s.Document(n.Identifier) != nil {
					title = s.Document(n.Identifier).Title
				} else if !n.Document && s.Item(n.Identifier) != nil {
					title = s.Item(n.Identifier).Statement
				}
				if title == "" || title != n.Title {
					t.Errorf("%s of %s leads nowhere: %+v", a.Type, d.Title, n)
				}
				if !n.Document && !slices.Contains(s.Associations(s.Item(n.Identifier)), a) {
					t.Errorf("%s is not found from its end %s", a.Identifier, n.Identifier)
				}
			}
			switch a.Type {
			case framework.IsChildOf:
				parents[a.From.Identifier]++
			case framework.IsTranslationOf:
				translated++
			}
			if s.Association(a.Identifier) != a {
				t.Errorf("association %s is not found", a.Identifier)
			}
		}
		for id, n := range parents {
			if n != 1 {
				t.Errorf("%s of %s has %d parents", id, d.Title, n)
			}
		}
		if want := len(d.Items) + 1; d.Translation && translated != want || !d.Translation && translated != 0 {
			t.Errorf("%s in %s: %d of %d are tied to what they translate", d.Title, d.Language, translated, want)
		}
	}
	for _, kind := range []string{framework.IsChildOf, framework.HasSkillLevel, framework.IsTranslationOf, framework.IsRelatedTo} {
		if kinds[kind] == 0 {
			t.Errorf("no %s", kind)
		}
	}
	if kinds[framework.HasSkillLevel] != (12+15)*(len(s.Languages)+1) {
		t.Errorf("%d levels", kinds[framework.HasSkillLevel])
	}
	it := s.Item(framework.Identifier("cfs.ethics.apply"))
	if it == nil || it.Code != "cfs.ethics.apply" || it.Statement != "Safe and responsible use" || it.Document.Language != "en" {
		t.Errorf("%+v", it)
	}
}

// small is the least folder that is right.
func small() fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	out := fstest.MapFS{
		"one.yaml": file(`id: one
version: "1"
title: One
publisher: Somebody
source: https://example.org/one
licence: CC0-1.0
status: published
changed: "2026-01-02"
language: en
levels:
  - {id: low, name: Low}
aspects:
  - id: thing
    name: Thing
    competences:
      - {id: low, name: Knows the thing}
`),
		"crosswalk.yaml": file(`id: crosswalk
version: "1"
title: Walk
publisher: Us
source: https://example.org/walk
licence: CC0-1.0
status: draft
changed: "2026-01-02"
language: en
themes:
  - id: all
    name: All
    competences: [one.thing.low, one.thing]
`),
	}
	for _, l := range framework.Required {
		out["locales/"+l+".yaml"] = file(`locale: ` + l + `
state: draft
translator: Us
frameworks:
  one:
    title: Un
    levels: {low: Bas}
    aspects: {thing: Chose}
    competences:
      thing.low: Sait
crosswalk:
  title: Chemin
  themes: {all: Tout}
`)
	}
	return out
}

func TestFaults(t *testing.T) {
	if _, err := framework.Load(small()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, file, from, to, want string }{
		{"no YAML", "one.yaml", "title: One", "title: [", "one.yaml:2 framework.bad_file"},
		{"a key that is unknown", "one.yaml", "title: One", "title: One\ntilte: One", "one.yaml:1 framework.bad_value"},
		{"a status that is none", "one.yaml", "status: published", "status: done", "one.yaml:7 framework.bad_value"},
		{"a source that is no address", "one.yaml", "https://example.org/one", "one", "one.yaml:5 framework.bad_value"},
		{"a day that is none", "one.yaml", "2026-01-02", "2026-13-02", "one.yaml:8 framework.bad_value"},
		{"an id that is not the file's name", "one.yaml", "id: one", "id: two", "one.yaml:1 framework.file_name"},
		{"an aspect's name that is missing", "one.yaml", "    name: Thing\n", "", "one.yaml:13 framework.bad_value"},
		{"a level that is none", "one.yaml", "{id: low, name: Knows", "{id: high, name: Knows", "one.yaml:16 framework.unknown_id"},
		{"a competence twice", "one.yaml", "      - {id: low, name: Knows the thing}", "      - {id: low, name: Knows the thing}\n      - {id: low, name: Again}", "one.yaml:17 framework.duplicate_id"},
		{"a target that is unknown", "crosswalk.yaml", "one.thing.low", "one.thing.lo", "crosswalk.yaml:13 framework.unknown_id"},
		{"a level as a target", "crosswalk.yaml", "one.thing.low", "'one:low'", "crosswalk.yaml:13 framework.unknown_id"},
		{"a crosswalk that claims to be more than a proposal", "crosswalk.yaml", "status: draft", "status: published", "crosswalk.yaml:7 framework.bad_value"},
		{"a name that is missing", "locales/fr.yaml", "      thing.low: Sait\n", "      {}\n", "locales/fr.yaml:1 framework.missing_name"},
		{"a name of nothing", "locales/fr.yaml", "thing.low: Sait", "thing.low: Sait\n      thing.high: Sait", "locales/fr.yaml:11 framework.unknown_id"},
		{"a language that is not the file's", "locales/fr.yaml", "locale: fr", "locale: pt", "locales/fr.yaml:1 framework.file_name"},
		{"a language that is missing", "locales/zh.yaml", "", "", "locales/zh.yaml:1 framework.missing_language"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := small()
			if tt.from == "" {
				delete(folder, tt.file)
			} else {
				before := string(folder[tt.file].Data)
				if !strings.Contains(before, tt.from) {
					t.Fatal("nothing to change")
				}
				folder[tt.file] = &fstest.MapFile{Data: []byte(strings.Replace(before, tt.from, tt.to, 1))}
			}
			_, err := framework.Load(folder)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid {
				t.Fatalf("%v", err)
			}
			var got []string
			for _, d := range f.Details {
				got = append(got, fmt.Sprintf("%s:%d %s", d.File, d.Line, d.Key))
			}
			if !slices.Contains(got, tt.want) {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
	if _, err := framework.Load(fstest.MapFS{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty folder: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for name, file := range small() {
		f.Add(name, file.Data)
	}
	f.Fuzz(func(_ *testing.T, name string, data []byte) {
		folder := small()
		folder[name] = &fstest.MapFile{Data: data}
		_, _ = framework.Load(folder)
	})
}
