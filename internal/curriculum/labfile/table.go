package labfile

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
)

// A table crosses into the sandbox with every run, so it is bounded.
const (
	maxTableSize    = 256 << 10 // bytes of its file
	maxTableRows    = 2000
	maxTableColumns = 50
)

// table is a CSV file: its first line names the columns.
type table struct {
	file    string // path in the course
	columns []string
	rows    []map[string]any // a float64 where the cell is a plain decimal number, else a string
	lines   []int            // of each row in the file
}

// secretColumns tells for each hidden file which of its columns a metric takes for labels or groups: no
// check may give one of them to the learner's code.
func secretColumns(checks []checkSource) map[string][]string {
	out := map[string][]string{}
	for _, c := range checks {
		if c.Metric == nil || c.Data == nil {
			continue
		}
		for _, name := range []string{c.Metric.Label, c.Metric.Group} {
			if name != "" && !slices.Contains(out[c.Data.File], name) {
				out[c.Data.File] = append(out[c.Data.File], name)
			}
		}
	}
	return out
}

// data fills in the rows that a call finds, and gives the whole table, or nil when there is none or it is at fault.
func (r *labReader) data(cs checkSource, visible bool, rule *labdef.Rule, at string) *table {
	d := cs.Data
	if d == nil || d.File == "" {
		return nil
	}
	at += "/data"
	if rule.Observe != labdef.ObserveCall {
		r.fault(at, "lab.data_unwanted")
		return nil
	}
	text, hidden := r.lab.Hidden[d.File]
	if hidden && visible {
		r.fault(at+"/file", "lab.visible_hidden", "File", d.File)
	}
	if !hidden {
		var ok bool
		if text, ok = r.lab.Files[d.File]; !ok {
			r.fault(at+"/file", "lab.data_unlisted", "File", d.File)
			return nil
		}
		if cs.Metric != nil && !visible {
			r.fault(at+"/file", "lab.label_given", "Column", cs.Metric.Label, "File", d.File)
		}
	}
	tab := r.table(d.File, text, at)
	if tab == nil {
		return nil
	}
	secret := r.secret[d.File]
	columns := d.Columns
	if len(columns) == 0 {
		columns = slices.DeleteFunc(slices.Clone(tab.columns), func(c string) bool { return slices.Contains(secret, c) })
	}
	for i, c := range columns {
		at := at + "/columns/" + strconv.Itoa(i)
		switch {
		case !slices.Contains(tab.columns, c):
			r.fault(at, "lab.no_column", "Column", c, "Columns", strings.Join(tab.columns, ", "))
		case slices.Contains(secret, c):
			r.fault(at, "lab.label_given", "Column", c, "File", d.File)
		}
	}
	rule.Data = &labdef.Rows{Name: d.Name, Rows: make([]map[string]any, 0, len(tab.rows))}
	for _, row := range tab.rows {
		given := map[string]any{}
		for _, c := range columns {
			given[c] = row[c]
		}
		rule.Data.Rows = append(rule.Data.Rows, given)
	}
	return tab
}

// table reads a CSV file, once.
func (r *labReader) table(name, text, at string) *table {
	if t, ok := r.tables[name]; ok {
		return t
	}
	r.tables[name] = nil
	t := &table{file: r.dir + name}
	fault := func(line int, key string, args ...string) *table {
		r.faults.Add(t.file, max(line, 1), key, args...)
		return nil
	}
	if r.src.Broken[t.file] {
		return nil
	}
	if !strings.HasSuffix(name, ".csv") {
		r.fault(at+"/file", "lab.not_csv", "File", name)
		return nil
	}
	if len(text) > maxTableSize {
		return fault(1, "lab.csv_large", "Rows", strconv.Itoa(maxTableRows), "KiB", strconv.Itoa(maxTableSize>>10))
	}
	in := csv.NewReader(strings.NewReader(text))
	in.FieldsPerRecord = -1
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return fault(bad.Line, "lab.csv_quote")
		}
		if err != nil {
			return fault(1, "lab.csv_quote")
		}
		line, _ := in.FieldPos(0)
		switch {
		case t.columns == nil:
			for i, c := range record {
				if strings.TrimSpace(c) != c || c == "" || slices.Contains(record[:i], c) || len(record) > maxTableColumns {
					return fault(line, "lab.csv_header", "Column", c, "Most", strconv.Itoa(maxTableColumns))
				}
			}
			t.columns = record
			continue
		case len(record) != len(t.columns):
			return fault(line, "lab.csv_fields", "Found", strconv.Itoa(len(record)), "Wanted", strconv.Itoa(len(t.columns)))
		case len(t.rows) == maxTableRows:
			return fault(line, "lab.csv_large", "Rows", strconv.Itoa(maxTableRows), "KiB", strconv.Itoa(maxTableSize>>10))
		}
		row := make(map[string]any, len(record))
		for i, c := range record {
			row[t.columns[i]] = cell(c)
		}
		t.rows, t.lines = append(t.rows, row), append(t.lines, line)
	}
	if len(t.rows) == 0 {
		return fault(1, "lab.csv_empty")
	}
	r.tables[name] = t
	return t
}

// cell reads a number where the cell is one that every reader takes for the same: what
// begins with 0 or +, or is too long to be exact, stays text.
func cell(s string) any {
	if !folder.IsNumber(s) {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.Abs(f) >= 1<<53 {
		return s
	}
	return f + 0 // never -0
}
