// Package labfile reads labs as their authors wrote them.
package labfile

import (
	"errors"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/curriculum/wording"
)

// labSource is a lab as its author wrote it.
type labSource struct {
	Title       string        `json:"title"`
	Entry       string        `json:"entry"`
	Limits      labdef.Limits `json:"limits"`
	Files       []string      `json:"files"`
	Hidden      []string      `json:"hidden"`
	Hints       []string      `json:"hints"`
	Points      float64       `json:"points"`
	Competences []string      `json:"competences"`
	Seed        uint64        `json:"seed"`
	Clock       string        `json:"clock"`
	Wrong       []wrongSource `json:"wrong"`
	Checks      []checkSource `json:"checks"`
}

type wrongSource struct {
	File    string   `json:"file"`
	Fails   []string `json:"fails"`
	Outcome string   `json:"outcome"`
	Message string   `json:"message"`
}

type checkSource struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Visible  *bool             `json:"visible"`
	Points   float64           `json:"points"`
	Reveal   *bool             `json:"reveal"`
	Feedback string            `json:"feedback"`
	Call     string            `json:"call"`
	File     string            `json:"file"`
	Data     *dataSource       `json:"data"`
	Equals   any               `json:"equals"`
	Near     *nearSource       `json:"near"`
	Set      []any             `json:"set"`
	Unorder  []any             `json:"unordered"`
	Matches  string            `json:"matches"`
	Stdout   string            `json:"stdout"`
	Raises   string            `json:"raises"`
	Metric   *metricSource     `json:"metric"`
	Judge    string            `json:"judge"`
	Says     map[string]string `json:"says"`
}

type dataSource struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Columns []string `json:"columns"`
}

type nearSource struct {
	Value     any     `json:"value"`
	Tolerance float64 `json:"tolerance"`
}

type metricSource struct {
	Name    labdef.MetricName `json:"name"`
	Label   string            `json:"label"`
	Group   string            `json:"group"`
	AtLeast *float64          `json:"at_least"`
	AtMost  *float64          `json:"at_most"`
}

// Lab is a lab with all its texts.
type Lab struct {
	id     curriculum.ContentID
	Source string // title in the source language
	Title  curriculum.Text
	hints  []curriculum.Text
	Vault  labdef.Lab
	texts  *wording.Translations
}

// Read checks a lab's folder and gathers its texts and files.
func Read(id string, doc *folder.Document, src *folder.Folder, t *wording.Translations, faults *folder.Faults) Lab {
	doc.Check("lab", faults)
	dir := "labs/" + id + "/"
	if !doc.Fit {
		return Lab{}
	}
	var ls labSource
	doc.Into(&ls)
	doc.CheckCompetences("", ls.Competences, faults)
	base := "lab." + id
	item := Lab{id: curriculum.ContentID(id), Source: ls.Title, texts: t, Title: t.Text(base+".title", ls.Title)}
	for i, h := range ls.Hints {
		item.hints = append(item.hints, t.Text(base+".hint."+strconv.Itoa(i+1), h))
	}
	item.Vault = labdef.Lab{
		Entry: ls.Entry, Limits: ls.Limits.OrDefault(), Points: 1, Competences: ls.Competences, Seed: labdef.DefaultSeed, Clock: labdef.DefaultClock,
		Files: map[string]string{}, Starter: string(src.Files[dir+"starter.py"]), Solution: string(src.Files[dir+"solution.py"]),
	}
	if ls.Points > 0 {
		item.Vault.Points = ls.Points
	}
	if ls.Seed > 0 {
		item.Vault.Seed = ls.Seed
	}
	r := labReader{doc: doc, faults: faults, dir: dir, src: src, lab: &item.Vault, tables: map[string]*table{}}
	if ls.Clock != "" {
		at, err := time.Parse(time.RFC3339, ls.Clock)
		if err != nil && clockForm.MatchString(ls.Clock) { // the schema has told of any other form
			r.fault("/clock", "lab.bad_clock", "Value", ls.Clock)
		}
		item.Vault.Clock = at.UTC()
	}
	r.files(ls)
	raws := doc.Root().Key("checks").Each()
	r.secret = secretColumns(ls.Checks)
	judges := map[string]bool{}
	seen := map[string]bool{}
	for i, cs := range ls.Checks {
		at := "/checks/" + strconv.Itoa(i)
		if cs.ID != "" && seen[cs.ID] {
			r.fault(at+"/id", "course.duplicate_id", "ID", cs.ID)
		}
		seen[cs.ID] = true
		var raw folder.Node
		if i < len(raws) {
			raw = raws[i]
		}
		c := r.check(cs, raw, at)
		judges[c.Rule.JudgeName] = true
		key := base + ".check." + cs.ID
		say := func(end, text string) map[string]string {
			item.Vault.Langs = t.Gather(item.Vault.Langs, base, "check."+cs.ID+"."+end)
			return t.Text(key+"."+end, text)
		}
		c.Title = say("title", cs.Title)
		if cs.Feedback != "" {
			c.Feedback = say("feedback", cs.Feedback)
		}
		for _, k := range slices.Sorted(maps.Keys(cs.Says)) {
			if c.Says == nil {
				c.Says = map[string]map[string]string{}
			}
			c.Says[k] = say("says."+k, cs.Says[k])
		}
		item.Vault.Checks = append(item.Vault.Checks, c)
	}
	for i, name := range ls.Hidden {
		if strings.HasPrefix(name, "judges/") && !judges[name] && src.Has(dir+name) {
			r.fault("/hidden/"+strconv.Itoa(i), "lab.judge_unused", "File", name)
		}
	}
	r.wrong(ls.Wrong, slices.Sorted(maps.Keys(seen)))
	return item
}

