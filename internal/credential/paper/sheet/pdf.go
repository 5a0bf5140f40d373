package sheet

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

// PDF writes the sheet as PDF 1.7, tagged, with the letters that it shows and
// no others. The same sheet gives the same bytes.
//
// Text can be taken out in two ways, and both give it as it was written: by
// structure (each element has its ActualText), and from the page, where letters
// stand in the order in which they are seen, with ToUnicode, as readers expect it that put directions right themselves.
func (s Sheet) PDF() []byte {
	w := &pdf{sheet: s, fonts: map[*typeset.Font]*pdfFont{}, images: map[*Image]int{}, alphas: map[float64]string{}}
	return w.write()
}

type pdf struct {
	sheet   Sheet
	objects [][]byte // number n is at n-1
	content bytes.Buffer

	fonts  map[*typeset.Font]*pdfFont
	order  []*pdfFont
	images map[*Image]int // object numbers
	names  []string       // of images, as the resources have them
	alphas map[float64]string

	marks    int // marked contents so far
	elements []element
	links    []link
}

// element is one of the structure tree, a child of the document.
type element struct {
	role, lang, alt, actual string
	box                     [4]float64 // of a figure
	mark                    int
	link                    int // 1 + place in links, or 0
}

type link struct {
	box     [4]float64
	address string
}

// pdfFont is a subset. Its characters are clusters, not glyphs: a letter with
// its marks or a syllable is drawn anew as one shape with one text. So nothing needs to be said about
// the order of glyphs within a syllable, and what looks the same and is not can be told apart.
type pdfFont struct {
	name     string
	setter   *typeset.Setter
	font     *typeset.Font
	cids     map[string]int
	glyphs   []outline
	texts    []string
	ascent   float64
	descent  float64
	resource string
}

func (f *pdfFont) cid(key, text string, draw func() outline) int {
	key += "\x00" + text
	n, known := f.cids[key]
	if !known {
		n = len(f.glyphs) + 1
		f.cids[key] = n
		f.glyphs, f.texts = append(f.glyphs, draw()), append(f.texts, text)
	}
	return n
}

// characters gives the characters of the subset that show a cluster, from left to right.
//
// From left to right that is one. From right to left each letter of a
// ligature has a share of its width, the last letter on the left; the whole shape hangs on that, and the others
// show nothing. Readers of PDF turn such letters around one by one, and would turn what is inside of one around too.
func (f *pdfFont) characters(c typeset.Cluster) []int {
	var key strings.Builder
	for _, g := range c.Glyphs {
		fmt.Fprintf(&key, "%d %d %d,", g.ID, units(g.X-c.X), units(g.Y))
	}
	shape := func(share int) func() outline {
		return func() outline {
			o := outline{advance: c.Advance / float64(share)}
			for _, g := range c.Glyphs {
				curves, _ := f.setter.Outline(f.font, g.ID)
				o.curves = append(o.curves, shift(curves, g.X-c.X, g.Y)...)
			}
			return o
		}
	}
	letters := []rune(c.Text)
	if c.Level%2 == 0 || len(letters) < 2 {
		return []int{f.cid(key.String(), c.Text, shape(1))}
	}
	share := len(letters)
	out := []int{f.cid(fmt.Sprint(key.String(), "/", share), string(letters[share-1]), shape(share))}
	for i := share - 2; i >= 0; i-- {
		width := c.Advance / float64(share)
		out = append(out, f.cid(fmt.Sprint("/", units(width)), string(letters[i]), func() outline { return outline{advance: width} }))
	}
	return out
}

