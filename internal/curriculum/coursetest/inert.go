package coursetest

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// What stands in a fragment, and which form its values have; nil is any.
var (
	tags  = regexp.MustCompile(`^(h[2-6]|p|ul|ol|li|blockquote|hr|br|em|strong|span|table|thead|tbody|tr|th|td|figcaption|a|pre|code|div|aside|figure|section|details|summary|dfn|dl|dt|dd|img|audio)$`)
	attrs = map[string]*regexp.Regexp{
		"id": regexp.MustCompile(`^(h-|term-)`), "start": nil, "dir": regexp.MustCompile(`^(ltr|rtl|auto)$`), "lang": nil, "tabindex": nil, "class": nil,
		"data-label": regexp.MustCompile(`^block\.[a-z]+$`), "data-seconds": regexp.MustCompile(`^[0-9]{1,12}$`), "data-bytes": regexp.MustCompile(`^[0-9]{1,12}$`), "data-stale": nil, "scope": nil, "title": nil, "rel": nil, "alt": nil, "width": nil, "height": nil,
		"loading": nil, "controls": nil, "preload": nil, "src": regexp.MustCompile(`^/media/[0-9a-f]{64}\.[a-z]+$`),
		"href": regexp.MustCompile(`^(https://|\./[a-z]|#term-[a-z])`),
	}
)

// Inert reads a fragment as a browser does, and fails where something in it could act or does not close.
func Inert(t testing.TB, fragment string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(fragment))
	depth := 0
	for {
		tt := z.Next()
		if tt == html.ErrorToken {
			break
		}
		tok := z.Token()
		switch tt {
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%s in %s", tok, fragment)
		case html.EndTagToken:
			depth--
		case html.StartTagToken:
			if tok.Data != "br" && tok.Data != "hr" && tok.Data != "img" {
				depth++
			}
			if !tags.MatchString(tok.Data) {
				t.Fatalf("element %s in %s", tok.Data, fragment)
			}
			for _, a := range tok.Attr {
				form, known := attrs[a.Key]
				if !known || form != nil && !form.MatchString(a.Val) {
					t.Fatalf("attribute %s=%q in %s", a.Key, a.Val, fragment)
				}
			}
		}
		if depth < 0 {
			t.Fatalf("closes what it did not open: %s", fragment)
		}
	}
	if depth != 0 {
		t.Fatalf("leaves %d elements open: %s", depth, fragment)
	}
}
