// Package typeset turns text of any language into lines of placed letters: it
// finds typefaces, orders directions (UAX #9), shapes (HarfBuzz, in go-text) and breaks lines (UAX #14).
package typeset

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	ot "github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// MaxRunes is how much one text may have.
const MaxRunes = 4000

// Direction is the direction of a paragraph.
type Direction int8

// The directions. Auto takes that of the first letter which has one (P2, P3).
const (
	Auto        Direction = -1
	LeftToRight Direction = 0
	RightToLeft Direction = 1
)

// Glyph is a placed shape. Places are in ems from the start of its line's
// baseline, x to the right and y upwards.
type Glyph struct {
	ID   uint32
	X, Y float64
}

// Cluster is a piece of text and the shapes that show it together: a letter
// with its marks, a ligature, a syllable.
type Cluster struct {
	Text    string // as it was written
	Font    *Font
	Glyphs  []Glyph
	Level   int8    // odd: it is read from right to left
	X       float64 // ems from the start of the line
	Advance float64 // ems
	at      int     // place in the text of the line
}

// Line is one line, its clusters from left to right.
type Line struct {
	Text            string // as it was written
	Clusters        []Cluster
	Width           float64 // ems
	Ascent, Descent float64 // ems, both positive
	RightToLeft     bool    // the paragraph is
}

// MissingError tells which characters no typeface at hand has.
type MissingError struct{ Runes []rune }

func (e *MissingError) Error() string {
	return fmt.Sprintf("no typeface has %q (%U)", string(e.Runes), e.Runes)
}

// Setter sets the texts of one document. It is not safe for concurrent use.
type Setter struct {
	library *Library
	locale  string
	faces   map[*Font]*font.Face
	shaper  shaping.HarfbuzzShaper
	known   map[analysis]*analysed
}

// NewSetter makes a setter for a document in a language.
func (l *Library) NewSetter(locale string) *Setter {
	return &Setter{library: l, locale: locale, faces: map[*Font]*font.Face{}, known: map[analysis]*analysed{}}
}

// item is a stretch of text of one typeface, script and level.
type item struct {
	from, to int
	font     *Font
	script   language.Script
	level    int8
}

// analysed is what is known of a text before its lines are broken.
type analysed struct {
	runes   []rune
	levels  []int8
	base    int8
	fonts   []*Font
	scripts []language.Script
	whole   Line
	before  []float64 // ems up to a place, on one long line
	breaks  []int     // places where lines may end
	letters []int     // places between letters
}

type analysis struct {
	text string
	w    Weight
	d    Direction
}

// Set sets a paragraph in lines no wider than width ems; 0 means one line. A
// word that is too wide is broken between letters. *MissingError when letters have no typeface.
func (s *Setter) Set(text string, w Weight, d Direction, width float64) ([]Line, error) {
	p, err := s.analyse(text, w, d)
	if err != nil || p == nil {
		return nil, err
	}
	if width <= 0 || p.whole.Width <= width {
		return []Line{p.whole}, nil
	}
	var out []Line
	for from := 0; from < len(p.runes); {
		to, l, err := s.longest(p, from, width)
		if err != nil {
			return nil, err
		}
		if len(l.Clusters) > 0 {
			out = append(out, l)
		}
		from = to
	}
	return out, nil
}

// analyse does what does not depend on where lines end, once a text: it is set in several sizes until it fits.
func (s *Setter) analyse(text string, w Weight, d Direction) (*analysed, error) {
	key := analysis{text, w, d}
	if p, known := s.known[key]; known {
		return p, nil
	}
	runes := clean(text)
	if len(runes) > MaxRunes {
		return nil, fmt.Errorf("a text of %d characters is too long", len(runes))
	}
	if len(runes) == 0 {
		return nil, nil
	}
	p := &analysed{runes: runes}
	p.levels, p.base = resolve(runes, int8(d))
	var err error
	if p.fonts, p.scripts, err = s.assign(runes, w); err != nil {
		return nil, err
	}
	if p.whole, err = s.part(p, 0, len(runes)); err != nil {
		return nil, err
	}
	p.before = make([]float64, len(runes)+1)
	for _, c := range p.whole.Clusters {
		p.before[c.at+1] += c.Advance
	}
	for i := range runes {
		p.before[i+1] += p.before[i]
	}
	var seg segmenter.Segmenter
	seg.Init(runes)
	for it := seg.LineIterator(); it.Next(); {
		l := it.Line()
		p.breaks = append(p.breaks, l.Offset+len(l.Text))
	}
	for it := seg.GraphemeIterator(); it.Next(); {
		g := it.Grapheme()
		p.letters = append(p.letters, g.Offset+len(g.Text))
	}
	s.known[key] = p
	return p, nil
}

