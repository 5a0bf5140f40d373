package framework

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/banyan-lms/banyan/content/schema"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Required are the languages that every name must have besides its framework's own.
var Required = []string{"ar", "es", "fr", "ru", "zh"}

// crosswalkFile is a framework's name that is taken.
const crosswalkFile = "crosswalk"

const maxFile = 256 << 10

type frameworkSource struct {
	ID        string
	Version   string
	Title     string
	Publisher string
	Source    string
	Licence   string
	Status    Status
	Note      string
	Changed   string
	Language  string
	Levels    []named
	Aspects   []struct {
		named       `yaml:",inline"`
		Competences []named
	}
	Themes []struct {
		named       `yaml:",inline"`
		Competences []string
	}
}

type named struct{ ID, Name string }

// localeSource is locales/<locale>.yaml.
type localeSource struct {
	Locale     string
	State      string
	Translator string
	Frameworks map[string]struct {
		Title       string
		Levels      map[string]string
		Aspects     map[string]string
		Competences map[string]string
	}
	Crosswalk struct {
		Title  string
		Themes map[string]string
	}
}

// Load reads a folder of frameworks: <id>.yaml each, crosswalk.yaml and locales/<locale>.yaml, as docs/frameworks.md says.
// What is wrong is one fault Invalid framework.invalid, whose details name every fault with its file and line.
func Load(fsys fs.FS) (*Set, error) {
	l := loader{fsys: fsys, set: &Set{known: map[string]place{}}, names: map[string]Name{}}
	l.read()
	if len(l.faults) > 0 {
		slices.SortStableFunc(l.faults, func(a, b fault.Detail) int {
			if c := strings.Compare(a.File, b.File); c != 0 {
				return c
			}
			return a.Line - b.Line
		})
		return nil, fault.New(fault.Invalid, "framework.invalid").At(l.faults...)
	}
	l.set.ids = slices.Sorted(maps.Keys(l.set.known))
	l.set.cases = l.set.publish()
	return l.set, nil
}

type loader struct {
	fsys   fs.FS
	set    *Set
	names  map[string]Name // of everything that has one, by id
	faults []fault.Detail
}

func (l *loader) fault(f *file, at, key string, args ...string) {
	d := fault.Detail{File: f.name, Line: f.line(at), Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if d.Args == nil {
			d.Args = map[string]any{}
		}
		d.Args[args[i]] = args[i+1]
	}
	l.faults = append(l.faults, d)
}

func (l *loader) read() {
	names, err := fs.Glob(l.fsys, "*.yaml")
	if err != nil || len(names) == 0 {
		l.fault(&file{name: "."}, "", "framework.bad_file")
		return
	}
	var walk *file
	for _, name := range names { // sorted
		f := l.open(name, schemaOf(name))
		if f == nil {
			continue
		}
		var src frameworkSource
		_ = f.root.Decode(&src) // the schema has seen it
		if want := strings.TrimSuffix(name, ".yaml"); src.ID != want {
			l.fault(f, "/id", "framework.file_name", "ID", src.ID, "Wanted", want)
			continue
		}
		if src.ID == crosswalkFile {
			walk = f
			l.crosswalk(f, src)
			continue
		}
		l.framework(f, src)
	}
	if len(l.faults) > 0 {
		return // what leads into a file at fault would be at fault too
	}
	if walk != nil {
		for i, t := range l.set.Crosswalk.Themes {
			for j, id := range t.Competences {
				if _, ok := l.names[id]; !ok || strings.Contains(id, ":") {
					l.fault(walk, "/themes/"+strconv.Itoa(i)+"/competences/"+strconv.Itoa(j), "framework.unknown_id", "ID", id)
				}
			}
		}
	}
	l.locales()
}

func schemaOf(name string) string {
	if name == crosswalkFile+".yaml" {
		return "crosswalk"
	}
	return "framework"
}

func (l *loader) edition(f *file, src frameworkSource) Framework {
	changed, err := time.Parse(time.DateOnly, src.Changed)
	if err != nil {
		l.fault(f, "/changed", "framework.bad_value", "Key", "changed", "Schema", schemaOf(f.name))
	}
	return Framework{
		ID: src.ID, Version: src.Version, Title: l.name(f, "/id", src.ID, src.Title, src.Language), Publisher: src.Publisher, Source: src.Source,
		Licence: src.Licence, Status: src.Status, Note: strings.TrimSpace(src.Note), ChangedAt: changed, Language: src.Language,
	}
}

func (l *loader) framework(f *file, src frameworkSource) {
	fw := l.edition(f, src)
	levels := map[string]string{}
	for i, lv := range src.Levels {
		id := src.ID + ":" + lv.ID
		levels[lv.ID] = id
		fw.Levels = append(fw.Levels, Level{ID: id, Name: l.name(f, "/levels/"+strconv.Itoa(i), id, lv.Name, src.Language)})
	}
	for i, as := range src.Aspects {
		at := "/aspects/" + strconv.Itoa(i)
		a := Aspect{ID: src.ID + "." + as.ID}
		a.Name = l.name(f, at, a.ID, as.Name, src.Language)
		for j, cs := range as.Competences {
			c := Competence{ID: a.ID + "." + cs.ID, Level: levels[cs.ID]}
			at := at + "/competences/" + strconv.Itoa(j)
			c.Name = l.name(f, at, c.ID, cs.Name, src.Language)
			if len(levels) > 0 && c.Level == "" {
				l.fault(f, at, "framework.unknown_id", "ID", src.ID+":"+cs.ID)
			}
			l.set.known[c.ID] = place{len(l.set.Frameworks), i, j}
			a.Competences = append(a.Competences, c)
		}
		fw.Aspects = append(fw.Aspects, a)
	}
	l.set.Frameworks = append(l.set.Frameworks, fw)
}

