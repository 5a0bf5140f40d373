package xliff_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/curriculum/xliff"
	"github.com/banyan-lms/banyan/internal/fault"
)

func write(t *testing.T, d xliff.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := xliff.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWrite(t *testing.T) {
	f := &po.File{Name: "locales/fr/m.po", Entries: []po.Entry{
		{
			HasContext: true, Context: "k1abcd", ID: "Run `a < b` and [read on](lesson:two).", Str: []string{"[Lisez](lesson:two) puis `a < b`."},
			Extracted: []string{"Heading"}, References: []string{"lessons/a.md:3"}, Comments: []string{" mine"},
		},
		{HasContext: true, Context: "k2abcd", ID: "Rain\n& wind", Str: []string{"Pluie"}, Flags: []string{"fuzzy"}, Previous: &po.Previous{HasID: true, ID: "Rain"}},
		{HasContext: true, Context: "k3abcd", ID: "Sun", Str: []string{""}},
		{HasContext: true, Context: "k4abcd", ID: "Gone", Str: []string{"Parti"}, Obsolete: true},
	}}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en" trgLang="fr">
 <file id="f1" original="locales/fr/m.po">
  <unit id="u1" name="k1abcd" xml:space="preserve">
   <notes>
    <note category="context">Heading</note>
    <note category="comment">mine</note>
    <note category="place">lessons/a.md:3</note>
   </notes>
   <originalData>
    <data id="d1" xml:space="preserve">` + "`a &lt; b`" + `</data>
    <data id="d2" xml:space="preserve">[</data>
    <data id="d3" xml:space="preserve">](lesson:two)</data>
   </originalData>
   <segment state="reviewed">
    <source xml:space="preserve">Run <ph id="1" dataRef="d1" equiv="` + "`a &lt; b`" + `"/> and <pc id="2" dataRefStart="d2" dataRefEnd="d3" type="link">read on</pc>.</source>
    <target xml:space="preserve"><pc id="2" dataRefStart="d2" dataRefEnd="d3" type="link">Lisez</pc> puis <ph id="1" dataRef="d1" equiv="` + "`a &lt; b`" + `"/>.</target>
   </segment>
  </unit>
  <unit id="u2" name="k2abcd" xml:space="preserve">
   <notes>
    <note category="previous" appliesTo="source">Rain</note>
   </notes>
   <segment state="initial" subState="banyan:stale">
    <source xml:space="preserve">Rain
&amp; wind</source>
    <target xml:space="preserve">Pluie</target>
   </segment>
  </unit>
  <unit id="u3" name="k3abcd" xml:space="preserve">
   <segment state="initial">
    <source xml:space="preserve">Sun</source>
   </segment>
  </unit>
 </file>
</xliff>
`
	if got := string(write(t, xliff.Document{Source: "en", Target: "fr", Files: []xliff.File{{File: f, Done: xliff.Reviewed}}})); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"a", " ", "`x`", "``y`", "[b](lesson:c)", "[", "](", ")", "**", "<b>", "&amp;", "]]>", "\n", "\t", "مرحبا", "\ufffe", "😀", "\"", "[`q`](x)", "\u00a0"}
	text := func() string {
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	for i := range 3000 {
		doc := xliff.Document{Source: "en", Target: "ar"}
		for n := range 1 + r.IntN(2) {
			f := xliff.File{File: &po.File{Name: fmt.Sprint(n, text())}, Done: []xliff.State{xliff.Translated, xliff.Reviewed, xliff.Final}[r.IntN(3)]}
			f.Name = strings.ReplaceAll(f.Name, "\ufffe", "")
			fresh := false
			for j := range r.IntN(4) {
				e := po.Entry{HasContext: true, Context: fmt.Sprintf("k%d", j), ID: "a" + text(), Str: []string{text()}}
				switch {
				case e.Str[0] == "":
				case r.IntN(3) == 0:
					e.Flags = []string{"fuzzy"}
					if r.IntN(2) == 0 {
						e.Previous = &po.Previous{HasID: true, ID: text()}
					}
				default:
					fresh = true
				}
				for range r.IntN(2) {
					e.Extracted = append(e.Extracted, "note "+text())
					e.Comments = append(e.Comments, " word")
					e.References = append(e.References, "lessons/a.md:3")
				}
				f.Entries = append(f.Entries, e)
			}
			if !fresh {
				f.Done = xliff.Final // nothing says otherwise
			}
			doc.Files = append(doc.Files, f)
		}
		data := write(t, doc)
		got, err := xliff.Read("x.xlf", data)
		if err != nil {
			t.Fatalf("%d: %v\n%s", i, err, data)
		}
		for n := range got.Files {
			for j := range got.Files[n].Entries {
				got.Files[n].Entries[j].Line, got.Files[n].Entries[j].StrLine = 0, 0
			}
		}
		if !reflect.DeepEqual(got, doc) {
			t.Fatalf("%d:\n%s\ngot  %+v\nwant %+v", i, data, got.Files[0].File, doc.Files[0].File)
		}
	}
}

const head = `<?xml version="1.0"?><xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en" trgLang="fr">`

