// Package paper puts a credential on paper: an A4 certificate in any shipped language, as PDF, and as SVG to look at.
package paper

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Words finds the words of a language.
type Words interface {
	T(locale, key string, args map[string]any) string
	Date(locale string, t time.Time) string
	Number(locale string, v float64) string
}

// Certificate is what stands on the paper.
type Certificate struct {
	Locale      string // of the words around; the claims have their own
	RightToLeft bool   // that language is
	Claims      credential.Claims
	Standing    credential.State
	Since       time.Time // when it was revoked or suspended
	Reason      string    // why
	Logo        *sheet.Image
	Signatories []Signatory
	Code        [][]bool // the QR code, true for dark
	Template    Template
}

// Signatory signs a certificate.
type Signatory struct {
	Name, Title string
	TitleLang   string
	Signature   *sheet.Image
}

// The measures of the page, in points; 72 points are an inch, 25.4 mm.
const (
	millimetre = 72 / 25.4
	long       = 297 * millimetre
	short      = 210 * millimetre
	margin     = 46
	codeWidth  = 36 * millimetre // at least 35 are asked for
	inkColour  = sheet.Colour("#1a1a1a")
	greyColour = sheet.Colour("#555555")
	badColour  = sheet.Colour("#b00020")
)

// block is a paragraph that waits for its place.
type block struct {
	role   sheet.Role
	text   string
	lang   string // "": the sheet's
	size   float64
	weight typeset.Weight
	colour sheet.Colour
	dir    typeset.Direction
	align  Place
	lines  int     // as many at most, if it can be without letters too small to read
	above  float64 // space before it
	rule   float64 // room for a line below it
	link   string
}

// page is a certificate while it is laid out.
type page struct {
	Certificate
	words  Words
	setter *typeset.Setter
	w, h   float64
	parts  []sheet.Part
}

// Lay lays a certificate out. fault.Unavailable paper.no_typeface: a letter has no typeface at this server.
func Lay(c Certificate, words Words, fonts *typeset.Library) (sheet.Sheet, error) {
	p := &page{Certificate: c, words: words, setter: fonts.NewSetter(c.Locale), w: long, h: short}
	if c.Template.Orientation == Portrait {
		p.w, p.h = short, long
	}
	if err := p.lay(); err != nil {
		return sheet.Sheet{}, err
	}
	title := c.Claims.Achievement
	if c.Claims.Name != "" {
		title = p.t("paper.document", map[string]any{"Achievement": title, "Name": c.Claims.Name})
	}
	return sheet.Sheet{
		Width: p.w, Height: p.h, Lang: c.Locale, RightToLeft: c.RightToLeft, Author: c.Claims.IssuerName, At: c.Claims.IssuedAt, Parts: p.parts, Title: title,
	}, nil
}

func (p *page) t(key string, args map[string]any) string { return p.words.T(p.Locale, key, args) }

// own is the direction of the sheet's own words.
func (p *page) own() typeset.Direction {
	if p.RightToLeft {
		return typeset.RightToLeft
	}
	return typeset.LeftToRight
}

func (p *page) lay() error {
	p.border()
	top, err := p.header()
	if err != nil {
		return err
	}
	foot := p.h - margin - codeWidth
	if p.Template.Orientation == Portrait {
		foot -= signHeight + 16
	}
	if err := p.middle(top, foot-14); err != nil {
		return err
	}
	if err := p.foot(foot); err != nil {
		return err
	}
	return p.stamp()
}

func (p *page) border() {
	line := func(inset, width float64) {
		p.parts = append(p.parts, sheet.Shape{Path: sheet.Rectangle(inset, inset, p.w-2*inset, p.h-2*inset), Stroke: p.Template.Accent, Width: width})
	}
	switch p.Template.Border {
	case Single:
		line(22, 1.5)
	case Double:
		line(20, 3)
		line(25.5, 0.75)
	case Corners:
		const inset, arm = 22, 60
		at := func(x, y float64) typeset.Point { return typeset.Point{X: x, Y: y} }
		var path []sheet.Segment
		for _, x := range []float64{inset, p.w - inset} {
			for _, y := range []float64{inset, p.h - inset} {
				dx, dy := float64(arm), float64(arm)
				if x > inset {
					dx = -arm
				}
				if y > inset {
					dy = -arm
				}
				path = append(path, sheet.Segment{Move: true, To: at(x+dx, y)}, sheet.Segment{To: at(x, y)}, sheet.Segment{To: at(x, y+dy)})
			}
		}
		p.parts = append(p.parts, sheet.Shape{Path: path, Stroke: p.Template.Accent, Width: 3})
	}
}