var clockForm = regexp.MustCompile(`^[0-9-]{10}T[0-9:]{8}Z$`)

type labReader struct {
	doc    *folder.Document
	faults *folder.Faults
	dir    string
	src    *folder.Folder
	lab    *labdef.Lab
	secret map[string][]string // columns by file that the first room may not get
	tables map[string]*table   // read already; nil when at fault
}

func (r *labReader) fault(pointer, key string, args ...string) {
	r.faults.Add(r.doc.File, r.doc.Line(pointer), key, args...)
}

// files gathers the data files and hidden files, and checks that the files a lab needs are there.
func (r *labReader) files(ls labSource) {
	v, src, dir := r.lab, r.src, r.dir
	for _, name := range []string{"starter.py", "solution.py"} {
		if !src.Has(dir + name) {
			r.fault("", "course.missing_file", "File", dir+name)
		}
	}
	if s := strings.TrimSpace(v.Solution); src.Has(dir+"solution.py") && !src.Broken[dir+"solution.py"] {
		if s == "" {
			r.faults.Add(dir+"solution.py", 1, "course.empty_file")
		} else if s == strings.TrimSpace(v.Starter) {
			r.faults.Add(dir+"starter.py", 1, "lab.starter_is_solution")
		}
	}
	listed := map[string]bool{}
	for i, name := range ls.Files {
		at := "/files/" + strconv.Itoa(i)
		listed[name] = true
		switch {
		case name == ls.Entry || labOwn(name):
			r.fault(at, "lab.reserved_file", "File", name)
		case !src.Has(dir + name):
			r.fault(at, "course.missing_file", "File", dir+name)
		default:
			v.Files[name] = string(src.Files[dir+name])
		}
	}
	for i, name := range ls.Hidden {
		listed[name] = true
		if !src.Has(dir + name) {
			r.fault("/hidden/"+strconv.Itoa(i), "course.missing_file", "File", dir+name)
			continue
		}
		if !strings.Contains(name, "/") {
			continue // the schema has told
		}
		if v.Hidden == nil {
			v.Hidden = map[string]string{}
		}
		v.Hidden[name] = string(src.Files[dir+name])
	}
	if labOwn(ls.Entry) && ls.Entry != "" {
		r.fault("/entry", "lab.reserved_file", "File", ls.Entry)
	}
	for _, name := range slices.Sorted(maps.Keys(src.Files)) {
		rest, ok := strings.CutPrefix(name, dir)
		switch {
		case !ok || labOwn(rest) && rest != banyanModule || listed[rest] || strings.HasPrefix(rest, "wrong/"):
		case strings.Contains(rest, "/"):
			r.faults.Add(name, 1, "lab.unlisted_hidden", "File", rest)
		default:
			r.faults.Add(name, 1, "lab.unlisted_file", "File", rest)
		}
	}
}

// wrong gathers the wrong solutions and what their author claims of them.
func (r *labReader) wrong(list []wrongSource, checks []string) {
	listed := map[string]bool{}
	for i, w := range list {
		at := "/wrong/" + strconv.Itoa(i)
		name := r.dir + "wrong/" + w.File
		switch {
		case w.File == "":
			continue // the schema has told
		case listed[w.File]:
			r.fault(at+"/file", "lab.wrong_twice", "File", w.File)
		case !r.src.Has(name):
			r.fault(at+"/file", "course.missing_file", "File", name)
		}
		listed[w.File] = true
		if (len(w.Fails) > 0) == (w.Outcome != "") || w.Message != "" && w.Outcome == "" {
			r.fault(at, "lab.wrong_claim")
		}
		for j, id := range w.Fails {
			if !slices.Contains(checks, id) {
				r.fault(at+"/fails/"+strconv.Itoa(j), "lab.unknown_check", "ID", id, "Near", folder.Near(id, checks))
			}
		}
		source := string(r.src.Files[name])
		if r.src.Has(name) && strings.TrimSpace(source) == strings.TrimSpace(r.lab.Solution) {
			r.faults.Add(name, 1, "lab.wrong_is_solution")
		}
		r.lab.Wrong = append(r.lab.Wrong, labdef.WrongSolution{File: w.File, Source: source, Fails: w.Fails, Outcome: w.Outcome, Message: w.Message})
	}
	for _, name := range slices.Sorted(maps.Keys(r.src.Files)) {
		if file, ok := strings.CutPrefix(name, r.dir+"wrong/"); ok && !listed[file] {
			r.faults.Add(name, 1, "lab.unlisted_wrong", "File", file)
		}
	}
}