// TestReadsOthers reads what tools make of a document: other prefixes, groups, segments, marks, modules.
func TestReadsOthers(t *testing.T) {
	doc, err := xliff.Read("x.xlf", []byte(`<?xml version="1.0" encoding="utf-8"?>
<!-- a tool -->
<x:xliff xmlns:x="urn:oasis:names:tc:xliff:document:2.0" xmlns:m="urn:oasis:names:tc:xliff:matches:2.0" version="2.1" srcLang="en" trgLang="fr">
 <x:file id="f1"><x:skeleton href="a"/><x:group id="g"><x:unit id="k1abcd">
  <m:matches><m:match ref="#1"><x:source>no</x:source><x:target>non</x:target></m:match></m:matches>
  <x:originalData><x:data id="a">**</x:data></x:originalData>
  <x:segment state="final"><x:source>One <x:pc id="1" dataRefStart="a" dataRefEnd="a">two</x:pc>.</x:source><x:target>Un <x:mrk id="m1" type="term"><x:pc id="1" dataRefStart="a" dataRefEnd="a">deux</x:pc></x:mrk>.</x:target></x:segment>
  <x:ignorable><x:source> </x:source></x:ignorable>
  <x:segment><x:source>Three.</x:source><x:target><![CDATA[Trois <3]]>&#233;.</x:target></x:segment>
 </x:unit></x:group>
 <x:unit id="u2" name="k2abcd"><x:segment state="translated"><x:source>a</x:source><x:target>b</x:target></x:segment><x:segment><x:source>c</x:source></x:segment></x:unit>
 </x:file></x:xliff>`))
	if err != nil {
		t.Fatal(err)
	}
	e := doc.Files[0].Entries
	if len(e) != 2 || e[0].Context != "k1abcd" || e[0].ID != "One **two**. Three." || e[0].Str[0] != "Un **deux**. Trois <3é." || e[0].Has("fuzzy") || e[0].Line != 4 {
		t.Errorf("got %+v", e)
	}
	if e[1].Context != "k2abcd" || e[1].ID != "ac" || e[1].Str[0] != "" {
		t.Errorf("half a translation is none: %+v", e[1])
	}
	if doc.Files[0].Done != xliff.Translated || doc.Target != "fr" {
		t.Errorf("got %+v", doc)
	}
}

func TestRefuses(t *testing.T) {
	unit := func(s string) string {
		return head + "\n<file id=\"f\"><unit id=\"u\">" + s + "</unit></file></xliff>"
	}
	tests := []struct{ name, text, want string }{
		{"nothing", "", "1 xliff.not_xliff"},
		{"words", "hello", "1 xliff.not_xliff"},
		{"HTML", "<html></html>", "1 xliff.not_xliff"},
		{"XLIFF 1.2", `<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"></xliff>`, "1 xliff.version"},
		{"a document type", "<!DOCTYPE a [<!ENTITY b \"c\">]>\n" + head + "</xliff>", "1 xliff.doctype"},
		{"an entity", unit("&b;"), "2 xliff.not_xml"},
		{"cut off", head + "\n<file id=\"f\">", "2 xliff.not_xml"},
		{"Latin-1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + head, "1 xliff.charset"},
		{"not UTF-8", unit("\xff"), "2 xliff.not_xml"},
		{"unknown state", unit(`<segment state="done"><source>a</source></segment>`), "2 xliff.state"},
		{"no data", unit(`<segment><source><ph id="1" dataRef="d9"/></source></segment>`), "2 xliff.no_data"},
		{"other order", unit(`<segment><source>a</source><target order="2">b</target></segment>`), "2 xliff.order"},
		{"unknown code", unit(`<segment><source><b>a</b></source></segment>`), "2 xliff.unknown_code"},
		{"bell", unit(`<segment><source><cp hex="0007"/></source></segment>`), "2 po.control_character"},
		{"no code point", unit(`<segment><source><cp hex="zz"/></source></segment>`), "2 xliff.code_point"},
		{"deep", head + strings.Repeat("<group>", 50), "1 xliff.too_deep"},
		{"deep marks", unit("<segment><source>" + strings.Repeat("<mrk>", 50)), "2 xliff.too_deep"},
		{"long", unit("<segment><source>" + strings.Repeat("a", 200<<10) + "</source></segment>"), "2 po.long_text"},
		{"long by reference", unit(`<originalData><data id="d">` + strings.Repeat("a", 60<<10) + `</data></originalData><segment><source>` + strings.Repeat(`<ph id="1" dataRef="d"/>`, 1000) + `</source></segment>`), "2 po.long_text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := xliff.Read("x.xlf", []byte(tt.text))
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid || len(f.Details) != 1 {
				t.Fatalf("got %v", err)
			}
			if got := fmt.Sprintf("%d %s", f.Details[0].Line, f.Details[0].Key); got != tt.want || f.Details[0].File != "x.xlf" {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.xlf")
	for _, name := range names {
		data, _ := os.ReadFile(name)
		f.Add(data)
	}
	f.Add([]byte(head + `<file id="f"><unit id="u"><notes><note category="previous">x</note></notes><originalData><data id="d">` + "`q`" + `</data></originalData><segment state="initial"><source>a<ph id="1" dataRef="d"/><cp hex="fffe"/></source><target>b</target></segment></unit></file></xliff>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := xliff.Read("x.xlf", data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		again, err := xliff.Read("x.xlf", write(t, doc))
		if err != nil {
			t.Fatalf("%v\n%s", err, write(t, doc))
		}
		for i, file := range doc.Files {
			var kept []po.Entry
			for _, e := range file.Entries {
				if e.ID != "" {
					kept = append(kept, e)
				}
			}
			got := again.Files[i].Entries
			if len(got) != len(kept) {
				t.Fatalf("%d entries of %d", len(got), len(kept))
			}
			for j, e := range kept {
				if g := got[j]; g.ID != e.ID || g.Str[0] != e.Str[0] || g.Has("fuzzy") != e.Has("fuzzy") {
					t.Fatalf("got %+v\nwant %+v", g, e)
				}
			}
		}
	})
}