// side gives the left edge of something of a width, at a place between two edges.
func (p *page) side(at Place, left, right, width float64) float64 {
	switch {
	case at == Center:
		return (left + right - width) / 2
	case (at == Start) != p.RightToLeft:
		return left
	}
	return right - width
}

// within makes a picture as large as it can be in a frame.
func within(m *sheet.Image, w, h float64) (float64, float64) {
	scale := min(w/float64(m.W), h/float64(m.H))
	return float64(m.W) * scale, float64(m.H) * scale
}

// header puts logo and institution on top, and tells where it ends.
func (p *page) header() (float64, error) {
	issuer := block{role: sheet.Paragraph, text: p.Claims.IssuerName, lang: "", size: 15, weight: typeset.Bold, colour: inkColour, dir: typeset.Auto, align: Center, lines: 2}
	y, width := float64(margin), p.w-2*margin
	if p.Logo == nil {
		h, err := p.put(issuer, margin, y, width, 60)
		return y + h, err
	}
	lw, lh := within(p.Logo, 170, 54)
	figure := sheet.Figure{
		Alt: p.t("paper.logo_alt", map[string]any{"Institution": p.Claims.IssuerName}),
		X:   p.side(p.Template.Logo, margin, p.w-margin, lw), Y: y, W: lw, H: lh, Image: p.Logo,
	}
	p.parts = append(p.parts, figure)
	if p.Template.Logo == Center {
		h, err := p.put(issuer, margin, y+lh+6, width, 50)
		return y + lh + 6 + h, err
	}
	// In the middle of the page, and not of what the logo leaves.
	h, err := p.put(issuer, margin+lw+12, y, width-2*lw-24, lh+20)
	return y + max(h, lh), err
}

// middle is what the certificate says, spread over the space between two heights; smaller where there is much to say.
func (p *page) middle(top, bottom float64) error {
	facts := p.facts()
	room := bottom - top - 8
	for scale := 1.0; scale > 0.15; scale *= 0.94 {
		blocks := p.sayings(scale)
		var set []set
		height := 0.0
		for _, b := range blocks {
			s, err := p.set(b, p.w-2*margin, room)
			if err != nil {
				return err
			}
			set = append(set, s)
			height += b.above + s.height + b.rule
		}
		rows := p.rows(facts, scale)
		factsHeight := float64(len(rows)) * 34 * scale
		if height+factsHeight > room {
			continue
		}
		// What is left is shared: before, between and after.
		gap := (room - height - factsHeight) / float64(len(blocks)+len(rows)+1)
		gap = min(gap, 16)
		y := top + 8 + (room-height-factsHeight-gap*float64(len(blocks)+len(rows)-1))/2
		for _, s := range set {
			y += s.above
			p.draw(s, margin, y, p.w-2*margin)
			y += s.height
			if s.rule > 0 {
				p.parts = append(p.parts, sheet.Shape{Path: sheet.Rectangle(p.w/2-90, y+s.rule-4, 180, 1), Fill: p.Template.Accent})
				y += s.rule
			}
			y += gap
		}
		for _, row := range rows {
			if err := p.row(row, y, scale); err != nil {
				return err
			}
			y += 34*scale + gap
		}
		return nil
	}
	return tooLong()
}

func tooLong() error { return fault.New(fault.Conflict, "paper.too_long") }

