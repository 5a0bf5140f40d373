package verifier_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"html"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/credential/verifier"
)

// drawn is a PNG of the given chunks, kind and data in turn.
func drawn(parts ...string) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	for i := 0; i < len(parts); i += 2 {
		body := parts[i] + parts[i+1]
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(parts[i+1]))), body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE([]byte(body)))
	}
	return out
}

// A picture is worth what the credential in it is worth. Of the picture itself nothing is passed on: no script, no second credential, no claim.
func TestPictures(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072, 78))
	good := string(sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon))
	revoked := string(sign(t, badge(s.did, s.listURL(), func(d map[string]any) {
		d["credentialStatus"].(map[string]any)["statusListIndex"] = "78"
	}), s.did, s.key, noon))
	forged := strings.Replace(good, "ليلى", "سارة", 1)
	itxt := func(doc string) string { return "openbadgecredential\x00\x00\x00\x00\x00" + doc }
	png := func(chunks ...string) []byte {
		return drawn(append(append([]string{"IHDR", strings.Repeat("\x00", 13)}, chunks...), "IEND", "")...)
	}
	svg := func(inner string) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:o="https://purl.imsglobal.org/ob/v3p0">` + inner + `</svg>`)
	}
	in := func(doc string) string { return "<o:credential>" + html.EscapeString(doc) + "</o:credential>" }
	trap := `<script>alert(1)</script><foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="alert(1)"/></foreignObject><image href="http://127.0.0.1/"/>`
	for _, tt := range []struct {
		name    string
		picture []byte
		want    string
	}{
		{"PNG", png("iTXt", itxt(good)), "valid"},
		{"PNG, revoked", png("iTXt", itxt(revoked)), "revoked revoked"},
		{"PNG, forged", png("iTXt", itxt(forged)), "invalid changed"},
		{"PNG with scripts in other chunks", png("tEXt", "Comment\x00<script>alert(1)</script>", "iTXt", itxt(good), "eXIf", trap), "valid"},
		{"PNG with two", png("iTXt", itxt(revoked), "iTXt", itxt(good)), "invalid not_readable"},
		{"PNG with none", png("tEXt", itxt(good)), "invalid not_readable"},
		{"PNG with something behind it", append(png("iTXt", itxt(good)), good...), "invalid not_readable"},
		{"PNG in a PNG", png("iTXt", itxt(string(png("iTXt", itxt(good))))), "invalid not_readable"},
		{"PNG with a script for a credential", png("iTXt", itxt(trap)), "invalid not_readable"},
		{"PNG with the text of a code", png("iTXt", itxt("BNY1:00")), "invalid not_readable"},
		{"SVG", svg(in(good)), "valid"},
		{"SVG, revoked", svg(in(revoked)), "revoked revoked"},
		{"SVG, forged", svg(in(forged)), "invalid changed"},
		{"SVG with scripts", svg(trap + in(good) + trap), "valid"},
		{"SVG with two", svg(in(revoked) + in(good)), "invalid not_readable"},
		{"SVG with a remark that is one", svg("<!--" + strings.ReplaceAll(in(revoked), "--", "") + "-->" + in(good)), "valid"},
		{"SVG with entities", append([]byte(`<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>`), svg(in(good))...), "invalid not_readable"},
		{"SVG in an SVG in it", svg(in(string(svg(in(good))))), "invalid not_readable"},
		{"a page", []byte("<html><body>" + in(good) + trap + "</body></html>"), "invalid not_readable"},
		{"a page that is a picture too", append(png("iTXt", itxt(good)), trap...), "invalid not_readable"},
	} {
		r := newAsker(s).ask(t, tt.picture, verifier.Options{})
		if why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
		if r.State == verifier.Valid && string(r.Document) != good || bytes.Contains(r.Document, []byte("<script")) || strings.Contains(r.Claims.Name+r.Claims.Achievement, "<") {
			t.Errorf("%s: %s %+v", tt.name, r.Document, r.Claims)
		}
		carried, err := verifier.Read(tt.picture)
		if (err == nil) != (tt.want != "invalid not_readable") || bytes.Contains(carried.Document, []byte("<script")) {
			t.Errorf("%s is read as %q, %v", tt.name, carried.Document, err)
		}
	}
}
