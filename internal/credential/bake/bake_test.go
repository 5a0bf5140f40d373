package bake_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"image/png"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential/bake"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

var drawer = &bake.Drawer{Fonts: &typeset.Library{}}

const credential = `{"name":"x ]]> & <b> \" \u0000 ليلى","proof":[]}`

func badge() bake.Badge {
	return bake.Badge{Achievement: "Literacy <in> & \"AI\" for everyday life", Issuer: "Oasis school", Locale: "en", Seed: "did:web:oasis.example"}
}

func bakePNG(t testing.TB) []byte {
	t.Helper()
	out, err := drawer.PNG(badge(), []byte(credential))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func bakeSVG(t testing.TB) []byte {
	t.Helper()
	out, err := drawer.SVG(badge(), []byte(credential))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	p := bakePNG(t)
	if got, err := bake.ReadPNG(p); err != nil || string(got) != credential {
		t.Errorf("PNG: %s, %v", got, err)
	}
	img, err := png.Decode(bytes.NewReader(p))
	if err != nil || img.Bounds().Dx() != 512 {
		t.Errorf("others read the picture: %v", err)
	}
	s := bakeSVG(t)
	if got, err := bake.ReadSVG(s); err != nil || string(got) != credential {
		t.Errorf("SVG: %s, %v", got, err)
	}
	for _, never := range []string{"<script", "<style", "style=", "href", "url(", "<foreignObject", "<image", " on"} {
		if strings.Contains(strings.ReplaceAll(string(s), credential, ""), never) {
			t.Errorf("our own SVG has %q", never)
		}
	}
	if len(p) > 100<<10 || len(s) > 100<<10 {
		t.Errorf("%d and %d bytes", len(p), len(s))
	}
}

// Every language's names stand on the badge.
func TestLanguages(t *testing.T) {
	dir := os.Getenv("BAKE_LOOK") // a folder, to look at them
	seen := map[string]bool{}
	for locale, b := range map[string]bake.Badge{
		"en": badge(),
		"ar": {Achievement: "أساسيات الذكاء الاصطناعي في الحياة اليومية", Issuer: "مدرسة الواحة", Seed: "a"},
		"hi": {Achievement: "रोज़मर्रा के जीवन में कृत्रिम बुद्धिमत्ता", Issuer: "ओएसिस विद्यालय", Seed: "b"},
		"zh": {Achievement: "日常生活中的人工智能素养", Issuer: "绿洲学校", Seed: "c"},
		"ru": {Achievement: "Искусственный интеллект в повседневной жизни: основы для учителей начальной школы", Issuer: "Школа Оазис", Seed: "d"},
		"sw": {Achievement: "Akili bandia", Issuer: strings.Repeat("Shule ya Oasis ", 12), Seed: "e"},
		"xx": {},
		"yy": {Achievement: strings.Repeat("W", 5000), Issuer: "\x00\xff\ufffe", Seed: "f"},
		"zz": {Achievement: "\U0001F600 \U00012000", Issuer: "x", Seed: "g"},
	} {
		b.Locale = locale
		p, err := drawer.PNG(b, []byte(credential))
		if err != nil {
			t.Fatalf("%s: %v", locale, err)
		}
		s, err := drawer.SVG(b, []byte(credential))
		if err != nil {
			t.Fatalf("%s: %v", locale, err)
		}
		if _, err := bake.ReadSVG(s); err != nil {
			t.Errorf("%s: %v", locale, err)
		}
		if seen[string(p)] {
			t.Errorf("%s looks like another one", locale)
		}
		seen[string(p)] = true
		if dir != "" {
			_ = os.WriteFile(dir+"/"+locale+".png", p, 0o600)
			_ = os.WriteFile(dir+"/"+locale+".svg", s, 0o600)
		}
	}
}

// part writes a chunk.
func part(kind string, data []byte) []byte {
	body := append([]byte(kind), data...)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	return binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
}

func file(parts ...[]byte) []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Join(parts, nil)...)
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

