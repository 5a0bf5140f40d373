package translation

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
)

// Count is how many units stand how.
type Count struct {
	Fresh     int `json:"fresh"`
	Stale     int `json:"stale"`     // shown, and marked
	Withdrawn int `json:"withdrawn"` // translated once, and hidden
	Missing   int `json:"missing"`
}

// All is the number of units.
func (c Count) All() int { return c.Fresh + c.Stale + c.Withdrawn + c.Missing }

// Plus adds two counts.
func (c Count) Plus(o Count) Count {
	return Count{c.Fresh + o.Fresh, c.Stale + o.Stale, c.Withdrawn + o.Withdrawn, c.Missing + o.Missing}
}

func (c *Count) add(s State) {
	switch s {
	case Fresh:
		c.Fresh++
	case Stale:
		c.Stale++
	case Withdrawn:
		c.Withdrawn++
	case Missing:
		c.Missing++
	}
}

// Standing is how a module stands in a locale.
type Standing struct {
	Locale string
	Module string // "" for the course's own texts
	Count  map[Medium]Count
	SignOff
}

// Total sums over the media.
func (s Standing) Total() Count {
	var out Count
	for _, c := range s.Count {
		out = out.Plus(c)
	}
	return out
}

// Status counts every module in every language of a course. It reads the files entry by entry, one after the other, so that
// its memory depends on the largest module and not on the number of translations. Faults are those of the first bad file.
func Status(fsys fs.FS, c Course) ([]Standing, error) {
	units := map[string][]Unit{}
	var modules []string
	for _, u := range c.Units {
		if u.Source == "" {
			continue
		}
		if units[u.Module] == nil {
			modules = append(modules, u.Module)
		}
		units[u.Module] = append(units[u.Module], u)
	}
	var out []Standing
	for _, module := range modules {
		t := newTally(units[module])
		for _, locale := range c.Locales {
			s, err := t.count(fsys, locale, module)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Standing) int { return slices.Index(c.Locales, a.Locale) - slices.Index(c.Locales, b.Locale) })
	return out, nil
}

// tally counts one module.
type tally struct {
	units []Unit
	byID  map[string]int
	found []seen
}

// seen is the best entry of a unit so far. More than its rank and state is not kept.
type seen struct {
	rank  int
	state State
}

func newTally(units []Unit) *tally {
	t := &tally{units: units, byID: make(map[string]int, len(units)), found: make([]seen, len(units))}
	for i, u := range units {
		t.byID[u.ID] = i
	}
	return t
}

func (t *tally) count(fsys fs.FS, locale, module string) (Standing, error) {
	clear(t.found)
	s := Standing{Locale: locale, Module: module, Count: map[Medium]Count{}, SignOff: SignOff{State: Draft}}
	f, err := fsys.Open(FileName(locale, module))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err == nil {
		defer func() { _ = f.Close() }()
		if s.SignOff, err = t.read(po.NewReader(FileName(locale, module), f)); err != nil {
			return s, err
		}
	}
	for i, u := range t.units {
		c := s.Count[u.medium()]
		c.add(t.found[i].state)
		s.Count[u.medium()] = c
	}
	return s, nil
}

func (t *tally) read(r *po.Reader) (SignOff, error) {
	var digest po.Digester
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return signOff(&po.File{Header: r.Header}, digest.Sum), nil
		}
		if err != nil {
			return SignOff{}, err
		}
		digest.Add(&e)
		i, ok := t.byID[e.Context]
		if !ok || e.Obsolete || !e.HasContext {
			continue
		}
		if n := 1 + rank(&e, t.units[i]); n > t.found[i].rank {
			t.found[i] = seen{n, stateOf(e, t.units[i].Source)}
		}
	}
}
