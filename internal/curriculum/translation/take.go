package translation

import (
	"slices"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
)

// Taken counts what became of the translations that a translator sent.
type Taken struct {
	Fresh   int // taken
	Stale   int // taken, but made from a text that has changed since
	Same    int // were there already
	Older   int // left: made from an older text than the translation that is there
	Unsure  int // left: marked fuzzy, and there is a translation already
	Empty   int // not translated
	Unknown []string
}

// Take puts a translator's work into the files of a locale, which are the outcome of a Merge. Only translations are
// taken: headers, comments and source texts stay ours. A translation of a text that has moved on since becomes fuzzy with the text that it was made from.
// The files given stay as they are.
func Take(files map[string]*po.File, theirs []po.Entry) (map[string]*po.File, Taken) {
	out := make(map[string]*po.File, len(files))
	live := map[string]*po.Entry{}
	for module, f := range files {
		c := f.Unindexed()
		out[module] = c
		for i := range c.Entries {
			if e := &c.Entries[i]; !e.Obsolete && e.HasContext {
				live[e.Context] = e
			}
		}
	}
	byContext := map[string][]po.Entry{} // there may be one for each of several source texts
	for i := range theirs {
		if e := &theirs[i]; e.HasContext && !e.Obsolete && !e.HasPlural && len(e.Str) > 0 {
			byContext[e.Context] = append(byContext[e.Context], *e)
		}
	}
	var t Taken
	for id, list := range byContext {
		our := live[id]
		if our == nil {
			if slices.ContainsFunc(list, func(e po.Entry) bool { return e.Translated() }) {
				t.Unknown = append(t.Unknown, id)
			}
			continue
		}
		their, _ := best(list, Unit{ID: id, Source: our.ID})
		t.take(our, &their)
	}
	slices.Sort(t.Unknown)
	return out, t
}

func (t *Taken) take(our, their *po.Entry) {
	fuzzy := their.Has(po.Fuzzy)
	fresh := our.Translated() && !our.Has(po.Fuzzy)
	switch {
	case !their.Translated() || guessed(their):
		t.Empty++
	case their.Str[0] == our.Str[0] && (fuzzy || fresh || their.ID != our.ID):
		t.Same++
	case fuzzy && our.Translated():
		t.Unsure++
	case fuzzy:
		t.Stale++
		put(our, their.Str[0], their.MadeFrom())
		our.SetFuzzy(true)
	case their.ID == our.ID:
		t.Fresh++
		put(our, their.Str[0], our.ID)
	case fresh:
		t.Older++
	default:
		t.Stale++
		put(our, their.Str[0], their.ID)
	}
}

// put sets a translation that was made from a text.
func put(e *po.Entry, text, madeFrom string) {
	e.Str = []string{text}
	e.Previous = nil
	e.SetFuzzy(madeFrom != e.ID)
	if madeFrom != e.ID {
		e.Previous = &po.Previous{HasID: true, ID: madeFrom}
	}
	e.Extracted = slices.DeleteFunc(slices.Clone(e.Extracted), isNote)
}
