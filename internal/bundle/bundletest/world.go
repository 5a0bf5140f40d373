package bundletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Signed signs a document.
func Signed(t testing.TB, kind string, doc any, keys ...signing.Key) bundle.Signed {
	t.Helper()
	s, err := bundle.Sign(kind, doc, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Publisher makes a serial of a publisher.
func Publisher(id string, serial int, previous blob.Digest, keys ...bundle.PublisherKey) bundle.Publisher {
	return bundle.Publisher{
		Type: "publisher", Format: 1, ID: id, Name: map[string]string{"en": "Acacia School", "ar": "مدرسة"},
		Serial: serial, Previous: previous, SignedAt: Day(2*serial - 1), Keys: keys,
	}
}

// Holds announces a key for some days.
func Holds(k signing.Key, from, until int) bundle.PublisherKey {
	return bundle.PublisherKey{Key: k.Multikey(), From: Day(from), Until: Day(until)}
}

// Made is a version as bundles carry it.
type Made struct {
	Tree   *bundle.Tree
	Root   bundle.Root
	Signed bundle.Signed
	Blobs  Memory
}

// Build makes a version and signs it.
func Build(t testing.TB, m Memory, v curriculum.Version, publisher string, at bundle.Time, keys ...signing.Key) Made {
	t.Helper()
	b, err := packing.Build(t.Context(), v, m.Open)
	if err != nil {
		t.Fatal(err)
	}
	out := Made{Blobs: m}
	for _, raw := range b.Manifests {
		m.Put(string(raw))
	}
	b.Root.Publisher, b.Root.SignedAt = publisher, at
	b.Root.Runtimes = map[string]blob.Digest{"exact": blob.Of([]byte("python"))}
	out.Root = b.Root
	out.Signed = Signed(t, "root", b.Root, keys...)
	if out.Tree, err = bundle.Load(t.Context(), out.Signed, m.Open); err != nil {
		t.Fatal(err)
	}
	return out
}

// Frames gives a head and blobs as frames.
func (m Made) Frames(t testing.TB, chain []bundle.Signed, trust *bundle.Signed, sel choice.Selection) []bundle.Frame {
	t.Helper()
	var out []bundle.Frame
	for _, p := range chain {
		out = append(out, bundle.Frame{Kind: bundle.PublisherFrame, Payload: p.Text})
	}
	if trust != nil {
		out = append(out, bundle.Frame{Kind: bundle.TrustFrame, Payload: trust.Text})
	}
	out = append(out, bundle.Frame{Kind: bundle.RootFrame, Payload: m.Signed.Text})
	if trust != nil {
		for _, b := range []string{StatusList, SuspensionList, Endorsement} {
			out = append(out, bundle.Frame{Kind: bundle.BlobFrame, Payload: []byte(b)})
		}
	}
	for _, d := range sel.Blobs(m.Tree, nil) {
		out = append(out, bundle.Frame{Kind: bundle.BlobFrame, Payload: m.Blobs[d]})
	}
	return out
}

// Pack writes frames as a pack.
func Pack(t testing.TB, frames []bundle.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w := bundle.NewWriter(&b)
	for _, f := range frames {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Blobs that the word on issuers names.
const (
	StatusList     = `{"type":["VerifiableCredential","BitstringStatusListCredential"]}`
	SuspensionList = `{"type":["VerifiableCredential","BitstringStatusListCredential"],"suspended":true}`
	Endorsement    = `{"type":["VerifiableCredential","EndorsementCredential"]}`
)

// Everything is the whole of a version.
var Everything = choice.Selection{Locales: []string{"ar", "en"}, Layers: bundle.Layers}

// World is all that the vectors are made of.
type World struct {
	Chain    []bundle.Signed // of the school: serial 1 with key a, serial 2 with a and b
	Without  []bundle.Signed // another serial 2 that leaves a out
	Stranger []bundle.Signed
	Trust    bundle.Signed
	One, Two Made
	Blobs    Memory
}

// NewWorld makes it.
func NewWorld(t testing.TB) World {
	t.Helper()
	w := World{Blobs: Memory{}}
	a, b := Key('a'), Key('b')
	first := Signed(t, "publisher", Publisher(School, 1, "", Holds(a, 1, 20)), a)
	w.Chain = []bundle.Signed{first, Signed(t, "publisher", Publisher(School, 2, first.Digest(), Holds(a, 1, 20), Holds(b, 3, 31)), b, a)}
	w.Without = []bundle.Signed{first, Signed(t, "publisher", Publisher(School, 2, first.Digest(), Holds(b, 3, 31)), b, a)}
	w.Stranger = []bundle.Signed{Signed(t, "publisher", Publisher(Stranger, 1, "", Holds(Key('s'), 1, 31)), Key('s'))}
	retired := Day(3)
	asOf := Day(4)
	w.Trust = Signed(t, "trust", bundle.Trust{Type: "trust", Format: 1, Publisher: School, SignedAt: Day(5), Issuers: []bundle.Issuer{{
		DID: School, Names: map[string]string{"ar": "مدرسة السنط", "en": "Acacia School"}, Country: "EG",
		Keys: []bundle.IssuerKey{
			{Key: Key('i').Multikey(), From: Day(1), Retired: &retired},
			{Key: Key('j').Multikey(), From: Day(3)},
			{Key: Key('k').Multikey(), From: Day(1), Retired: &retired, Revoked: &asOf},
		},
		Lists: []bundle.StatusList{
			{URL: "https://school.example/api/status-lists/1", Digest: w.Blobs.Put(StatusList), Size: int64(len(StatusList))},
			{
				URL: "https://school.example/api/status-lists/2", Purpose: bundle.Suspension, SignedAt: &asOf,
				Digest: w.Blobs.Put(SuspensionList), Size: int64(len(SuspensionList)),
			},
		},
	}}, Recognitions: []bundle.Recognition{{
		ID: "urn:uuid:019a0000-0000-7000-8000-000000000001", By: Stranger, Of: bundle.Recognised{DID: School, Course: "small"},
		As: map[string]string{"en": "Two credits"}, From: Day(2), Until: &retired, Digest: w.Blobs.Put(Endorsement), Size: int64(len(Endorsement)),
	}}}, b)
	w.One = Build(t, w.Blobs, Course(w.Blobs, 1), School, Day(2), a)
	w.Two = Build(t, w.Blobs, Course(w.Blobs, 2), School, Day(5), b)
	return w
}

// OnLine writes a value as documents are written.
func OnLine(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Outcome is the key of a refusal, or "ok".
func Outcome(err error) string {
	var f *fault.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &f):
		return f.Key
	}
	return err.Error()
}
