package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/reading"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
)

type reportCmd struct {
	JSON bool     `name:"json" help:"Print JSON for other programs."`
	Path []string `arg:"" help:"Course folders or zip files."`
}

// courseReport is what there is to tell of a course.
type courseReport struct {
	Path     string                  `json:"path"`
	CourseID curriculum.CourseID     `json:"course_id"`
	Locales  []curriculum.Locale     `json:"locales"`
	Items    []itemReport            `json:"items"`
	Totals   map[string]gate.Figures `json:"totals"` // by locale, of all items once
	Advice   []fault.Detail          `json:"advice,omitempty"`
}

type itemReport struct {
	ID      curriculum.ContentID    `json:"id"`
	Kind    curriculum.Kind         `json:"kind"`
	Module  string                  `json:"module"`
	Figures map[string]gate.Figures `json:"figures"` // by locale
}

// Run tells what courses weigh and how hard they are to read. It needs no database.
func (c *reportCmd) Run() error {
	var all []courseReport
	for _, path := range c.Path {
		folder, err := courseFS(path)
		if err != nil {
			return err
		}
		compiled, err := compile.Course(folder, compile.Options{})
		if err != nil {
			return err
		}
		all = append(all, reportOf(path, &compiled))
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(map[string]any{"courses": all, "formulas": reading.Formulas})
	}
	for _, r := range all {
		if err := r.print(os.Stdout); err != nil {
			return err
		}
	}
	return nil
}

func reportOf(path string, c *compile.Result) courseReport {
	r := courseReport{Path: path, CourseID: c.Manifest.CourseID, Locales: c.Manifest.Locales, Totals: map[string]gate.Figures{}, Advice: c.Advice}
	for _, m := range c.Manifest.Modules {
		for _, it := range m.Items {
			r.Items = append(r.Items, itemReport{ID: it.ID, Kind: it.Kind, Module: m.ID, Figures: c.Figures[it.ID]})
			for l, f := range c.Figures[it.ID] {
				t := r.Totals[l]
				t.Weight, t.Words, t.Minutes = t.Weight.Add(f.Weight), t.Words+f.Words, t.Minutes+f.Minutes
				r.Totals[l] = t
			}
		}
	}
	return r
}

// english is the language of the commands' tables.
var english = sync.OnceValues(i18n.Load)

// size writes a size in a table.
func size(n int) string {
	words, err := english()
	if err != nil {
		return fmt.Sprint(n)
	}
	return words.Size(i18n.Source, fault.Bytes(n))
}

// print writes a table that people can read: each item in the language of its course, then the course in every language.
func (r courseReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, locale string, f gate.Figures) {
		words, minutes := "", ""
		if f.Words > 0 {
			words, minutes = fmt.Sprint(f.Words), fmt.Sprint(f.Minutes)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, locale,
			size(f.Weight.Text), size(f.Weight.Pictures), size(f.Weight.All), words, minutes, level(f.Level))
	}
	fmt.Fprintf(w, "%s\nITEM\tLANGUAGE\tTEXT\t+ PICTURES\t+ SOUND\tWORDS\tMINUTES\tREADING LEVEL\n", r.Path)
	for _, it := range r.Items {
		name := string(it.ID)
		if it.Kind != curriculum.Lesson {
			name = string(it.Kind) + " " + name
		}
		for i, l := range r.Locales {
			if i > 0 {
				name = ""
			}
			row(name, l, it.Figures[l])
		}
	}
	for i, l := range r.Locales {
		name := "ALL"
		if i > 0 {
			name = ""
		}
		row(name, l, r.Totals[l])
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// level tells how hard a text is, or leaves a place empty where nobody can tell.
func level(l reading.Level) string {
	switch {
	case !l.Known():
		return ""
	case l.Grade == 0:
		return fmt.Sprintf("%.0f characters a sentence", l.Score)
	case l.Formula == "flesch-kincaid":
		return fmt.Sprintf("year %.1f", l.Grade)
	}
	return fmt.Sprintf("year %.1f (%s %.0f)", l.Grade, l.Formula, l.Score)
}

// advise prints what refuses nothing.
func advise(path string, details []fault.Detail) {
	if len(details) == 0 {
		return
	}
	fmt.Fprintln(os.Stderr, app.Explain(fault.New(fault.Invalid, "course.advice").With("Course", strings.TrimSuffix(path, "/")).At(inFolder(path, details)...)))
}
