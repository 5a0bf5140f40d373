package paper

import (
	"errors"

	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/fault"
)

// set is a block whose lines are broken.
type set struct {
	block
	broken []typeset.Line
	height float64
}

// Letters below this size are hard to read; they are made smaller only when nothing else helps.
const legible = 7

// set breaks a block into lines of a width. Its letters become smaller until it has no more lines than it may, then
// until it has no more than a height: nothing is ever cut off.
func (p *page) set(b block, width, height float64) (set, error) {
	for size := b.size; size > 0.5; size *= 0.95 {
		lines, err := p.setter.Set(b.text, b.weight, b.dir, width/size)
		if err != nil {
			return set{}, p.missing(err)
		}
		s := set{block: b, broken: lines}
		s.size = size
		wide := false
		for _, l := range lines {
			s.height += leading(l) * size
			wide = wide || l.Width*size > width+0.01
		}
		if s.height <= height && !wide && (len(lines) <= b.lines || size < max(legible, b.size*0.4)) {
			return s, nil
		}
	}
	return set{}, tooLong()
}

// leading is from the top of a line to the top of the next, in ems.
func leading(l typeset.Line) float64 { return max(1.25, 0.96*(l.Ascent+l.Descent)) }

// draw puts a set block at its place.
func (p *page) draw(s set, x, y, width float64) {
	t := sheet.Text{Role: s.role, Lang: s.lang, Size: s.size, Colour: s.colour, Link: s.link, Setter: p.setter}
	for _, l := range s.broken {
		// The baseline stands so that what the typeface has above and below is shared evenly.
		baseline := y + s.size*((leading(l)-l.Ascent-l.Descent)/2+l.Ascent)
		t.Lines = append(t.Lines, sheet.Line{Line: l, X: p.side(s.align, x, x+width, l.Width*s.size), Y: baseline})
		y += leading(l) * s.size
	}
	if len(t.Lines) > 0 {
		p.parts = append(p.parts, t)
	}
}

// put sets and draws, and tells how high it is.
func (p *page) put(b block, x, y, width, height float64) (float64, error) {
	s, err := p.set(b, width, height)
	if err != nil {
		return 0, err
	}
	p.draw(s, x, y, width)
	return s.height, nil
}

// missing says which letters have no typeface here. That is the server's fault and not the learner's.
func (p *page) missing(err error) error {
	var none *typeset.MissingError
	if !errors.As(err, &none) {
		return err
	}
	letters := string(none.Runes[:min(len(none.Runes), 20)])
	return fault.Wrap(fault.Unavailable, "paper.no_typeface", err).With("Letters", letters)
}
