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
	"strings"
	"testing"

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
		{"many chunks", file(bytes.Repeat(part("tEXt", nil), 10_000)), bake.ErrPicture},
	}
	for _, tt := range tests {
		got, err := bake.ReadPNG(tt.file)
		if !errors.Is(err, tt.want) || err == nil && string(got) != "{}" {
			t.Errorf("%s: %.40q, %v", tt.name, got, err)
		}
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

func FuzzReadSVG(f *testing.F) {
	f.Add(bakeSVG(f))
	f.Add([]byte(svgHead + `<openbadges:credential verify="ey.a.b"/></svg>`))
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