// banyanModule is the module that every run finds.
const banyanModule = "banyan.py"

// labOwn names the files of a lab's folder that are not data.
func labOwn(name string) bool {
	return name == "lab.yaml" || name == "starter.py" || name == "solution.py" || name == banyanModule || name == "statement.md"
}

var (
	observations = []string{"call", "output", "file"}
	// judgements are the keys that judge; stdout is the old short form of output and matches.
	judgements = []string{
		string(labdef.Equals), string(labdef.Near), string(labdef.Set), string(labdef.Unordered), string(labdef.Matches), string(labdef.Raises), string(labdef.Measured), string(labdef.Judged), "stdout",
	}
	judgesText = []labdef.CheckKind{labdef.Equals, labdef.Matches, labdef.Judged} // the others judge values only
)

// check turns one check into its compiled form.
func (r *labReader) check(cs checkSource, raw folder.Node, at string) labdef.Check {
	c := labdef.Check{ID: cs.ID, Visible: cs.Visible == nil || *cs.Visible, Points: 1}
	if cs.Points > 0 {
		c.Points = cs.Points
	}
	rule := &c.Rule
	rule.Reveal = c.Visible
	if cs.Reveal != nil {
		rule.Reveal = *cs.Reveal
	}
	judged, seen := raw.Present(judgements...), raw.Present(observations...)
	if len(judged) != 1 {
		r.fault(at, "lab.check_kinds", "Found", strconv.Itoa(len(judged)))
		return c
	}
	rule.Kind = labdef.CheckKind(judged[0])
	switch {
	case judged[0] == "stdout":
		rule.Kind, rule.Observe = labdef.Matches, labdef.ObserveOutput
		if len(seen) > 0 {
			r.fault(at+"/"+seen[0], "lab.call_unwanted", "Key", seen[0])
		}
	case len(seen) == 0:
		r.fault(at, "lab.call_missing")
		return c
	case len(seen) > 1:
		r.fault(at+"/"+seen[1], "lab.check_observations", "First", seen[0], "Second", seen[1])
		return c
	default:
		rule.Observe = labdef.Observation(seen[0])
	}
	rule.Call, rule.File = cs.Call, cs.File
	if rule.Observe != labdef.ObserveCall && !slices.Contains(judgesText, rule.Kind) {
		r.fault(at+"/"+judged[0], "lab.needs_call", "Kind", judged[0])
	}
	if rule.Observe == labdef.ObserveFile {
		if _, given := r.lab.Files[cs.File]; given || cs.File == r.lab.Entry || cs.File == banyanModule {
			r.fault(at+"/file", "lab.file_is_given", "File", cs.File)
		}
	}
	tab := r.data(cs, c.Visible, rule, at)
	r.judgement(cs, rule, tab, at, judged[0])
	if cs.Says != nil && rule.Kind != labdef.Judged {
		r.fault(at+"/says", "lab.says_unwanted")
	}
	return c
}

// judgement fills in what a check wants.
func (r *labReader) judgement(cs checkSource, rule *labdef.Rule, tab *table, at, key string) {
	switch rule.Kind {
	case labdef.Equals:
		rule.Want = cs.Equals
		if _, text := cs.Equals.(string); !text && rule.Observe != labdef.ObserveCall {
			r.fault(at+"/equals", "lab.want_not_text")
		}
	case labdef.Near:
		if cs.Near == nil {
			return
		}
		rule.Want, rule.Tolerance = cs.Near.Value, cs.Near.Tolerance
		if !numbers(rule.Want) {
			r.fault(at+"/near/value", "lab.near_not_numbers")
		}
	case labdef.Set:
		rule.Want = cs.Set
	case labdef.Unordered:
		rule.Want = cs.Unorder
	case labdef.Matches:
		text := cs.Matches + cs.Stdout // one of them is there
		rule.Want = text
		if _, err := regexp.Compile(text); err != nil {
			part := text
			var bad *syntax.Error
			if errors.As(err, &bad) {
				part = bad.Expr
			}
			r.fault(at+"/"+key, "lab.bad_regexp", "Part", part)
		}
	case labdef.Raises:
		rule.Want = cs.Raises
		if cs.Raises != "" && !slices.Contains(exceptions, cs.Raises) {
			r.fault(at+"/raises", "lab.unknown_exception", "Name", cs.Raises, "Near", folder.Near(cs.Raises, exceptions))
		}
	case labdef.Measured:
		r.metric(cs, rule, tab, at)
	case labdef.Judged:
		rule.JudgeName = cs.Judge
		source, ok := r.lab.Hidden[cs.Judge]
		if cs.Judge != "" && !ok {
			r.fault(at+"/judge", "lab.judge_unlisted", "File", cs.Judge)
		}
		rule.Judge = source
	}
}

