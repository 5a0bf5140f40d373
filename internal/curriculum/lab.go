package curriculum

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// defaultLimits cage a lab that names none.
var defaultLimits = Limits{WallSeconds: 10, MemoryMiB: 128, OutputKiB: 64}

// labSource is a lab as its author wrote it.
type labSource struct {
	Title  string        `json:"title"`
	Entry  string        `json:"entry"`
	Limits limitsSource  `json:"limits"`
	Files  []string      `json:"files"`
	Hints  []string      `json:"hints"`
	Checks []checkSource `json:"checks"`
}

type limitsSource struct {
	WallSeconds int `json:"wall_seconds"`
	MemoryMiB   int `json:"memory_mib"`
	OutputKiB   int `json:"output_kib"`
}

type checkSource struct {
	ID      string          `json:"id"`
	Title   string          `json:"title"`
	Visible *bool           `json:"visible"`
	Call    string          `json:"call"`
	Equals  json.RawMessage `json:"equals"`
	Near    *struct {
		Value     float64 `json:"value"`
		Tolerance float64 `json:"tolerance"`
	} `json:"near"`
	Set      []any  `json:"set"`
	Stdout   string `json:"stdout"`
	Feedback string `json:"feedback"`
}

// labItem is a lab with all its texts.
type labItem struct {
	id    ContentID
	title Text
	hints []Text
	vault VaultLab
}

// readLab checks a lab's folder and gathers its texts and files.
func readLab(id string, doc *document, src *source, t *texts, faults *faultList) labItem {
	checkSchema("lab", doc, faults)
	dir := "labs/" + id + "/"
	if !doc.fit {
		return labItem{}
	}
	var ls labSource
	doc.into(&ls)
	base := "lab." + id
	item := labItem{id: ContentID(id), title: t.text(base+".title", ls.Title)}
	for i, h := range ls.Hints {
		item.hints = append(item.hints, t.text(base+".hint."+strconv.Itoa(i+1), h))
	}
	item.vault = VaultLab{
		Entry: ls.Entry, Limits: defaultLimits, Files: map[string]string{},
		Starter: string(src.files[dir+"starter.py"]), Solution: string(src.files[dir+"solution.py"]),
	}
	if n := ls.Limits.WallSeconds; n > 0 {
		item.vault.Limits.WallSeconds = n
	}
	if n := ls.Limits.MemoryMiB; n > 0 {
		item.vault.Limits.MemoryMiB = n
	}
	if n := ls.Limits.OutputKiB; n > 0 {
		item.vault.Limits.OutputKiB = n
	}
	r := labReader{doc: doc, faults: faults}
	r.files(dir, ls, src, &item.vault)
	seen := map[string]bool{}
	raws, _ := field(doc.value, "checks").([]any)
	for i, cs := range ls.Checks {
		at := "/checks/" + strconv.Itoa(i)
		if cs.ID != "" && seen[cs.ID] {
			r.fault(at+"/id", "course.duplicate_id", "ID", cs.ID)
		}
		seen[cs.ID] = true
		var raw any
		if i < len(raws) {
			raw = raws[i]
		}
		c := r.check(cs, raw, at)
		c.Title = t.text(base+".check."+cs.ID+".title", cs.Title)
		if cs.Feedback != "" {
			c.Feedback = t.text(base+".check."+cs.ID+".feedback", cs.Feedback)
		}
		item.vault.Checks = append(item.vault.Checks, c)
	}
	return item
}

type labReader struct {
	doc    *document
	faults *faultList
}

func (r labReader) fault(pointer, key string, args ...string) {
	r.faults.add(r.doc.file, r.doc.line(pointer), key, args...)
}