// sayings are the paragraphs of the middle, in the order of reading.
func (p *page) sayings(scale float64) []block {
	c := p.Claims
	label := func(key string) block {
		return block{role: sheet.Paragraph, text: p.t(key, nil), size: 11.5 * scale, colour: greyColour, dir: p.own(), align: Center, lines: 1, above: 4 * scale}
	}
	said := func(text string, size float64, w typeset.Weight, lines int) block {
		return block{role: sheet.Paragraph, text: text, lang: p.foreign(c.Locale), size: size * scale, weight: w, colour: inkColour, dir: typeset.Auto, align: Center, lines: lines}
	}
	title := block{role: sheet.Heading, text: p.t("paper.title", nil), size: 32 * scale, weight: typeset.Bold, colour: p.Template.Accent, dir: p.own(), align: Center, lines: 1}
	name := said(c.Name, 30, typeset.Bold, 2)
	name.lang, name.rule = "", 10 // clear of what hangs below the line
	out := []block{title}
	if text := p.warning(); text != "" {
		out = append(out, block{role: sheet.Paragraph, text: text, size: 12 * scale, weight: typeset.Bold, colour: badColour, dir: p.own(), align: Center, lines: 2})
		if p.Reason != "" && p.Standing != credential.Expired {
			reason := said(p.t("page.verify.reason", map[string]any{"Reason": p.Reason}), 10, typeset.Regular, 2)
			reason.lang = ""
			out = append(out, reason)
		}
	}
	if c.Name != "" { // it has none when its holder's account was erased
		out = append(out, label("paper.holder"), name)
	}
	out = append(out, label("paper.achievement"), said(c.Achievement, 20, typeset.Bold, 2))
	if c.Description != "" && c.Description != c.Achievement {
		out = append(out, said(c.Description, 10.5, typeset.Regular, 3))
	}
	if line, lang := in(p.Template.Line, p.Locale); line != "" {
		b := said(line, 11, typeset.Regular, 2)
		b.lang = p.foreign(lang)
		out = append(out, b)
	}
	return out
}

// warning says that a certificate is worth nothing, or "".
func (p *page) warning() string {
	date := map[string]any{"Date": p.words.Date(p.Locale, p.Since)}
	switch p.Standing {
	case credential.Revoked:
		return p.t("paper.revoked", date)
	case credential.Suspended:
		return p.t("paper.suspended", date)
	case credential.Expired:
		if p.Claims.ExpiresAt != nil {
			return p.t("paper.expired", map[string]any{"Date": p.words.Date(p.Locale, *p.Claims.ExpiresAt)})
		}
	}
	return ""
}

// foreign is a language, unless it is the sheet's.
func (p *page) foreign(locale string) string {
	if locale == p.Locale {
		return ""
	}
	return locale
}