func TestHostilePNG(t *testing.T) {
	head, end := part("IHDR", make([]byte, 13)), part("IEND", nil)
	text := func(data string) []byte { return part("iTXt", []byte("openbadgecredential\x00"+data)) }
	plain := text("\x00\x00en\x00\x00{}")
	wrong := bytes.Clone(plain)
	wrong[len(wrong)-1] ^= 1
	spoilt := deflate([]byte("{}"))
	spoilt[len(spoilt)-1] ^= 1
	tests := []struct {
		name string
		file []byte
		want error
	}{
		{"plain", file(head, plain, end), nil},
		{"packed", file(head, text("\x01\x00\x00\x00"+string(deflate([]byte("{}")))), end), nil},
		{"other texts", file(head, part("iTXt", []byte("Comment\x00\x00\x00\x00\x00x")), part("tEXt", []byte("openbadgecredential\x00x")), end), bake.ErrNone},
		{"none", file(head, end), bake.ErrNone},
		{"two", file(head, plain, plain, end), bake.ErrTwo},
		{"check sum", file(head, wrong, end), bake.ErrPicture},
		{"a bomb", file(head, text("\x01\x00\x00\x00"+string(deflate(make([]byte, 64<<20)))), end), bake.ErrPicture},
		{"broken packing", file(head, text("\x01\x00\x00\x00xx"), end), bake.ErrPicture},
		{"unknown packing", file(head, text("\x02\x00\x00\x00{}"), end), bake.ErrPicture},
		{"unknown method", file(head, text("\x00\x01\x00\x00{}"), end), bake.ErrPicture},
		{"nothing in it", file(head, text("\x00\x00\x00\x00"), end), bake.ErrPicture},
		{"cut text", file(head, text("\x00"), end), bake.ErrPicture},
		{"no keyword's end", file(head, part("iTXt", []byte("openbadgecredential")), end), bake.ErrPicture},
		{"not UTF-8", file(head, text("\x00\x00\x00\x00\xff"), end), bake.ErrPicture},
		{"too long", file(head, text("\x00\x00\x00\x00"+strings.Repeat("x", bake.MaxCredential+1)), end), bake.ErrPicture},
		{"length beyond the end", file(head, []byte("\xff\xff\xff\xffiTXtxxxx")), bake.ErrPicture},
		{"no end", file(head, plain), bake.ErrPicture},
		{"no beginning", file(plain, end), bake.ErrPicture},
		{"something after the end", append(file(head, plain, end), 'x'), bake.ErrPicture},
		{"a second picture", append(file(head, end), file(head, plain, end)...), bake.ErrPicture},
		{"only the signature", file(), bake.ErrPicture},
		{"nothing", nil, bake.ErrPicture},
		{"two, one packed", file(head, plain, text("\x01\x00\x00\x00"+string(deflate([]byte("{}")))), end), bake.ErrTwo},
		{"two, one broken", file(head, plain, text("\x00"), end), bake.ErrPicture},
		{"one behind the picture", file(head, part("IDAT", deflate([]byte{0})), plain, end), nil},
		{"one among the frames of a film", file(head, part("acTL", make([]byte, 8)), part("fcTL", make([]byte, 26)), part("IDAT", deflate([]byte{0})), plain, part("fdAT", make([]byte, 30)), end), nil},
		{"two among the frames of a film", file(head, part("acTL", make([]byte, 8)), plain, part("fdAT", plain), plain, end), bake.ErrTwo},
		{"one within a frame", file(head, part("acTL", make([]byte, 8)), part("fdAT", plain), part("IDAT", plain), end), bake.ErrNone},
		{"bombs in chunks that nobody reads", file(head, part("zTXt", append([]byte("openbadgecredential\x00\x00"), deflate(make([]byte, 16<<20))...)), part("iCCP", append([]byte("x\x00\x00"), deflate(make([]byte, 16<<20))...)), part("IDAT", deflate(make([]byte, 16<<20))), end), bake.ErrNone},
		{"scripts in other texts", file(head, part("tEXt", []byte("Comment\x00<script>alert(1)</script>")), plain, part("iTXt", []byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00<script/>")), end), nil},
		{"a keyword in capitals", file(head, part("iTXt", []byte("OpenBadgeCredential\x00\x00\x00\x00\x00{}")), end), bake.ErrNone},
		{"a longer keyword", file(head, part("iTXt", []byte("openbadgecredential2\x00\x00\x00\x00\x00{}")), end), bake.ErrNone},
		{"a keyword after a zero", file(head, part("iTXt", []byte("\x00openbadgecredential\x00\x00\x00\x00\x00{}")), end), bake.ErrNone},
		{"a kind in capitals", file(head, part("ITXT", []byte("openbadgecredential\x00\x00\x00\x00\x00{}")), end), bake.ErrNone},
		{"a dictionary that is not there", file(head, text("\x01\x00\x00\x00\x78\xbb\x00\x00\x00\x01\x03\x00"), end), bake.ErrPicture},
		{"a check sum of packing", file(head, text("\x01\x00\x00\x00"+string(spoilt)), end), bake.ErrPicture},
		{"something behind the packing", file(head, text("\x01\x00\x00\x00"+string(deflate([]byte("{}")))+"{}"), end), bake.ErrPicture},
		{"packing cut short", file(head, text("\x01\x00\x00\x00"+string(deflate([]byte("{}")))[:7]), end), bake.ErrPicture},
		{"another length", file(head, append([]byte{0, 0, 0, 1}, plain[4:]...), end), bake.ErrPicture},
		{"no room for a check sum", append(file(head), 0, 0, 0, 0, 'I', 'E', 'N', 'D'), bake.ErrPicture},
		{"two ends", file(head, plain, end, end), bake.ErrPicture},
		{"many chunks", file(bytes.Repeat(part("tEXt", nil), 10_000)), bake.ErrPicture},
	}
	for _, tt := range tests {
		got, err := bake.ReadPNG(tt.file)
		if !errors.Is(err, tt.want) || err == nil && string(got) != "{}" {
			t.Errorf("%s: %.40q, %v", tt.name, got, err)
		}
	}
	// What is refused for its size costs no more than what is taken.
	bomb := file(head, text("\x01\x00\x00\x00"+string(deflate(make([]byte, 64<<20)))), end)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = bake.ReadPNG(bomb)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("a bomb took %d bytes", grown)
	}
	// Each byte counts: what is changed is refused, or it is not in the credential and its check sum tells.
	whole := bakePNG(t)
	for i := 0; i < len(whole); i += 1 + i/400 {
		changed := bytes.Clone(whole)
		changed[i] ^= 0x20
		if got, err := bake.ReadPNG(changed); err == nil {
			t.Fatalf("byte %d: %q", i, got)
		}
	}
}

const svgHead = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0">`

func TestHostileSVG(t *testing.T) {
	tests := []struct {
		name, file string
		want       error
		text       string
	}{
		{"plain", svgHead + `<openbadges:credential><![CDATA[{"a":"<&"}]]></openbadges:credential></svg>`, nil, `{"a":"<&"}`},
		{"a JWT", `<?xml version="1.0" encoding="UTF-8"?>` + svgHead + `<openbadges:credential verify="ey.a.b"></openbadges:credential></svg>`, nil, "ey.a.b"},
		{"another prefix", `<svg xmlns="http://www.w3.org/2000/svg" xmlns:b="https://purl.imsglobal.org/ob/v3p0"><b:credential> {} </b:credential></svg>`, nil, "{}"},
		{"scripts are left where they are", svgHead + `<script>alert(1)</script><rect onload="alert(1)"/><openbadges:credential>{}</openbadges:credential></svg>`, nil, "{}"},
		{"a picture full of traps", `<?xml version="1.0"?><?xml-stylesheet href="https://evil.example/x.xsl" type="text/xsl"?>` + svgHead + `<style>@import url("https://evil.example/x.css");</style><foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="alert(1)">` +
			`<iframe src="javascript:alert(1)"/></body></foreignObject><a href="javascript:alert(1)"><image href="data:text/html,&lt;script&gt;alert(1)&lt;/script&gt;"/></a><animate attributeName="href" to="javascript:alert(1)"/>` +
			`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/><use href="https://evil.example/x.svg#a"/><set onbegin="alert(1)"/><openbadges:credential>{}</openbadges:credential></svg>`, nil, "{}"},
		{"in a picture in the picture", svgHead + `<svg><metadata><openbadges:credential>{}</openbadges:credential></metadata></svg></svg>`, nil, "{}"},
		{"one in each of two pictures", svgHead + `<openbadges:credential>{}</openbadges:credential><svg><openbadges:credential verify="a.b.c"/></svg></svg>`, bake.ErrTwo, ""},
		{"one in the other", svgHead + `<openbadges:credential><openbadges:credential>{}</openbadges:credential></openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"one in a comment", svgHead + `<!-- <openbadges:credential>{}</openbadges:credential> --></svg>`, bake.ErrNone, ""},
		{"one in a text", svgHead + `<text><![CDATA[<openbadges:credential>{}</openbadges:credential>]]></text></svg>`, bake.ErrNone, ""},
		{"one in an instruction", svgHead + `<?x <openbadges:credential>{}</openbadges:credential> ?></svg>`, bake.ErrNone, ""},
		{"a comment in it", svgHead + `<openbadges:credential>{<!-- "a":1 -->}</openbadges:credential></svg>`, nil, "{}"},
		{"a script in it", svgHead + `<openbadges:credential><script>alert(1)</script></openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"letters by their numbers", svgHead + `<openbadges:credential>&#123;&#x7d;</openbadges:credential></svg>`, nil, "{}"},
		{"a letter that XML has not", svgHead + `<openbadges:credential>&#0;</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"a token twice", svgHead + `<openbadges:credential verify="a.b.c" verify="d.e.f"/></svg>`, bake.ErrPicture, ""},
		{"a token of another namespace", svgHead + `<openbadges:credential openbadges:verify="a.b.c"/></svg>`, bake.ErrPicture, ""},
		{"a prefix that is bound anew", svgHead + `<g xmlns:openbadges="https://evil.example"><openbadges:credential>{}</openbadges:credential></g></svg>`, bake.ErrNone, ""},
		{"laughs", `<!DOCTYPE svg [<!ENTITY a "ha">` + strings.Repeat(`<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">`, 20) + `]>` + svgHead + `<openbadges:credential>&b;</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"a document type within", svgHead + `<!DOCTYPE svg [<!ENTITY a "x">]><openbadges:credential>&a;</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"an outer document type", `<!DOCTYPE svg SYSTEM "http://127.0.0.1/x.dtd">` + svgHead + `<openbadges:credential>{}</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"parameter entities", `<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://127.0.0.1/"> %a;]>` + svgHead + `</svg>`, bake.ErrPicture, ""},
		{"XML of another version", `<?xml version="1.1"?>` + svgHead + `<openbadges:credential>{}</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"Latin letters of one byte", `<?xml version="1.0" encoding="ISO-8859-1"?>` + svgHead + `<openbadges:credential>{}</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"a second picture", svgHead + `<openbadges:credential>{}</openbadges:credential></svg>` + svgHead + `</svg>`, bake.ErrPicture, ""},
		{"text behind it", svgHead + `<openbadges:credential>{}</openbadges:credential></svg>{}`, bake.ErrPicture, ""},
		{"text before it", "<?xml version=\"1.0\"?>{}" + svgHead + `<openbadges:credential>{}</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"remarks around it", "<?xml version=\"1.0\"?> <!-- a -->\n" + svgHead + `<openbadges:credential>{}</openbadges:credential></svg>` + "\n<!-- b --><?c?> ", nil, "{}"},
		{"none", svgHead + `</svg>`, bake.ErrNone, ""},
		{"another namespace", `<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://evil.example"><openbadges:credential>{}</openbadges:credential></svg>`, bake.ErrNone, ""},
		{"no namespace", `<svg xmlns="http://www.w3.org/2000/svg"><openbadges:credential>{}</openbadges:credential></svg>`, bake.ErrNone, ""},
		{"two", svgHead + `<openbadges:credential>{}</openbadges:credential><openbadges:credential>{}</openbadges:credential></svg>`, bake.ErrTwo, ""},
		{"both", svgHead + `<openbadges:credential verify="a.b.c">{}</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"neither", svgHead + `<openbadges:credential/></svg>`, bake.ErrPicture, ""},
		{"elements inside", svgHead + `<openbadges:credential>{<a/>}</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"entities", `<!DOCTYPE svg [<!ENTITY a "x">]>` + svgHead + `<openbadges:credential>&a;</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"external entities", `<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + svgHead + `</svg>`, bake.ErrPicture, ""},
		{"an unknown entity", svgHead + `<openbadges:credential>&a;</openbadges:credential></svg>`, bake.ErrPicture, ""},
		{"another encoding", `<?xml version="1.0" encoding="UTF-16"?>` + svgHead + `</svg>`, bake.ErrPicture, ""},
		{"not UTF-8", svgHead + "\xff</svg>", bake.ErrPicture, ""},
		{"html", `<html><body>hello</body></html>`, bake.ErrPicture, ""},
		{"open", svgHead + `<openbadges:credential>{}`, bake.ErrPicture, ""},
		{"crossed", svgHead + `<a></svg></a>`, bake.ErrPicture, ""},
		{"deep", svgHead + strings.Repeat("<g>", 100_000), bake.ErrPicture, ""},
		{"wide", svgHead + strings.Repeat("<g/>", 30_000) + "</svg>", bake.ErrPicture, ""},
		{"many attributes", svgHead + "<g" + strings.Repeat(` a="b"`, 300) + "/></svg>", bake.ErrPicture, ""},
		{"nothing", "", bake.ErrPicture, ""},
		{"a comment", "<!-- -->", bake.ErrPicture, ""},
		{"too long", svgHead + `<openbadges:credential>` + strings.Repeat("x", bake.MaxCredential+1) + `</openbadges:credential></svg>`, bake.ErrPicture, ""},
	}
	for _, tt := range tests {
		got, err := bake.ReadSVG([]byte(tt.file))
		if !errors.Is(err, tt.want) || string(got) != tt.text {
			t.Errorf("%s: %.40q, %v", tt.name, got, err)
		}
	}
}

// What is baked is well-formed for others too.
func TestSVGIsXML(t *testing.T) {
	d := xml.NewDecoder(bytes.NewReader(bakeSVG(t)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	for _, c := range [][]byte{nil, make([]byte, bake.MaxCredential+1), {0xff}} {
		if _, err := drawer.PNG(badge(), c); err == nil {
			t.Error("baked into PNG")
		}
		if _, err := drawer.SVG(badge(), c); err == nil {
			t.Error("baked into SVG")
		}
	}
}

func FuzzReadPNG(f *testing.F) {
	f.Add(bakePNG(f))
	f.Add(file(part("IHDR", make([]byte, 13)), part("iTXt", []byte("openbadgecredential\x00\x01\x00\x00\x00"+string(deflate([]byte("{}"))))), part("IEND", nil)))
	f.Fuzz(func(t *testing.T, in []byte) {
		if got, err := bake.ReadPNG(in); err == nil && (len(got) == 0 || len(got) > bake.MaxCredential) {
			t.Errorf("%d bytes", len(got))
		}
	})
}

// The check sums are right here, so that what is tried is what stands behind them.
func FuzzChunk(f *testing.F) {
	packed := string(deflate([]byte("{}")))
	for _, data := range []string{"\x00\x00en\x00\x00{}", "\x01\x00\x00\x00" + packed, "\x01\x00\x00\x00" + packed[:5], "\x01\x00\x00\x00\x78\xbb\x00\x00\x00\x01\x03\x00", "\x02\x00\x00\x00{}", "\x00"} {
		f.Add("iTXt", []byte("openbadgecredential\x00"+data))
	}
	f.Add("iTXt", []byte("openbadgecredential"))
	f.Add("tEXt", []byte("openbadgecredential\x00{}"))
	f.Add("IEND", []byte{})
	f.Add("IHDR", make([]byte, 13))
	head, end := part("IHDR", make([]byte, 13)), part("IEND", nil)
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		if len(kind) != 4 {
			return
		}
		got, err := bake.ReadPNG(file(head, part(kind, data), end))
		if err == nil && (kind != "iTXt" || len(got) == 0 || len(got) > bake.MaxCredential || !utf8.Valid(got)) {
			t.Errorf("%s of %d bytes", kind, len(got))
		}
		if _, twice := bake.ReadPNG(file(head, part(kind, data), part(kind, data), end)); err == nil && !errors.Is(twice, bake.ErrTwo) {
			t.Errorf("twice: %v", twice)
		}
	})
}

func FuzzReadSVG(f *testing.F) {
	f.Add(bakeSVG(f))
	f.Add([]byte(svgHead + `<openbadges:credential verify="ey.a.b"/></svg>`))
	f.Add([]byte(`<?xml version="1.0" encoding="UTF-8"?><!-- x -->` + svgHead + `<g><openbadges:credential a="b" verify="x">&#123;<![CDATA[}]]></openbadges:credential></g></svg>`))
	f.Add([]byte(`<!DOCTYPE svg [<!ENTITY a "x">]>` + svgHead + `<openbadges:credential>&a;</openbadges:credential></svg>`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if got, err := bake.ReadSVG(in); err == nil && (len(got) == 0 || len(got) > 2*bake.MaxCredential) {
			t.Errorf("%d bytes", len(got))
		}
	})
}

func BenchmarkPNG(b *testing.B) {
	for b.Loop() {
		bakePNG(b)
	}
}