func shift(curves []typeset.Curve, x, y float64) []typeset.Curve {
	if x == 0 && y == 0 {
		return curves
	}
	out := slices.Clone(curves)
	for i := range out {
		for _, p := range []*typeset.Point{&out[i].A, &out[i].B, &out[i].To} {
			p.X, p.Y = p.X+x, p.Y+y
		}
	}
	return out
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// add gives an object its number.
func (w *pdf) add(format string, args ...any) int {
	w.objects = append(w.objects, fmt.Appendf(nil, format, args...))
	return len(w.objects)
}

func (w *pdf) stream(dict string, b []byte) int {
	return w.add("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(b), b)
}

func (w *pdf) packed(dict string, b []byte) int {
	return w.stream(dict+"/Filter/FlateDecode", deflate(b))
}

func (w *pdf) write() []byte {
	for _, p := range w.sheet.Parts {
		switch p := p.(type) {
		case Shape:
			w.shape(p)
		case Text:
			w.text(p)
		case Figure:
			w.figure(p)
		case Matrix:
			w.matrix(p)
		}
	}
	contents := w.packed("", w.content.Bytes())
	var resources strings.Builder
	resources.WriteString("<</Font<<")
	for _, f := range w.order {
		fmt.Fprintf(&resources, "/%s %d 0 R", f.resource, w.font(f))
	}
	resources.WriteString(">>/XObject<<" + strings.Join(w.names, "") + ">>/ExtGState<<")
	levels := make([]float64, 0, len(w.alphas))
	for a := range w.alphas {
		levels = append(levels, a)
	}
	slices.Sort(levels)
	for _, a := range levels {
		fmt.Fprintf(&resources, "/%s<</ca %s>>", w.alphas[a], num(a))
	}
	resources.WriteString(">>>>")

	page := len(w.objects) + 1
	pages, tree := page+1, page+2
	annots := page + 3
	firstElement := annots + len(w.links)
	// The elements come after the document element, each link's own one behind its paragraph's.
	document := firstElement
	number := document + 1
	var kids, links strings.Builder
	var bodies []string
	for _, e := range w.elements {
		fmt.Fprintf(&kids, "%d 0 R ", number)
		own := number
		number++
		attributes := ""
		if e.lang != "" {
			attributes += "/Lang" + pdfText(e.lang)
		}
		if e.alt != "" {
			attributes += "/Alt" + pdfText(e.alt)
		}
		if e.actual != "" {
			attributes += "/ActualText" + pdfText(e.actual)
		}
		if e.box != [4]float64{} {
			attributes += "/A<</O/Layout/Placement/Block/BBox" + w.box(e.box) + ">>"
		}
		content := fmt.Sprint(e.mark)
		if e.link > 0 {
			// Who follows the tag finds the annotation.
			content = fmt.Sprintf("%d 0 R", number)
			fmt.Fprintf(&links, "%d %d 0 R ", e.link, number)
		}
		bodies = append(bodies, fmt.Sprintf("<</Type/StructElem/S/%s/P %d 0 R/Pg %d 0 R%s/K %s>>", e.role, document, page, attributes, content))
		if e.link > 0 {
			bodies = append(bodies, fmt.Sprintf("<</Type/StructElem/S/Link/P %d 0 R/Pg %d 0 R/K[%d<</Type/OBJR/Obj %d 0 R/Pg %d 0 R>>]>>",
				own, page, e.mark, annots+e.link-1, page))
			number++
		}
	}
	// A marked content belongs to the innermost element around it.
	parentsOf := w.parents(document + 1)

	annotations := ""
	if len(w.links) > 0 {
		annotations = "/Tabs/S/Annots["
		for i := range w.links {
			annotations += fmt.Sprintf("%d 0 R ", annots+i)
		}
		annotations += "]"
	}
	w.add("<</Type/Page/Parent %d 0 R/MediaBox[0 0 %s %s]/Contents %d 0 R/Resources%s/StructParents 0%s>>",
		pages, num(w.sheet.Width), num(w.sheet.Height), contents, resources.String(), annotations)
	w.add("<</Type/Pages/Kids[%d 0 R]/Count 1>>", page)
	w.add("<</Type/StructTreeRoot/K %d 0 R/ParentTree<</Nums[0[%s]%s]>>/ParentTreeNextKey %d>>", document, parentsOf, links.String(), len(w.links)+1)
	for i, l := range w.links {
		w.add("<</Type/Annot/Subtype/Link/Rect%s/Border[0 0 0]/F 4/StructParent %d/Contents%s/A<</S/URI/URI%s>>>>",
			w.box(l.box), i+1, pdfText(l.address), pdfASCII(l.address))
	}
	w.add("<</Type/StructElem/S/Document/P %d 0 R/K[%s]>>", tree, kids.String())
	for _, b := range bodies {
		w.add("%s", b)
	}
	metadata := w.stream("/Type/Metadata/Subtype/XML", w.xmp())
	date := w.sheet.At.UTC().Format("D:20060102150405Z")
	info := w.add("<</Title%s/Author%s/Producer(Banyan)/CreationDate(%s)/ModDate(%s)>>", pdfText(w.sheet.Title), pdfText(w.sheet.Author), date, date)
	direction := "L2R"
	if w.sheet.RightToLeft {
		direction = "R2L"
	}
	catalog := w.add("<</Type/Catalog/Pages %d 0 R/Lang%s/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R/ViewerPreferences<</DisplayDocTitle true/Direction/%s>>>>",
		pages, pdfText(w.sheet.Lang), tree, metadata, direction)
	return w.file(catalog, info)
}

// parents lists, for each marked content in their order, the number of the element that it belongs to.
func (w *pdf) parents(first int) string {
	var b strings.Builder
	for _, e := range w.elements {
		if e.link > 0 {
			first++ // the link inside
		}
		fmt.Fprintf(&b, "%d 0 R ", first)
		first++
	}
	return b.String()
}

func (w *pdf) file(catalog, info int) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(w.objects))
	for i, o := range w.objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	sum := sha256.Sum256(b.Bytes())
	id := hex.EncodeToString(sum[:16])
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(w.objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n", len(w.objects)+1, catalog, info, id, id, at)
	return b.Bytes()
}

// y turns our heights, which go down, into PDF's.
func (w *pdf) y(v float64) float64 { return w.sheet.Height - v }

func (w *pdf) box(b [4]float64) string {
	return nums("[%s %s %s %s]", b[0], w.y(b[3]), b[2], w.y(b[1]))
}

// mark begins a marked content of an element.
func (w *pdf) mark(e element) {
	e.mark = w.marks
	fmt.Fprintf(&w.content, "/%s<</MCID %d>>BDC\n", e.role, w.marks)
	w.elements = append(w.elements, e)
	w.marks++
}

func (w *pdf) colour(c Colour, op string) {
	v := c.rgb()
	w.content.WriteString(nums("%s %s %s ", v[0], v[1], v[2]) + op + "\n")
}

func (w *pdf) shape(p Shape) {
	w.content.WriteString("/Artifact BMC q\n")
	if p.Opacity > 0 {
		name, known := w.alphas[p.Opacity]
		if !known {
			name = fmt.Sprintf("G%d", len(w.alphas)+1)
			w.alphas[p.Opacity] = name
		}
		w.content.WriteString("/" + name + " gs ")
	}
	op := "n"
	if p.Fill != "" {
		w.colour(p.Fill, "rg")
		op = "f"
	}
	if p.Stroke != "" {
		w.colour(p.Stroke, "RG")
		w.content.WriteString(num(p.Width) + " w\n")
		op = map[bool]string{true: "B", false: "S"}[p.Fill != ""]
	}
	var start typeset.Point
	for _, s := range p.Path {
		switch {
		case s.Curve:
			w.content.WriteString(nums("%s %s %s %s %s %s c\n", s.A.X, w.y(s.A.Y), s.B.X, w.y(s.B.Y), s.To.X, w.y(s.To.Y)))
		case s.Move:
			start = s.To
			w.content.WriteString(nums("%s %s m\n", s.To.X, w.y(s.To.Y)))
		case s.To == start: // so that the last corner is as sharp as the others
			w.content.WriteString("h\n")
		default:
			w.content.WriteString(nums("%s %s l\n", s.To.X, w.y(s.To.Y)))
		}
	}
	w.content.WriteString(op + "\nQ EMC\n")
}

func (w *pdf) figure(p Figure) {
	number, known := w.images[p.Image]
	if !known {
		number = w.image(p.Image)
		w.images[p.Image] = number
		w.names = append(w.names, fmt.Sprintf("/I%d %d 0 R", number, number))
	}
	w.mark(element{role: "Figure", alt: p.Alt, box: [4]float64{p.X, p.Y, p.X + p.W, p.Y + p.H}})
	w.content.WriteString(nums("q %s 0 0 %s %s %s cm ", p.W, p.H, p.X, w.y(p.Y+p.H)) + fmt.Sprintf("/I%d Do Q\nEMC\n", number))
}

func (w *pdf) image(m *Image) int {
	size := fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8", m.W, m.H)
	predictor := func(colours int) string {
		return fmt.Sprintf("/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors %d/Columns %d>>", colours, m.W)
	}
	mask := ""
	if m.alpha != nil {
		mask = fmt.Sprintf("/SMask %d 0 R", w.stream(size+"/ColorSpace/DeviceGray"+predictor(1), m.alpha))
	}
	if m.jpeg != nil {
		return w.stream(size+"/ColorSpace/DeviceRGB/Filter/DCTDecode"+mask, m.jpeg)
	}
	return w.stream(size+"/ColorSpace/DeviceRGB"+predictor(3)+mask, m.rgb)
}

func (w *pdf) matrix(p Matrix) {
	if len(p.Rows) == 0 {
		return
	}
	unit := p.W / float64(len(p.Rows))
	w.mark(element{role: "Figure", alt: p.Alt, box: [4]float64{p.X, p.Y, p.X + p.W, p.Y + p.W}})
	// One unit a square: whole numbers, and no hairlines between neighbours of a row.
	w.content.WriteString(nums("q %s 0 0 %s %s %s cm 0 0 0 rg\n", unit, -unit, p.X, w.y(p.Y)))
	p.runs(func(x, y, n int) { fmt.Fprintf(&w.content, "%d %d %d 1 re\n", x, y, n) })
	w.content.WriteString("f Q\nEMC\n")
}

func (w *pdf) text(p Text) {
	if len(p.Lines) == 0 {
		return
	}
	e := element{role: string(p.Role), lang: p.Lang, actual: p.logical()}
	if p.Link != "" {
		first, last := p.Lines[0], p.Lines[len(p.Lines)-1]
		box := [4]float64{first.X, first.Y - p.Size, first.X + first.Width*p.Size, last.Y + p.Size*0.3}
		for _, l := range p.Lines {
			box[0], box[2] = min(box[0], l.X), max(box[2], l.X+l.Width*p.Size)
		}
		w.links = append(w.links, link{box, p.Link})
		e.link = len(w.links)
	}
	w.mark(e)
	w.content.WriteString("q ")
	w.colour(p.Colour, "rg")
	w.content.WriteString("BT\n")
	for _, l := range p.Lines {
		w.line(p, l)
	}
	w.content.WriteString("ET Q\nEMC\n")
}

// line shows a line. Clusters stand where they were set, to a thousandth of an em.
func (w *pdf) line(p Text, l Line) {
	w.content.WriteString(nums("1 0 0 1 %s %s Tm\n", l.X, w.y(l.Y)))
	pen := 0 // thousandths of an em
	var current *pdfFont
	open := false
	for _, c := range l.Clusters {
		f := w.use(c.Font, p.Setter, l)
		if f != current {
			if open {
				w.content.WriteString("]TJ\n")
			}
			fmt.Fprintf(&w.content, "/%s %s Tf[", f.resource, num(p.Size))
			current, open = f, true
		}
		if move := pen - units(c.X); move != 0 {
			fmt.Fprintf(&w.content, "%d", move)
			pen -= move
		}
		for _, cid := range f.characters(c) {
			fmt.Fprintf(&w.content, "<%04x>", cid)
			pen += units(f.glyphs[cid-1].advance)
		}
	}
	if open {
		w.content.WriteString("]TJ\n")
	}
}

func (w *pdf) use(font *typeset.Font, setter *typeset.Setter, l Line) *pdfFont {
	f := w.fonts[font]
	if f == nil {
		f = &pdfFont{name: font.Name, font: font, setter: setter, cids: map[string]int{}, resource: fmt.Sprintf("F%d", len(w.order)+1)}
		w.fonts[font] = f
		w.order = append(w.order, f)
	}
	f.ascent, f.descent = max(f.ascent, l.Ascent), max(f.descent, l.Descent)
	return f
}

// font writes a subset and what belongs to it.
func (w *pdf) font(f *pdfFont) int {
	data := cff(f.name, f.glyphs)
	sum := sha256.Sum256(data)
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	name := string(tag) + "+" + f.name
	data = cff(name, f.glyphs)
	file := w.packed("/Subtype/CIDFontType0C", data)
	box := [4]int{0, -200, 1000, 800}
	for _, g := range f.glyphs {
		for _, c := range g.curves {
			box[0], box[1] = min(box[0], units(c.To.X)), min(box[1], units(c.To.Y))
			box[2], box[3] = max(box[2], units(c.To.X)), max(box[3], units(c.To.Y))
		}
	}
	descriptor := w.add("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d/CapHeight 700/StemV 80/FontFile3 %d 0 R>>",
		name, box[0], box[1], box[2], box[3], units(f.ascent), -units(f.descent), file)
	var widths strings.Builder
	for _, g := range f.glyphs {
		fmt.Fprintf(&widths, "%d ", units(g.advance))
	}
	descendant := w.add("<</Type/Font/Subtype/CIDFontType0/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R/DW 500/W[1[%s]]>>",
		name, descriptor, widths.String())
	unicode := w.packed("", f.toUnicode())
	return w.add("<</Type/Font/Subtype/Type0/BaseFont/%s-Identity-H/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>", name, descendant, unicode)
}

func (f *pdfFont) toUnicode() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n" +
		"/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000><ffff>\nendcodespacerange\n")
	var lines []string
	for i, text := range f.texts {
		if text != "" {
			lines = append(lines, fmt.Sprintf("<%04x><%s>\n", i+1, utf16Hex(text)))
		}
	}
	for part := range slices.Chunk(lines, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n%sendbfchar\n", len(part), strings.Join(part, ""))
	}
	b.WriteString("endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

func utf16Hex(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04x", u)
	}
	return b.String()
}

// pdfText is a text string.
func pdfText(s string) string { return "<feff" + utf16Hex(s) + ">" }

// pdfASCII is an address: what is not ASCII in it is escaped as addresses are.
func pdfASCII(s string) string {
	var b strings.Builder
	b.WriteByte('(')
	for _, c := range []byte(s) {
		switch {
		case c == '(', c == ')', c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c <= 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(')')
	return b.String()
}

func (w *pdf) xmp() []byte {
	date := w.sheet.At.UTC().Format("2006-01-02T15:04:05Z")
	return []byte(`<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + escape(w.sheet.Title) +
		`</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>` + escape(w.sheet.Author) + `</rdf:li></rdf:Seq></dc:creator><dc:language><rdf:Bag><rdf:li>` + escape(w.sheet.Lang) +
		`</rdf:li></rdf:Bag></dc:language><dc:format>application/pdf</dc:format><pdf:Producer>Banyan</pdf:Producer><xmp:CreateDate>` + date + `</xmp:CreateDate><xmp:ModifyDate>` + date +
		`</xmp:ModifyDate></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`)
}