func (l *loader) crosswalk(f *file, src frameworkSource) {
	w := Crosswalk{Framework: l.edition(f, src)}
	for i, ts := range src.Themes {
		t := Theme{ID: src.ID + "." + ts.ID, Competences: ts.Competences}
		t.Name = l.name(f, "/themes/"+strconv.Itoa(i), t.ID, ts.Name, src.Language)
		w.Themes = append(w.Themes, t)
	}
	l.set.Crosswalk = w
}

// name notes what has a name. Ids are unique among all frameworks.
func (l *loader) name(f *file, at, id, text, language string) Name {
	if _, twice := l.names[id]; twice {
		l.fault(f, at, "framework.duplicate_id", "ID", id)
	}
	n := Name{language: text}
	l.names[id] = n
	return n
}

// locales reads the translations. A language that is there at all must have every name: half a list of
// competences in each of two languages helps nobody.
func (l *loader) locales() {
	files, _ := fs.Glob(l.fsys, "locales/*.yaml") // the pattern is good
	there := map[string]bool{}
	for _, name := range files {
		locale := strings.TrimSuffix(path.Base(name), ".yaml")
		there[locale] = true
		f := l.open(name, "framework-locale")
		if f == nil {
			continue
		}
		var src localeSource
		_ = f.root.Decode(&src) // the schema has seen it
		if src.Locale != locale {
			l.fault(f, "/locale", "framework.file_name", "ID", src.Locale, "Wanted", locale)
			continue
		}
		said := map[string]bool{}
		say := func(at, id, text string) {
			n, ok := l.names[id]
			if !ok {
				l.fault(f, at, "framework.unknown_id", "ID", id)
				return
			}
			said[id], n[locale] = true, text
		}
		for id, fw := range src.Frameworks {
			at := "/frameworks/" + id
			say(at, id, fw.Title)
			for k, v := range fw.Levels {
				say(at+"/levels/"+k, id+":"+k, v)
			}
			for k, v := range fw.Aspects {
				say(at+"/aspects/"+k, id+"."+k, v)
			}
			for k, v := range fw.Competences {
				say(at+"/competences/"+k, id+"."+k, v)
			}
		}
		if src.Crosswalk.Title != "" {
			say("/crosswalk", crosswalkFile, src.Crosswalk.Title)
		}
		for k, v := range src.Crosswalk.Themes {
			say("/crosswalk/themes/"+k, crosswalkFile+"."+k, v)
		}
		for _, id := range slices.Sorted(maps.Keys(l.names)) {
			if !said[id] {
				l.fault(f, "", "framework.missing_name", "ID", id, "Locale", locale)
			}
		}
		l.set.Languages = append(l.set.Languages, locale)
	}
	for _, locale := range Required {
		if !there[locale] {
			l.fault(&file{name: "locales/" + locale + ".yaml"}, "", "framework.missing_language", "Locale", locale)
		}
	}
}

// file is a YAML file that fits its schema.
type file struct {
	name string
	root *yaml.Node
}

var yamlLine = regexp.MustCompile(`line (\d+):`)

// open reads a file and holds it against its schema. It gives nil when the file is at fault.
func (l *loader) open(name, schemaName string) *file {
	f := &file{name: name, root: &yaml.Node{}}
	data, err := fs.ReadFile(l.fsys, name)
	if err != nil || len(data) > maxFile {
		l.fault(f, "", "framework.bad_file")
		return nil
	}
	var value any
	if err := errors.Join(yaml.Unmarshal(data, f.root), yaml.Unmarshal(data, &value)); err != nil {
		line := 1
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		l.faults = append(l.faults, fault.Detail{File: name, Line: line, Key: "framework.bad_file"})
		return nil
	}
	err = schemas()[schemaName].Validate(value)
	if err == nil {
		return f
	}
	var verr *jsonschema.ValidationError
	if !errors.As(err, &verr) {
		l.fault(f, "", "framework.bad_file")
		return nil
	}
	l.differences(f, schemaName, verr)
	return nil
}

func (l *loader) differences(f *file, schemaName string, e *jsonschema.ValidationError) {
	if len(e.Causes) == 0 {
		key := "…"
		if n := len(e.InstanceLocation); n > 0 {
			key = e.InstanceLocation[n-1]
		}
		l.fault(f, "/"+strings.Join(e.InstanceLocation, "/"), "framework.bad_value", "Key", key, "Schema", schemaName)
		return
	}
	for _, c := range e.Causes {
		l.differences(f, schemaName, c)
	}
}

// line finds where a pointer stands, or else what holds it. No key of these files has a slash.
func (f *file) line(pointer string) int {
	if f.root == nil || len(f.root.Content) == 0 {
		return 1
	}
	n, line := f.root.Content[0], 1
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == part {
					next, line = n.Content[i+1], n.Content[i].Line
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(part); err == nil && i < len(n.Content) {
				next = n.Content[i]
				line = next.Line
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return line
}

// schemas compiles what is embedded, once. That it compiles is tested, so a failure is our own.
var schemas = sync.OnceValue(func() map[string]*jsonschema.Schema {
	out := map[string]*jsonschema.Schema{}
	c := jsonschema.NewCompiler()
	for _, name := range []string{"framework", "crosswalk", "framework-locale"} {
		data, err := schema.Files.ReadFile(name + ".schema.json")
		if err != nil {
			panic(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			panic("schema " + name + ": " + err.Error())
		}
		// The $id is for editors; here a schema is known by where it lies.
		delete(doc.(map[string]any), "$id")
		if err := c.AddResource("banyan:///"+name, doc); err != nil {
			panic("schema " + name + ": " + err.Error())
		}
		out[name] = c.MustCompile("banyan:///" + name)
	}
	return out
})