// in finds a text in a language: the tag, a shorter one, then any, by tag.
func in(texts map[string]string, locale string) (text, lang string) {
	for tag := locale; tag != ""; {
		if texts[tag] != "" {
			return texts[tag], tag
		}
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	tags := make([]string, 0, len(texts))
	for tag := range texts {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	for _, tag := range tags {
		if texts[tag] != "" {
			return texts[tag], tag
		}
	}
	return "", ""
}

type fact struct{ label, value string }

func (p *page) facts() []fact {
	c := p.Claims
	out := []fact{{"paper.issued", p.words.Date(p.Locale, c.IssuedAt)}}
	if c.ExpiresAt != nil {
		out = append(out, fact{"paper.expires", p.words.Date(p.Locale, *c.ExpiresAt)})
	}
	out = append(out, fact{"paper.language", languageName(c.Locale)})
	if n, err := strconv.ParseFloat(c.Version, 64); err == nil {
		out = append(out, fact{"paper.version", p.words.Number(p.Locale, n)})
	}
	if c.Assessment != "" {
		out = append(out, fact{"paper.assessment", p.t("paper.assessment."+string(c.Assessment), nil)})
	}
	if c.AIHelp != "" {
		out = append(out, fact{"paper.ai_help", p.t("paper.ai_help."+string(c.AIHelp), nil)})
	}
	if v, err := strconv.ParseFloat(c.Score, 64); err == nil {
		out = append(out, fact{"paper.score", p.t("paper.score_value", map[string]any{"Score": v})})
	}
	return out
}

func languageName(locale string) string {
	return cmp.Or(display.Self.Name(language.Make(locale)), locale)
}

// rows parts the facts so that each has room.
func (p *page) rows(facts []fact, scale float64) [][]fact {
	most := min(len(facts), max(1, int((p.w-2*margin)/(115*scale))))
	rows := (len(facts) + most - 1) / most
	n := (len(facts) + rows - 1) / rows // as many in each
	var out [][]fact
	for r := range slices.Chunk(facts, n) {
		out = append(out, r)
	}
	return out
}

func (p *page) row(facts []fact, y, scale float64) error {
	const cell = 150
	width := min(cell, (p.w-2*margin)/float64(len(facts)))
	left := p.w/2 - width*float64(len(facts))/2
	for i, f := range facts {
		if p.RightToLeft {
			i = len(facts) - 1 - i
		}
		x := left + width*float64(i) + 4
		label := block{role: sheet.Paragraph, text: p.t(f.label, nil), size: 8 * scale, colour: greyColour, dir: p.own(), align: Center, lines: 1}
		h, err := p.put(label, x, y, width-8, 14*scale)
		if err != nil {
			return err
		}
		value := block{role: sheet.Paragraph, text: f.value, size: 10.5 * scale, colour: inkColour, dir: p.own(), align: Center, lines: 1}
		if _, err := p.put(value, x, y+h, width-8, 34*scale-h); err != nil {
			return err
		}
	}
	return nil
}

const signHeight = 100

// foot has who signs, and the code with the address.
func (p *page) foot(top float64) error {
	left, right := float64(margin), p.w-margin
	signs, codeTop := p.w-2*margin, top
	if p.Template.Orientation == Portrait {
		codeTop = p.h - margin - codeWidth
	} else {
		signs -= codeWidth + addressWidth + 34
	}
	if err := p.signatures(p.side(Start, left, right, signs), top, signs); err != nil {
		return err
	}
	codeX := p.side(End, left, right, codeWidth)
	space := float64(addressWidth)
	if p.Template.Orientation == Portrait {
		space = right - left - codeWidth - 12
	}
	textX := codeX - 12 - space
	if p.RightToLeft {
		textX = codeX + codeWidth + 12
	}
	check := block{role: sheet.Paragraph, text: p.t("paper.check", nil), size: 8.5, colour: greyColour, dir: p.own(), align: End, lines: 2}
	address := block{role: sheet.Paragraph, text: p.Claims.ID, lang: "", size: 8.5, colour: inkColour, dir: typeset.LeftToRight, align: End, lines: 5, link: p.Claims.ID}
	a, err := p.set(check, space, codeWidth/2)
	if err != nil {
		return err
	}
	b, err := p.set(address, space, codeWidth-a.height)
	if err != nil {
		return err
	}
	y := codeTop + codeWidth - a.height - b.height
	p.draw(a, textX, y, space)
	p.draw(b, textX, y+a.height, space)
	if p.Code != nil {
		p.parts = append(p.parts, sheet.Matrix{Alt: p.t("paper.code_alt", nil), X: codeX, Y: codeTop, W: codeWidth, Rows: p.Code})
	}
	return nil
}

const addressWidth = 180

func (p *page) signatures(left, top, width float64) error {
	n := len(p.Signatories)
	if n == 0 {
		return nil
	}
	const gap, line = 16, 44
	column := min(170, (width-gap*float64(n-1))/float64(n))
	for i, s := range p.Signatories {
		x := left + float64(i)*(column+gap)
		if p.RightToLeft {
			x = left + width - column - float64(i)*(column+gap)
		}
		if s.Signature != nil {
			w, h := within(s.Signature, column-8, line-4)
			p.parts = append(p.parts, sheet.Figure{
				Alt: p.t("paper.signature_alt", map[string]any{"Name": s.Name}), X: x + (column-w)/2, Y: top + line - 2 - h, W: w, H: h, Image: s.Signature,
			})
		}
		p.parts = append(p.parts, sheet.Shape{Path: sheet.Rectangle(x, top+line, column, 0.75), Fill: greyColour})
		name := block{role: sheet.Paragraph, text: s.Name, size: 10, weight: typeset.Bold, colour: inkColour, dir: typeset.Auto, align: Center, lines: 2}
		h, err := p.put(name, x, top+line+3, column, 30)
		if err != nil {
			return err
		}
		if s.Title == "" {
			continue
		}
		title := block{role: sheet.Paragraph, text: s.Title, lang: p.foreign(s.TitleLang), size: 8.5, colour: greyColour, dir: typeset.Auto, align: Center, lines: 2}
		if _, err := p.put(title, x, top+line+3+h, column, signHeight-line-3-h); err != nil {
			return err
		}
	}
	return nil
}

// stamp says across the page that a certificate is worth nothing.
func (p *page) stamp() error {
	if p.Standing != credential.Revoked && p.Standing != credential.Suspended {
		return nil
	}
	lines, err := p.setter.Set(p.t("credential.standing."+string(p.Standing), nil), typeset.Bold, p.own(), 0)
	if err != nil {
		return p.missing(err)
	}
	if len(lines) == 0 {
		return nil
	}
	size := min(150, 0.75*p.w/lines[0].Width)
	p.parts = append(p.parts, sheet.Shape{Path: sheet.Drawn(p.setter, lines[0], size, p.w/2, p.h/2, 24), Fill: badColour, Opacity: 0.22})
	return nil
}
