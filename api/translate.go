package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/curriculum/wording"
	"github.com/banyan-lms/banyan/internal/curriculum/xliff"
	"github.com/banyan-lms/banyan/internal/fault"
)

// translateCmds are the commands of `content` for translators and those who work with them.
type translateCmds struct {
	Extract extractCmd `cmd:"" help:"Write missing ids into the texts of courses, and bring all PO files in step with the texts."`
	Merge   mergeCmd   `cmd:"" help:"Bring a course's PO files in step with its texts, and say how much a change matters. Never touches the texts."`
	Status  statusCmd  `cmd:"" help:"Count what is translated, stale and missing in each language."`
	Sign    signCmd    `cmd:"" help:"Vouch for a language of a course: a person has reviewed or signed it."`
	Export  exportCmd  `cmd:"" help:"Write a language of a course into one file for a translator: XLIFF 2.0 or PO."`
	Import  importCmd  `cmd:"" help:"Take a translator's XLIFF or PO files into a course."`
}

// courseDir is a course folder that is written to, so it cannot be a zip.
func courseDir(path string) (fs.FS, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", path)
	}
	return os.DirFS(path), nil
}

// inDir makes the files of a fault those that the operator sees.
func inDir(dir string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	out := *f
	out.Details = inFolder(dir, f.Details)
	return &out
}

type extractCmd struct {
	Path []string `arg:"" help:"Course folders."`
}

// Run extracts. Running it again changes nothing.
func (c *extractCmd) Run() error {
	for _, dir := range c.Path {
		// Everything is read and merged once before anything is written.
		if _, _, err := planMerge(dir, nil); err != nil {
			return inDir(dir, err)
		}
		marked, err := wording.WriteIDs(dir)
		if err != nil {
			return inDir(dir, err)
		}
		course, plan, err := planMerge(dir, nil) // ids may have moved lines
		if err != nil {
			return inDir(dir, err)
		}
		if err := translation.Apply(dir, plan.changes); err != nil {
			return err
		}
		fmt.Printf("%s: %d texts, ids written into %d files\n", dir, len(course.Units), len(marked))
		plan.print(os.Stdout, dir)
	}
	return nil
}

type mergeCmd struct {
	Path     string            `arg:"" help:"A course folder."`
	Severity map[string]string `help:"How much the latest change of a text matters: ID=typo, ID=meaning or ID=removed (hides the old translations). May be repeated." placeholder:"ID=HOW"`
}

// Run merges into the PO files only.
func (c *mergeCmd) Run() error {
	fsys, err := courseDir(c.Path)
	if err != nil {
		return err
	}
	unmarked, err := wording.WithIDs(fsys)
	if err != nil {
		return inDir(c.Path, err)
	}
	if len(unmarked) > 0 {
		f := fault.New(fault.Invalid, "translation.no_ids")
		for _, name := range slices.Sorted(maps.Keys(unmarked)) {
			f.At(fault.Detail{File: name, Line: 1, Key: "translation.no_ids_here"})
		}
		return inDir(c.Path, f)
	}
	severity := map[string]translation.Severity{}
	for id, s := range c.Severity {
		v, ok := translation.ParseSeverity(s)
		if !ok {
			return fault.New(fault.Invalid, "translation.bad_severity").With("Severity", s)
		}
		severity[id] = v
	}
	_, plan, err := planMerge(c.Path, severity)
	if err != nil {
		return inDir(c.Path, err)
	}
	if err := translation.Apply(c.Path, plan.changes); err != nil {
		return err
	}
	plan.print(os.Stdout, c.Path)
	return nil
}

// mergePlan is what a merge would write, so that a refused file stops it before anything is written.
type mergePlan struct {
	changes []translation.Change
	locales []string
	reports map[string]translation.Report
}

func planMerge(dir string, severity map[string]translation.Severity) (translation.Course, mergePlan, error) {
	fsys, err := courseDir(dir)
	if err != nil {
		return translation.Course{}, mergePlan{}, err
	}
	course, err := wording.ForTranslation(fsys)
	if err != nil {
		return course, mergePlan{}, err
	}
	unused := maps.Clone(severity)
	plan := mergePlan{locales: course.Locales, reports: map[string]translation.Report{}}
	for _, locale := range course.Locales {
		before, err := translation.ReadLocale(fsys, locale)
		if err != nil {
			return course, plan, err
		}
		after, report, err := translation.Merge(before, course.Units, translation.Options{Course: course.ID, Locale: locale, Severity: severity})
		if err != nil {
			return course, plan, err
		}
		plan.reports[locale] = report
		for id := range unused {
			if translation.Judged(after, id) {
				delete(unused, id)
			}
		}
		plan.changes = append(plan.changes, translation.Changes(locale, before, after)...)
	}
	for id := range unused {
		return course, plan, fault.New(fault.Invalid, "translation.severity_unused").With("ID", id)
	}
	return course, plan, nil
}