// part sets what stands on one line, without the space at its end.
func (s *Setter) part(p *analysed, from, to int) (Line, error) {
	for to > from && unicode.IsSpace(p.runes[to-1]) {
		to--
	}
	return s.line(p, from, to, lineLevels(p.runes[from:to], p.levels[from:to], p.base))
}

// longest finds the longest line from a place on: to the last break that fits, else
// to the last letter that does, and at least one.
func (s *Setter) longest(p *analysed, from int, width float64) (int, Line, error) {
	for _, places := range [][]int{p.breaks, p.letters} {
		first, _ := slices.BinarySearch(places, from+1)
		// As wide as it is on one long line; a line of its own may be a little wider or narrower.
		n := first
		for n < len(places) && p.trimmed(from, places[n]) <= width+0.05 {
			n++
		}
		for n--; n >= first; n-- {
			l, err := s.part(p, from, places[n])
			if err != nil || l.Width <= width {
				return places[n], l, err
			}
		}
	}
	first, _ := slices.BinarySearch(p.letters, from+1)
	l, err := s.part(p, from, p.letters[first])
	return p.letters[first], l, err
}

func (p *analysed) trimmed(from, to int) float64 {
	for to > from && unicode.IsSpace(p.runes[to-1]) {
		to--
	}
	return p.before[to] - p.before[from]
}

// clean leaves what can be set on a line: no control characters, and spaces for tabs and ends of lines.
func clean(text string) []rune {
	var out []rune
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '\t', r == '\n', r == '\u2028', r == '\u2029', r == '\u0085', r == '\v', r == '\f':
			out = append(out, ' ')
		case unicode.IsControl(r), r == '\uFEFF', r >= 0xFFF9 && r <= 0xFFFB, r >= 0xE0000 && r <= 0xE007F:
		default:
			out = append(out, r)
		}
	}
	return slices.Clip(out)
}

