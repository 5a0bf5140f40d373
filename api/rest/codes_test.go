package rest_test

import (
	"bytes"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/credential/code"
)

// Airplane mode, from end to end: the code that one gets here holds by what /api/trust says, and nothing else.
func TestCodesAndTrust(t *testing.T) {
	s := newSchool(t)
	none := s.do(call{method: http.MethodGet, path: "/api/trust"})
	if none.Code != http.StatusNoContent {
		t.Errorf("nobody issues yet: %d %s", none.Code, none.Body)
	}
	e := s.enroll("learner A")
	s.finish(e)
	cs, err := s.app.Credential.ListOwn(t.Context(), s.actor("learner A"), "", 1)
	if err != nil || len(cs) != 1 {
		t.Fatalf("no credential: %v", err)
	}
	path := "/api/credentials/" + string(cs[0].ID) + "/code"
	get := func(path string) string {
		t.Helper()
		rec := s.do(call{method: http.MethodGet, path: path})
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
		}
		return rec.Body.String()
	}
	trust := s.do(call{method: http.MethodGet, path: "/api/trust"})
	words, err := intake.ReadWords(bundle.NewReader(trust.Body), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil })
	if err != nil {
		t.Fatal(err)
	}
	keys := func(kid code.KID) (found []code.Key) {
		for _, w := range words.Words {
			for _, i := range w.Trust.Issuers {
				for _, k := range i.Keys {
					if code.KIDOf(k.Key) == kid {
						found = append(found, code.Key{Issuer: i.DID, Multikey: k.Key, From: k.From.Time})
					}
				}
			}
		}
		return found
	}
	text := get(path + ".txt")
	v, err := code.Verify(text, keys)
	if err != nil || v.Name != cs[0].Name || v.ID != string(cs[0].ID) {
		t.Fatalf("%+v, %v", v, err)
	}
	found := false
	for _, i := range words.Issuer(v.Issuer) {
		for _, l := range i.Lists {
			if v.Revocation.List.Names(l.URL) {
				_, doc, ok := words.List(l.URL)
				found = ok && bytes.Contains(doc, []byte("BitstringStatusList")) && l.SignedAt != nil
			}
		}
	}
	if !found {
		t.Errorf("the word has no list for %+v: %+v", v.Revocation, words.Issuer(v.Issuer))
	}
	if v, err := code.Verify(get(path+".txt?name=0"), keys); err != nil || v.Name != "" {
		t.Errorf("without the name: %+v, %v", v, err)
	}
	if text != get(path+".txt?name=1") {
		t.Error("asked twice, another code")
	}
	modules, err := code.Draw(text)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(strings.NewReader(get(path + ".png")))
	if err != nil || img.Bounds().Dx() != (len(modules)+8)*8 {
		t.Errorf("picture: %v", err)
	}
	if svg := get(path + ".svg?name=0"); !strings.HasPrefix(svg, "<svg ") || strings.Contains(svg, "script") {
		t.Errorf("drawing: %.80s", svg)
	}
	for _, wrong := range []string{path + ".txt?name=2", path + ".png?name=x"} {
		if rec := s.do(call{method: http.MethodGet, path: wrong}); rec.Code != http.StatusBadRequest && rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", wrong, rec.Code)
		}
	}

	tag := trust.Header().Get("ETag")
	same := s.do(call{method: http.MethodGet, path: "/api/trust", header: map[string]string{"If-None-Match": tag}})
	if tag == "" || same.Code != http.StatusNotModified || same.Body.Len() != 0 {
		t.Errorf("unchanged: %s %d, %d bytes", tag, same.Code, same.Body.Len())
	}
	s.mustDo(s.as("issuer A", call{method: http.MethodPut, path: "/api/credentials/" + string(cs[0].ID) + "/revocation", body: `{"reason":"copied"}`}))
	changed := s.do(call{method: http.MethodGet, path: "/api/trust", header: map[string]string{"If-None-Match": tag}})
	if changed.Code != http.StatusOK || changed.Header().Get("ETag") == tag {
		t.Errorf("after a revocation: %d", changed.Code)
	}
}