// files gathers the data files and the wrong solutions, and checks that the files a lab needs are there.
func (r labReader) files(dir string, ls labSource, src *source, v *VaultLab) {
	for _, name := range []string{"starter.py", "solution.py"} {
		if !src.has(dir + name) {
			r.fault("", "course.missing_file", "File", dir+name)
		}
	}
	if s := strings.TrimSpace(v.Solution); src.has(dir+"solution.py") && !src.broken[dir+"solution.py"] {
		if s == "" {
			r.faults.add(dir+"solution.py", 1, "course.empty_file")
		} else if s == strings.TrimSpace(v.Starter) {
			r.faults.add(dir+"starter.py", 1, "lab.starter_is_solution")
		}
	}
	listed := map[string]bool{}
	for i, name := range ls.Files {
		at := "/files/" + strconv.Itoa(i)
		listed[name] = true
		switch {
		case name == ls.Entry || labOwn(name):
			r.fault(at, "lab.reserved_file", "File", name)
		case !src.has(dir + name):
			r.fault(at, "course.missing_file", "File", dir+name)
		default:
			v.Files[name] = string(src.files[dir+name])
		}
	}
	if labOwn(ls.Entry) && ls.Entry != "" {
		r.fault("/entry", "lab.reserved_file", "File", ls.Entry)
	}
	for _, name := range slices.Sorted(maps.Keys(src.files)) {
		rest, ok := strings.CutPrefix(name, dir)
		if !ok {
			continue
		}
		if wrong, ok := strings.CutPrefix(rest, "wrong/"); ok {
			if v.Wrong == nil {
				v.Wrong = map[string]string{}
			}
			v.Wrong[wrong] = string(src.files[name])
			if strings.TrimSpace(v.Wrong[wrong]) == strings.TrimSpace(v.Solution) {
				r.faults.add(name, 1, "lab.wrong_is_solution")
			}
			continue
		}
		if !labOwn(rest) && !listed[rest] {
			r.faults.add(name, 1, "lab.unlisted_file", "File", rest)
		}
	}
}

// labOwn names the files of a lab's folder that are not data.
func labOwn(name string) bool {
	return name == "lab.yaml" || name == "starter.py" || name == "solution.py" || statementName.MatchString(name)
}

var statementName = regexp.MustCompile(`^statement\.` + localeForm + `\.md$`)

// check turns one check into its compiled form.
func (r labReader) check(cs checkSource, raw any, at string) Check {
	c := Check{ID: cs.ID, Visible: cs.Visible == nil || *cs.Visible, Call: cs.Call}
	m, _ := raw.(map[string]any)
	var kinds []string
	for _, k := range []CheckKind{Equals, Near, Set, Stdout} {
		if _, ok := m[string(k)]; ok {
			kinds = append(kinds, string(k))
			c.Kind = k
		}
	}
	if len(kinds) != 1 {
		r.fault(at, "lab.check_kinds", "Found", strconv.Itoa(len(kinds)))
		return c
	}
	_, hasCall := m["call"]
	if c.Kind == Stdout && hasCall {
		r.fault(at+"/call", "lab.call_unwanted")
	}
	if c.Kind != Stdout && !hasCall {
		r.fault(at, "lab.call_missing")
	}
	switch c.Kind {
	case Equals:
		_ = json.Unmarshal(cs.Equals, &c.Want)
	case Near:
		if cs.Near != nil {
			c.Want, c.Tolerance = cs.Near.Value, cs.Near.Tolerance
		}
	case Set:
		c.Want = cs.Set
	case Stdout:
		c.Want = cs.Stdout
		if _, err := regexp.Compile(cs.Stdout); err != nil {
			part := cs.Stdout
			var bad *syntax.Error
			if errors.As(err, &bad) {
				part = bad.Expr
			}
			r.fault(at+"/stdout", "lab.bad_regexp", "Part", part)
		}
	}
	return c
}

// public is what the page gets in one language.
func (l labItem) public(locale Locale) PublicLab {
	p := PublicLab{
		ID: l.id, Title: l.title[locale], Entry: l.vault.Entry,
		Starter: map[string]string{}, Hints: []string{}, Checks: []PublicCheck{},
	}
	maps.Copy(p.Starter, l.vault.Files)
	p.Starter[l.vault.Entry] = l.vault.Starter
	for _, h := range l.hints {
		p.Hints = append(p.Hints, h[locale])
	}
	for _, c := range l.vault.Checks {
		pc := PublicCheck{ID: c.ID, Title: c.Title[locale]}
		if c.Visible {
			pc.Call = c.Call
		}
		p.Checks = append(p.Checks, pc)
	}
	return p
}