func ignorable(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// assign chooses typeface and script for each character. A letter and its marks have one typeface.
func (s *Setter) assign(runes []rune, w Weight) ([]*Font, []language.Script, error) {
	fonts, scripts := make([]*Font, len(runes)), make([]language.Script, len(runes))
	var missing []rune
	var seg segmenter.Segmenter
	seg.Init(runes)
	var current *Font
	script := language.Common
	for it := seg.GraphemeIterator(); it.Next(); {
		g := it.Grapheme()
		own := language.Common
		for _, r := range g.Text {
			// What shows nothing has no script: many such characters are not assigned, and no typeface is of the script of those.
			if sc := language.LookupScript(r); sc.Strong() && !ignorable(r) {
				own = sc
				break
			}
		}
		if own.Strong() {
			script = own
		}
		f, err := s.choose(g.Text, own, current, w)
		if err != nil {
			return nil, nil, err
		}
		if f == nil {
			before := len(missing)
			for _, r := range g.Text {
				if !slices.Contains(missing, r) && !ignorable(r) {
					missing = append(missing, r)
				}
			}
			if len(missing) == before && !slices.Contains(missing, g.Text[0]) { // without any typeface not even nothing can be set
				missing = append(missing, g.Text[0])
			}
			continue
		}
		current = f
		for i := range g.Text {
			fonts[g.Offset+i], scripts[g.Offset+i] = f, script
		}
	}
	if len(missing) > 0 {
		return nil, nil, &MissingError{missing}
	}
	// What comes before the first letter belongs to it.
	for i := len(scripts) - 1; i >= 0; i-- {
		if !scripts[i].Strong() && i+1 < len(scripts) {
			scripts[i] = scripts[i+1]
		}
	}
	return fonts, scripts, nil
}

// choose finds the typeface of one letter with its marks, or nil.
func (s *Setter) choose(letter []rune, script language.Script, current *Font, w Weight) (*Font, error) {
	var names []string
	switch {
	case script.Strong():
		names = candidates(script, w)
	case current != nil && (letter[0] >= 0x250 || unicode.IsSpace(letter[0]) || ignorable(letter[0])) && covers(current, letter):
		return current, nil // brackets, dandas, spaces and stops look like their neighbours
	default:
		names = candidates(language.Latin, w)
	}
	if !script.Strong() {
		names = slices.Concat(names, han, candidates(language.Arabic, w), candidates(language.Devanagari, w), symbols)
	}
	for _, name := range names {
		face := 0
		if strings.HasSuffix(name, ".ttc") {
			face = hanFace(s.locale)
		}
		f, err := s.library.open(name, face)
		if err != nil {
			return nil, err
		}
		if f != nil && covers(f, letter) {
			return f, nil
		}
	}
	return nil, nil
}

// covers tells whether a typeface has a letter: all of it, or what stands for all of it.
func covers(f *Font, letter []rune) bool {
	for _, r := range letter {
		if _, ok := f.parsed.NominalGlyph(r); !ok && !ignorable(r) {
			return false
		}
	}
	return true
}

func (s *Setter) face(f *Font) *font.Face {
	face := s.faces[f]
	if face == nil {
		face = font.NewFace(f.parsed)
		s.faces[f] = face
	}
	return face
}

// line shapes a piece of text that stands on one line.
func (s *Setter) line(p *analysed, from, to int, levels []int8) (Line, error) {
	l := Line{Text: string(p.runes[from:to]), RightToLeft: p.base == 1}
	var items []item
	for i := from; i < to; i++ {
		level := levels[i-from]
		if n := len(items); n > 0 {
			if last := &items[n-1]; last.font == p.fonts[i] && last.script == p.scripts[i] && last.level == level {
				last.to = i + 1
				continue
			}
		}
		items = append(items, item{i, i + 1, p.fonts[i], p.scripts[i], level})
	}
	itemLevels := make([]int8, len(items))
	for i, it := range items {
		itemLevels[i] = it.level
	}
	for _, n := range visual(itemLevels) {
		if err := s.shape(&l, p.runes, from, to, items[n]); err != nil {
			return Line{}, err
		}
	}
	return l, nil
}

// em is the size at which text is shaped: 1,000 units in 26.6.
const em = 1000

func (s *Setter) shape(l *Line, runes []rune, from, to int, it item) error {
	direction := di.DirectionLTR
	if it.level%2 == 1 {
		direction = di.DirectionRTL
	}
	face := s.face(it.font)
	out := s.shaper.Shape(shaping.Input{
		Text: runes[from:to], RunStart: it.from - from, RunEnd: it.to - from, Direction: direction,
		Face: face, Size: fixed.I(em), Script: it.script, Language: language.NewLanguage(s.locale),
	})
	to26 := func(v fixed.Int26_6) float64 { return float64(v) / 64 / em }
	for i := 0; i < len(out.Glyphs); {
		start := out.Glyphs[i].TextIndex()
		c := Cluster{Font: it.font, Level: it.level, X: l.Width, at: start}
		n := i
		for ; n < len(out.Glyphs) && out.Glyphs[n].TextIndex() == start; n++ {
			g := out.Glyphs[n]
			c.Glyphs = append(c.Glyphs, Glyph{ID: uint32(g.GlyphID), X: l.Width + c.Advance + to26(g.XOffset), Y: to26(g.YOffset)})
			c.Advance += to26(g.Advance)
		}
		text := runes[from+start : min(from+start+out.Glyphs[i].RunesCount(), it.to)]
		for _, g := range c.Glyphs {
			if g.ID == 0 {
				return &MissingError{slices.Clone(text)}
			}
		}
		c.Text = string(text)
		l.Width += c.Advance
		l.Clusters = append(l.Clusters, c)
		i = n
	}
	if e, ok := face.FontHExtents(); ok {
		l.Ascent = max(l.Ascent, float64(e.Ascender)/it.font.Upem)
		l.Descent = max(l.Descent, -float64(e.Descender)/it.font.Upem)
	}
	return nil
}

// Point is a place in a shape, in ems from its origin, y upwards.
type Point struct{ X, Y float64 }

// Curve is one part of an outline: to a point, along a cubic curve unless it is straight. Move begins a contour.
type Curve struct {
	Move, Straight bool
	A, B, To       Point
}

// Outline gives the contours of a shape and how far it advances.
func (s *Setter) Outline(f *Font, id uint32) ([]Curve, float64) {
	face := s.face(f)
	o, _ := face.GlyphDataOutline(font.GID(id))
	at := func(p font.SegmentPoint) Point { return Point{float64(p.X) / f.Upem, float64(p.Y) / f.Upem} }
	var out []Curve
	var from Point
	for _, seg := range o.Segments {
		a := seg.ArgsSlice()
		c := Curve{To: at(a[len(a)-1])}
		switch len(a) {
		case 1:
			c.Straight, c.Move = true, seg.Op == ot.SegmentOpMoveTo
		case 2: // a quadratic curve is this cubic one
			q := at(a[0])
			c.A = Point{from.X + 2*(q.X-from.X)/3, from.Y + 2*(q.Y-from.Y)/3}
			c.B = Point{c.To.X + 2*(q.X-c.To.X)/3, c.To.Y + 2*(q.Y-c.To.Y)/3}
		case 3:
			c.A, c.B = at(a[0]), at(a[1])
		}
		out = append(out, c)
		from = c.To
	}
	return out, float64(face.HorizontalAdvance(font.GID(id))) / f.Upem
}