// numbers tells whether a value is a number, or lists and maps of numbers.
func numbers(v any) bool {
	switch v := v.(type) {
	case float64:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !numbers(e) })
	case map[string]any:
		for _, e := range v {
			if !numbers(e) {
				return false
			}
		}
		return true
	}
	return false
}

// metric fills in labels, groups and bound.
func (r *labReader) metric(cs checkSource, rule *labdef.Rule, tab *table, at string) {
	ms := cs.Metric
	if ms == nil {
		return
	}
	at += "/metric"
	if cs.Data == nil {
		r.fault(at, "lab.metric_needs_data")
	}
	if (ms.AtLeast == nil) == (ms.AtMost == nil) {
		r.fault(at, "lab.metric_bound")
	}
	if (ms.Group != "") != (ms.Name == labdef.GroupGap) {
		r.fault(at, "lab.metric_group")
	}
	rule.Metric = &labdef.Metric{Name: ms.Name, AtLeast: ms.AtLeast, AtMost: ms.AtMost}
	if tab == nil {
		return
	}
	column := func(key, name string) []any {
		if !slices.Contains(tab.columns, name) {
			r.fault(at+"/"+key, "lab.no_column", "Column", name, "Columns", strings.Join(tab.columns, ", "))
			return nil
		}
		var out []any
		for i, row := range tab.rows {
			if row[name] == "" {
				r.faults.Add(tab.file, tab.lines[i], "lab.empty_cell", "Column", name)
			}
			out = append(out, row[name])
		}
		return out
	}
	if ms.Label != "" {
		rule.Metric.Labels = column("label", ms.Label)
	}
	if ms.Group == "" {
		return
	}
	rule.Metric.Groups = column("group", ms.Group)
	kinds := map[any]bool{}
	for _, g := range rule.Metric.Groups {
		kinds[g] = true
	}
	if rule.Metric.Groups != nil && len(kinds) < 2 {
		r.fault(at+"/group", "lab.one_group", "Column", ms.Group, "Found", strconv.Itoa(len(kinds)))
	}
}

// exceptions are the builtin exceptions of Python that a check may expect.
var exceptions = strings.Fields(`ArithmeticError AssertionError AttributeError BaseException BufferError EOFError Exception
	FileExistsError FileNotFoundError FloatingPointError ImportError IndentationError IndexError IsADirectoryError KeyError
	KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError
	OverflowError PermissionError RecursionError RuntimeError StopIteration SyntaxError SystemExit TabError TimeoutError
	TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError ZeroDivisionError`)

// Public is what the page gets in one language.
func (l Lab) Public(locale curriculum.Locale) labdef.Public {
	v := l.Vault
	p := labdef.Public{
		ID: string(l.id), Title: l.Title[locale], Entry: v.Entry, Starter: map[string]string{v.Entry: v.Starter}, Files: v.Files,
		Hints: []string{}, Points: v.Points, Competences: slices.Clone(v.Competences), Limits: v.Limits, Seed: v.Seed, Clock: v.Clock,
		Checks: []labdef.PublicCheck{},
	}
	if p.Competences == nil {
		p.Competences = []string{}
	}
	said := func(id string, t curriculum.Text) string {
		if lang := l.texts.Lang("lab."+string(l.id)+"."+id, locale); lang != "" && t[locale] != "" {
			if p.Langs == nil {
				p.Langs = map[string]string{}
			}
			p.Langs[id] = lang
		}
		return t[locale]
	}
	for i, h := range l.hints {
		p.Hints = append(p.Hints, said("hint."+strconv.Itoa(i+1), h))
	}
	for _, c := range v.Checks {
		base := "check." + c.ID
		pc := labdef.PublicCheck{ID: c.ID, Title: said(base+".title", c.Title), Points: c.Points, Visible: c.Visible}
		if c.Visible {
			pc.Rule, pc.Feedback = &labdef.PublicRule{Rule: c.Rule}, said(base+".feedback", c.Feedback)
			for k, t := range c.Says {
				if pc.Rule.Says == nil {
					pc.Rule.Says = map[string]string{}
				}
				pc.Rule.Says[k] = said(base+".says."+k, t)
			}
		}
		p.Checks = append(p.Checks, pc)
	}
	return p
}
