package folder

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/fault"
)

// Faults gathers what is wrong with a course folder, so that an author sees everything at once.
type Faults struct {
	list []fault.Detail
	seen map[string]bool
	more bool

	searches int // for broken lines of YAML
}

// Add notes a fault. args are pairs of name and value.
func (l *Faults) Add(file string, line int, key string, args ...string) {
	d := fault.Detail{File: file, Line: line, Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if d.Args == nil {
			d.Args = map[string]any{}
		}
		d.Args[args[i]] = args[i+1]
	}
	l.Take(d)
}

// Take notes a fault that is written already; once is enough. It shortens what the detail repeats of the author's words.
func (l *Faults) Take(d fault.Detail) {
	for k, v := range d.Args {
		if s, ok := v.(string); ok {
			d.Args[k] = short(s)
		}
	}
	id := fmt.Sprintf("%s\x00%d\x00%s\x00%v", d.File, d.Line, d.Key, d.Args)
	if l.seen[id] {
		return
	}
	if len(l.list) >= MaxFaults {
		l.more = true
		return
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.seen[id] = true
	l.list = append(l.list, d)
}

// Count tells how many faults are noted.
func (l *Faults) Count() int { return len(l.list) }

// Full tells whether there were more faults than are noted.
func (l *Faults) Full() bool { return l.more }

// Lines gives the lines of a file that are at fault.
func (l *Faults) Lines(file string) map[int]bool {
	out := map[int]bool{}
	for _, d := range l.list {
		if d.File == file {
			out[d.Line] = true
		}
	}
	return out
}

// Err gives the one fault that carries all of them, or nil.
func (l *Faults) Err() error {
	if len(l.list) == 0 {
		return nil
	}
	slices.SortStableFunc(l.list, func(a, b fault.Detail) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	if l.more {
		l.list = append(l.list, fault.Detail{File: "course.yaml", Line: 1, Key: "course.more_faults", Args: map[string]any{"Most": fmt.Sprint(MaxFaults)}})
	}
	return fault.New(fault.Invalid, "course.invalid").At(l.list...)
}

// short keeps a stranger's words from filling a reply.
func short(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= maxArg {
		return s
	}
	return string([]rune(s)[:maxArg]) + "…"
}