func (p mergePlan) print(w io.Writer, dir string) {
	for _, locale := range p.locales {
		r := p.reports[locale]
		var parts []string
		for _, n := range []struct {
			n    int
			what string
		}{
			{r.Added, "new"},
			{r.Stale, "stale now"},
			{r.Settled, "fresh again"},
			{r.Moved, "moved"},
			{r.Revived, "back"},
			{r.Retired, "obsolete now"},
			{r.Dropped, "gone untranslated"},
		} {
			if n.n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n.n, n.what))
			}
		}
		if len(parts) == 0 {
			parts = []string{"in step"}
		}
		_, _ = fmt.Fprintf(w, "  %s: %s\n", locale, strings.Join(parts, ", "))
	}
	for _, c := range p.changes {
		verb := "wrote"
		if c.Data == nil {
			verb = "removed"
		}
		_, _ = fmt.Fprintf(w, "  %s %s\n", verb, filepath.Join(dir, filepath.FromSlash(c.Name)))
	}
}

type statusCmd struct {
	Path []string `arg:"" help:"Course folders or zip files."`
	JSON bool     `name:"json" help:"Print JSON: courses, locales, modules, media."`
}

// Run counts. It writes nothing.
func (c *statusCmd) Run() error {
	var all []courseStatus
	for _, path := range c.Path {
		fsys, err := courseFS(path)
		if err != nil {
			return err
		}
		course, err := wording.ForTranslation(fsys)
		if err != nil {
			return inDir(path, err)
		}
		list, err := translation.Status(fsys, course)
		if err != nil {
			return inDir(path, err)
		}
		all = append(all, newCourseStatus(course, list))
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	return printStatus(os.Stdout, all)
}

type courseStatus struct {
	Course  string         `json:"course"`
	Source  string         `json:"source"`
	Locales []localeStatus `json:"locales"`
}

type localeStatus struct {
	Locale string `json:"locale"`
	translation.Count
	State   translation.SignState                    `json:"state"` // the lowest of the modules
	Media   map[translation.Medium]translation.Count `json:"media"`
	Modules []moduleStatus                           `json:"modules"`
}

type moduleStatus struct {
	Module string `json:"module"` // empty for the course's own texts
	translation.Count
	State translation.SignState                    `json:"state"`
	By    string                                   `json:"by,omitempty"`
	At    *time.Time                               `json:"at,omitempty"`
	Media map[translation.Medium]translation.Count `json:"media"`
}

func newCourseStatus(c translation.Course, list []translation.Standing) courseStatus {
	out := courseStatus{Course: c.ID, Source: c.Source, Locales: []localeStatus{}}
	order := []translation.SignState{translation.Draft, translation.Reviewed, translation.Signed}
	for _, s := range list {
		if n := len(out.Locales); n == 0 || out.Locales[n-1].Locale != s.Locale {
			out.Locales = append(out.Locales, localeStatus{Locale: s.Locale, State: translation.Signed, Media: map[translation.Medium]translation.Count{}})
		}
		l := &out.Locales[len(out.Locales)-1]
		m := moduleStatus{Module: s.Module, Count: s.Total(), State: s.State, By: s.By, Media: s.Count}
		if !s.At.IsZero() {
			m.At = &s.At
		}
		l.Modules = append(l.Modules, m)
		l.Count = l.Plus(m.Count)
		for medium, n := range s.Count {
			l.Media[medium] = l.Media[medium].Plus(n)
		}
		if slices.Index(order, s.State) < slices.Index(order, l.State) {
			l.State = s.State
		}
	}
	return out
}

func printStatus(to io.Writer, all []courseStatus) error {
	for i, c := range all {
		if i > 0 {
			_, _ = fmt.Fprintln(to)
		}
		_, _ = fmt.Fprintf(to, "%s (written in %s)\n", c.Course, c.Source)
		w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
		_, _ = fmt.Fprintln(w, "\ttexts\tfresh\tstale\thidden\tmissing\tsay\t")
		for _, l := range c.Locales {
			row(w, l.Locale, l.Count, string(l.State))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		for _, l := range c.Locales {
			if l.Fresh == l.All() && l.State != translation.Draft {
				continue
			}
			_, _ = fmt.Fprintf(to, "\n%s by module\n", l.Locale)
			for _, m := range l.Modules {
				name := m.Module
				if name == "" {
					name = "(course)"
				}
				state := string(m.State)
				if m.By != "" {
					state += " by " + m.By + ", " + m.At.Format(time.DateOnly)
				}
				row(w, name, m.Count, state)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			var parts []string
			for _, medium := range translation.Media {
				if n := l.Media[medium]; n.All() > n.Fresh {
					parts = append(parts, fmt.Sprintf("%s %d of %d", medium, n.All()-n.Fresh, n.All()))
				}
			}
			if len(parts) > 0 {
				_, _ = fmt.Fprintf(to, "  to do: %s\n", strings.Join(parts, ", "))
			}
		}
	}
	return nil
}

func row(w io.Writer, name string, n translation.Count, state string) {
	_, _ = fmt.Fprintf(w, "  %s\t%d\t%s\t%s\t%s\t%s\t%s\t\n", name, n.All(), percent(n.Fresh, n.All()), percent(n.Stale, n.All()),
		percent(n.Withdrawn, n.All()), percent(n.Missing, n.All()), state)
}

// percent never rounds up to all, nor down to none.
func percent(n, of int) string {
	if of == 0 || n == 0 {
		return "-"
	}
	p := max(n*100/of, 1)
	return fmt.Sprintf("%d%%", p)
}

type signCmd struct {
	Path   string                `arg:"" help:"A course folder."`
	Locale string                `required:"" help:"Language to vouch for, such as fr."`
	Module []string              `help:"Modules; \"course\" for the course's own texts. All when not given."`
	By     string                `help:"Name of the person who vouches."`
	State  translation.SignState `default:"signed" enum:"draft,reviewed,signed" help:"draft takes a sign-off back."`
}

// Run signs. A later edit of a translation makes its file a draft again by itself.
func (c *signCmd) Run() error {
	fsys, err := courseDir(c.Path)
	if err != nil {
		return err
	}
	course, err := wording.ForTranslation(fsys)
	if err != nil {
		return inDir(c.Path, err)
	}
	if !slices.Contains(course.Locales, c.Locale) {
		return fault.New(fault.NotFound, "translation.no_locale").With("Locale", c.Locale)
	}
	before, err := translation.ReadLocale(fsys, c.Locale)
	if err != nil {
		return inDir(c.Path, err)
	}
	after := map[string]*po.File{}
	modules := slices.Sorted(maps.Keys(before))
	for _, m := range c.Module {
		m = translation.ModuleOf(m)
		if before[m] == nil {
			return fault.New(fault.NotFound, "translation.no_file").With("File", translation.FileName(c.Locale, m))
		}
	}
	for _, m := range modules {
		f := before[m].Unindexed()
		if len(c.Module) == 0 || slices.ContainsFunc(c.Module, func(s string) bool { return translation.ModuleOf(s) == m }) {
			if err := translation.Sign(f, c.State, c.By, time.Now()); err != nil {
				return err
			}
		}
		after[m] = f
	}
	changes := translation.Changes(c.Locale, before, after)
	if err := translation.Apply(c.Path, changes); err != nil {
		return err
	}
	for _, ch := range changes {
		fmt.Printf("%s %s\n", c.State, filepath.Join(c.Path, filepath.FromSlash(ch.Name)))
	}
	return nil
}

type exportCmd struct {
	Path   string   `arg:"" help:"A course folder or zip file."`
	Locale string   `required:"" help:"Language to export, such as fr."`
	Module []string `help:"Modules; \"course\" for the course's own texts. All when not given."`
	Format string   `default:"xliff" enum:"xliff,po" help:"xliff or po."`
	Output string   `short:"o" help:"File to write; \"-\" for standard output. Course and language name it when not given."`
}

// Run exports. The course may be out of step with its PO files: what is exported is in step.
func (c *exportCmd) Run() error {
	fsys, err := courseFS(c.Path)
	if err != nil {
		return err
	}
	course, _, files, err := mergedLocale(fsys, c.Locale)
	if err != nil {
		return inDir(c.Path, err)
	}
	doc := xliff.Document{Source: course.Source, Target: c.Locale}
	whole := &po.File{Name: course.ID + "." + c.Locale + ".po"}
	n := 0
	for _, m := range slices.Sorted(maps.Keys(files)) {
		if len(c.Module) > 0 && !slices.ContainsFunc(c.Module, func(s string) bool { return translation.ModuleOf(s) == m }) {
			continue
		}
		f := files[m]
		done := map[translation.SignState]xliff.State{translation.Reviewed: xliff.Reviewed, translation.Signed: xliff.Final}[translation.StateOfFile(f)]
		doc.Files = append(doc.Files, xliff.File{File: f, Done: done})
		whole.Header = f.Header.Clone()
		for i := range f.Entries {
			if !f.Entries[i].Obsolete {
				whole.Entries = append(whole.Entries, f.Entries[i])
				n++
			}
		}
	}
	if len(doc.Files) == 0 {
		return fault.New(fault.NotFound, "translation.no_file").With("File", translation.FileName(c.Locale, translation.ModuleOf(strings.Join(c.Module, ","))))
	}
	var b bytes.Buffer
	ending := ".po"
	if c.Format == "xliff" {
		ending = ".xlf"
		err = xliff.Write(&b, doc)
	} else {
		whole.Header.Comments = nil
		if err = translation.Sign(whole, translation.Draft, "", time.Time{}); err == nil {
			_, err = whole.WriteTo(&b)
		}
	}
	if err != nil {
		return err
	}
	if c.Output == "-" {
		_, err := os.Stdout.Write(b.Bytes())
		return err
	}
	name := c.Output
	if name == "" {
		name = course.ID + "." + c.Locale + ending
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d texts\n", name, n)
	return nil
}

// mergedLocale gives a language's files as they are, and in step with the course's texts.
func mergedLocale(fsys fs.FS, locale string) (c translation.Course, before, after map[string]*po.File, err error) {
	if c, err = wording.ForTranslation(fsys); err != nil {
		return c, nil, nil, err
	}
	if !slices.Contains(c.Locales, locale) {
		return c, nil, nil, fault.New(fault.NotFound, "translation.no_locale").With("Locale", locale)
	}
	if before, err = translation.ReadLocale(fsys, locale); err != nil {
		return c, nil, nil, err
	}
	after, _, err = translation.Merge(before, c.Units, translation.Options{Course: c.ID, Locale: locale})
	return c, before, after, err
}

type importCmd struct {
	Path   string   `arg:"" help:"A course folder."`
	File   []string `arg:"" help:"XLIFF (.xlf, .xliff) or PO files from translators."`
	Locale string   `help:"Language of the files, when they do not say it."`
}

// Run imports. A file that is refused, or one after it, changes nothing; those before it are in.
func (c *importCmd) Run() error {
	fsys, err := courseDir(c.Path)
	if err != nil {
		return err
	}
	for _, name := range c.File {
		declared, entries, err := readTranslations(name)
		if err != nil {
			return err
		}
		course, err := wording.ForTranslation(fsys)
		if err != nil {
			return inDir(c.Path, err)
		}
		locale := c.Locale
		if locale == "" {
			locale = translation.MatchLocale(declared, course.Locales)
		}
		if locale == "" {
			return fault.New(fault.Invalid, "translation.which_language").With("File", name).With("Declared", declared)
		}
		_, before, after, err := mergedLocale(fsys, locale)
		if err != nil {
			return inDir(c.Path, err)
		}
		after, t := translation.Take(after, entries)
		changes := translation.Changes(locale, before, after)
		if err := translation.Apply(c.Path, changes); err != nil {
			return err
		}
		fmt.Printf("%s -> %s: %d taken, %d taken as stale, %d the same, %d left as older, %d left as unsure, %d empty, %d unknown\n",
			name, locale, t.Fresh, t.Stale, t.Same, t.Older, t.Unsure, t.Empty, len(t.Unknown))
		for i, id := range t.Unknown {
			if i == 20 {
				fmt.Printf("  and %d more unknown ids\n", len(t.Unknown)-i)
				break
			}
			fmt.Printf("  unknown: %q\n", id)
		}
		mergePlan{changes: changes}.print(os.Stdout, c.Path)
	}
	return nil
}

// readTranslations reads a translator's file whole.
func readTranslations(name string) (locale string, entries []po.Entry, err error) {
	file, err := os.Open(name)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, po.MaxWhole+1))
	if err != nil {
		return "", nil, err
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".po":
		f, err := po.Parse(name, data)
		if err != nil {
			return "", nil, err
		}
		return f.Field("Language"), f.Entries, nil
	case ".xlf", ".xliff":
		doc, err := xliff.Read(name, data)
		if err != nil {
			return "", nil, err
		}
		for _, f := range doc.Files {
			entries = append(entries, f.Entries...)
		}
		return doc.Target, entries, nil
	}
	return "", nil, fault.New(fault.Invalid, "translation.which_format").With("File", name)
}
