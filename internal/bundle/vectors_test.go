package bundle_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/signing"
)

var update = flag.Bool("update", false, "write internal/bundle/testdata anew")

const (
	school   = "did:web:school.example:institutions:acacia"
	stranger = "did:web:other.example:institutions:thorn"
)

// key makes the same key of the same letter.
func key(letter byte) signing.Key {
	k, err := signing.Generate(bytes.NewReader(bytes.Repeat([]byte{letter}, 32)))
	if err != nil {
		panic(err)
	}
	return k
}

func day(n int) bundle.Time {
	return bundle.At(time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC))
}

// memory is a store of blobs.
type memory map[blob.Digest][]byte

func (m memory) put(data string) blob.Digest {
	d := blob.Of([]byte(data))
	m[d] = []byte(data)
	return d
}

func (m memory) open(_ context.Context, d blob.Digest) ([]byte, error) {
	if data, ok := m[d]; ok {
		return data, nil
	}
	return nil, fault.New(fault.NotFound, "blob.not_found")
}

// course makes a small course of two modules in English and Arabic. Its second number changes one lesson, moves the quiz, drops the
// lab, adds a lesson and names the course anew.
func course(m memory, number int) curriculum.Version {
	same := func(s string) curriculum.Text { return curriculum.Text{"en": s, "ar": "ع " + s} }
	picture := m.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>`)
	lesson := func(id, words string, shown ...blob.Digest) curriculum.Item {
		it := curriculum.Item{
			ID: curriculum.ContentID(id), Kind: curriculum.Lesson, Title: same("Lesson " + id), Fragment: map[string]blob.Digest{},
			Words: map[string]int{"en": 12, "ar": 11}, Media: map[string][]blob.Digest{}, Competences: []string{"unesco.cfs.1"},
			Translations: map[string]curriculum.Translation{"ar": {Fresh: 3, State: "reviewed"}},
		}
		for l, text := range map[string]string{"en": words, "ar": "كلمات " + words} {
			html := "<h1>" + it.Title[l] + "</h1>\n<p>" + text + "</p>\n"
			for _, d := range shown {
				html += `<img src="/media/` + d.Hex() + `.svg" alt="">` + "\n"
				it.Media[l] = append(it.Media[l], d)
			}
			it.Fragment[l] = m.put(html)
		}
		return it
	}
	quiz := curriculum.Item{ID: "check", Kind: curriculum.Quiz, Graded: true, Title: same("Check"), Data: map[string]blob.Digest{
		"en": m.put(`{"questions":[{"id":"q1","prompt":"Which?"}]}`), "ar": m.put(`{"questions":[{"id":"q1","prompt":"أيها؟"}]}`),
	}}
	lab := curriculum.Item{ID: "try", Kind: curriculum.Lab, Title: same("Try"), TitleLang: curriculum.Langs{"ar": "en"}, Fragment: map[string]blob.Digest{
		"en": m.put("<p>Do it.</p>"), "ar": m.put("<p dir=\"rtl\">افعل.</p>"),
	}, Data: map[string]blob.Digest{"en": m.put(`{"files":[]}`), "ar": m.put(`{"files":[]}`)}}
	one := curriculum.Module{ID: "m1", Title: same("First"), Items: []curriculum.Item{lesson("what-it-is", "A machine that learns."), quiz}}
	two := curriculum.Module{ID: "m2", Title: same("Second"), Items: []curriculum.Item{lesson("seeing", "Look at this.", picture), lab}}
	title := "Small"
	if number > 1 {
		one.Items[0] = lesson("what-it-is", "A machine that learns from examples.")
		one.Items = one.Items[:1]
		two.Items = []curriculum.Item{two.Items[0], quiz, lesson("new-one", "Something new.")}
		title = "Small, but better"
	}
	return curriculum.Version{
		CourseID: "small", Number: number, Digest: blob.Of([]byte{byte(number)}), PublishedAt: day(2 * number).Time,
		Manifest: curriculum.Manifest{
			CourseID: "small", Title: same(title), Summary: same("A small course <for> tests & readers."), SourceLocale: "en", Locales: []string{"ar", "en"},
			Licence: "CC-BY-SA-4.0", Authors: []string{"Amina", "أمينة"}, Minutes: 15, Modules: []curriculum.Module{one, two},
			Criteria:    curriculum.Criteria{Lessons: true, Quizzes: 0.8},
			Achievement: curriculum.Achievement{Name: same("Small"), Description: same("D"), Narrative: same("N"), Competences: []string{"unesco.cfs.1"}},
		},
	}
}

func signed(t testing.TB, kind string, doc any, keys ...signing.Key) bundle.Signed {
	t.Helper()
	s, err := bundle.Sign(kind, doc, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publisher(id string, serial int, previous blob.Digest, keys ...bundle.PublisherKey) bundle.Publisher {
	return bundle.Publisher{
		Type: "publisher", Format: 1, ID: id, Name: map[string]string{"en": "Acacia School", "ar": "مدرسة"},
		Serial: serial, Previous: previous, SignedAt: day(2*serial - 1), Keys: keys,
	}
}

func holds(k signing.Key, from, until int) bundle.PublisherKey {
	return bundle.PublisherKey{Key: k.Multikey(), From: day(from), Until: day(until)}
}

// made is a version as bundles carry it.
type made struct {
	tree     *bundle.Tree
	root     bundle.Root
	signed   bundle.Signed
	blobs    memory
	manifest map[blob.Digest]bool
}

func build(t testing.TB, m memory, v curriculum.Version, publisher string, at bundle.Time, keys ...signing.Key) made {
	t.Helper()
	b, err := bundle.Build(t.Context(), v, m.open)
	if err != nil {
		t.Fatal(err)
	}
	out := made{blobs: m, manifest: map[blob.Digest]bool{}}
	for _, raw := range b.Manifests {
		out.manifest[m.put(string(raw))] = true
	}
	b.Root.Publisher, b.Root.SignedAt = publisher, at
	b.Root.Runtimes = map[string]blob.Digest{"exact": blob.Of([]byte("python"))}
	out.root = b.Root
	out.signed = signed(t, "root", b.Root, keys...)
	if out.tree, err = bundle.Load(t.Context(), out.signed, m.open); err != nil {
		t.Fatal(err)
	}
	return out
}

// frames gives a head and blobs as frames.
func (m made) frames(t testing.TB, chain []bundle.Signed, trust *bundle.Signed, sel bundle.Selection) []bundle.Frame {
	t.Helper()
	var out []bundle.Frame
	for _, p := range chain {
		out = append(out, bundle.Frame{Kind: bundle.PublisherFrame, Payload: p.Text})
	}
	if trust != nil {
		out = append(out, bundle.Frame{Kind: bundle.TrustFrame, Payload: trust.Text})
	}
	out = append(out, bundle.Frame{Kind: bundle.RootFrame, Payload: m.signed.Text})
	if trust != nil {
		for _, b := range []string{statusList, suspensionList, endorsement} {
			out = append(out, bundle.Frame{Kind: bundle.BlobFrame, Payload: []byte(b)})
		}
	}
	for _, d := range sel.Blobs(m.tree, nil) {
		out = append(out, bundle.Frame{Kind: bundle.BlobFrame, Payload: m.blobs[d]})
	}
	return out
}

func pack(t testing.TB, frames []bundle.Frame) []byte {
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

const (
	statusList     = `{"type":["VerifiableCredential","BitstringStatusListCredential"]}`
	suspensionList = `{"type":["VerifiableCredential","BitstringStatusListCredential"],"suspended":true}`
	endorsement    = `{"type":["VerifiableCredential","EndorsementCredential"]}`
)

var everything = bundle.Selection{Locales: []string{"ar", "en"}, Layers: bundle.Layers}

// world is all that the vectors are made of.
type world struct {
	chain    []bundle.Signed // of the school: serial 1 with key a, serial 2 with a and b
	without  []bundle.Signed // another serial 2 that leaves a out
	stranger []bundle.Signed
	trust    bundle.Signed
	one, two made
	m        memory
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{m: memory{}}
	a, b := key('a'), key('b')
	first := signed(t, "publisher", publisher(school, 1, "", holds(a, 1, 20)), a)
	w.chain = []bundle.Signed{first, signed(t, "publisher", publisher(school, 2, first.Digest(), holds(a, 1, 20), holds(b, 3, 31)), b, a)}
	w.without = []bundle.Signed{first, signed(t, "publisher", publisher(school, 2, first.Digest(), holds(b, 3, 31)), b, a)}
	w.stranger = []bundle.Signed{signed(t, "publisher", publisher(stranger, 1, "", holds(key('s'), 1, 31)), key('s'))}
	retired := day(3)
	asOf := day(4)
	w.trust = signed(t, "trust", bundle.Trust{Type: "trust", Format: 1, Publisher: school, SignedAt: day(5), Issuers: []bundle.Issuer{{
		DID: school, Names: map[string]string{"ar": "مدرسة السنط", "en": "Acacia School"}, Country: "EG",
		Keys: []bundle.IssuerKey{
			{Key: key('i').Multikey(), From: day(1), Retired: &retired},
			{Key: key('j').Multikey(), From: day(3)},
			{Key: key('k').Multikey(), From: day(1), Retired: &retired, Revoked: &asOf},
		},
		Lists: []bundle.StatusList{
			{URL: "https://school.example/api/status-lists/1", Digest: w.m.put(statusList), Size: int64(len(statusList))},
			{
				URL: "https://school.example/api/status-lists/2", Purpose: bundle.Suspension, SignedAt: &asOf,
				Digest: w.m.put(suspensionList), Size: int64(len(suspensionList)),
			},
		},
	}}, Recognitions: []bundle.Recognition{{
		ID: "urn:uuid:019a0000-0000-7000-8000-000000000001", By: stranger, Of: bundle.Recognised{DID: school, Course: "small"},
		As: map[string]string{"en": "Two credits"}, From: day(2), Until: &retired, Digest: w.m.put(endorsement), Size: int64(len(endorsement)),
	}}}, b)
	w.one = build(t, w.m, course(w.m, 1), school, day(2), a)
	w.two = build(t, w.m, course(w.m, 2), school, day(5), b)
	return w
}

// vector is a bundle and what shall come of it.
type vector struct {
	Name      string       `json:"name"`
	File      string       `json:"file"`
	Cut       *int         `json:"cut,omitempty"`       // keep only so many bytes of the file
	Flip      *[2]int      `json:"flip,omitempty"`      // the byte at [0] XOR [1]
	Append    string       `json:"append,omitempty"`    // text behind the file
	Trusted   []string     `json:"trusted"`             // the publisher's documents that the reader trusts
	Newest    *bundle.Time `json:"newest,omitempty"`    // the latest time that the reader knows
	Course    string       `json:"course,omitempty"`    // what the reader asked for
	Installed string       `json:"installed,omitempty"` // file of the signed root that is installed
	Want      string       `json:"want"`                // "ok", or the key of the refusal
	Ignored   int          `json:"ignored,omitempty"`
	Rule      *bundle.Rule `json:"rule,omitempty"` // what the file offers, when it is ok
}

// vectors makes every file of testdata.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	w := newWorld(t)
	files := map[string][]byte{}
	var list []vector
	known := []string{"publisher-1.json"}
	add := func(v vector, data []byte) {
		if v.Trusted == nil {
			v.Trusted = known
		}
		if data != nil {
			files[v.File] = data
		}
		list = append(list, v)
	}
	for i, p := range w.chain {
		files["publisher-"+string(rune('1'+i))+".json"] = p.Text
	}
	files["publisher-2-without-a.json"] = w.without[1].Text
	files["publisher-stranger.json"] = w.stranger[0].Text
	files["trust.json"] = w.trust.Text
	files["small@1.root"], files["small@2.root"] = w.one.signed.Text, w.two.signed.Text

	// What is right.
	one := w.one.frames(t, w.chain[:1], nil, everything)
	two := w.two.frames(t, w.chain, &w.trust, everything)
	both := &bundle.Rule{Locales: []string{"ar", "en"}, Tier: bundle.ImagesTier}
	onePack, twoPack := pack(t, one), pack(t, two)
	add(vector{Name: "the whole first version", File: "small@1.banyan", Want: "ok", Rule: both}, onePack)
	add(vector{Name: "the whole second version, its key handed over", File: "small@2.banyan", Installed: "small@1.root", Want: "ok", Rule: both}, twoPack)
	add(vector{Name: "the second version again", File: "small@2.banyan", Installed: "small@2.root", Want: "ok", Rule: both}, nil)
	add(vector{Name: "the longer chain is known already", File: "small@1.banyan", Trusted: []string{"publisher-1.json", "publisher-2.json"}, Want: "ok", Rule: both}, nil)
	text := w.two.frames(t, w.chain, &w.trust, bundle.Selection{Locales: []string{"ar"}, Layers: bundle.Layers[:1]})
	add(vector{Name: "text in Arabic", File: "small@2-ar-text.banyan", Want: "ok", Rule: &bundle.Rule{Locales: []string{"ar"}, Tier: bundle.TextTier}}, pack(t, text))
	module := w.two.frames(t, w.chain, nil, bundle.Selection{Locales: []string{"en"}, Layers: bundle.Layers, Modules: []string{"m1"}})
	add(vector{Name: "one module", File: "small@2-en-m1.banyan", Want: "ok", Rule: &bundle.Rule{Locales: []string{"en"}, Tier: bundle.TextTier, Modules: []string{"m1"}}}, pack(t, module))
	extra := append(slices.Clone(one), bundle.Frame{Kind: bundle.BlobFrame, Payload: []byte("nobody names me")})
	add(vector{Name: "a blob that nobody names is left aside", File: "ignored.banyan", Want: "ok", Ignored: 1, Rule: &bundle.Rule{Locales: both.Locales, Tier: bundle.AllTier}}, pack(t, extra))
	twice := append(slices.Clone(one), one[len(one)-1])
	add(vector{Name: "a blob that comes twice", File: "twice.banyan", Want: "ok", Rule: both}, pack(t, twice))

	// Packs that come over HTTP.
	files["small@2.head.pack"] = pack(t, two[:5])
	have := map[blob.Digest]bool{}
	for _, d := range (bundle.Selection{Locales: []string{"en"}, Layers: bundle.Layers}).Blobs(w.one.tree, nil) {
		have[d] = true
	}
	var from1, image []bundle.Frame
	for _, d := range (bundle.Selection{Locales: []string{"en"}, Layers: bundle.Layers[:1]}).Blobs(w.two.tree, have) {
		from1 = append(from1, bundle.Frame{Kind: bundle.BlobFrame, Payload: w.m[d]})
	}
	for _, d := range (bundle.Selection{Locales: []string{"en"}, Layers: bundle.Layers[1:2]}).Blobs(w.two.tree, nil) {
		image = append(image, bundle.Frame{Kind: bundle.BlobFrame, Payload: w.m[d]})
	}
	files["small@2-en-text-from-1.pack"], files["small@2-en-image.pack"] = pack(t, from1), pack(t, image)
	add(vector{Name: "an update alone lacks what did not change", File: "small@2-update.banyan", Want: "bundle.truncated"}, pack(t, append(slices.Clone(two[:5]), from1...)))

	// The folder form.
	for _, f := range two {
		files[path.Join("folder", bundle.FolderName(f, "small"))] = f.Payload
	}

	// Not whole.
	n := len(onePack)
	for _, at := range []int{0, 1, 9, 10, 11, 100, n / 4, n / 2, n - 9, n - 8, n - 1} {
		add(vector{Name: "cut", File: "small@1.banyan", Cut: &at, Want: "bundle.truncated"}, nil)
	}
	add(vector{Name: "something follows", File: "small@1.banyan", Append: "x", Want: "bundle.damaged"}, nil)
	for _, at := range []int{0, 3, 9} {
		add(vector{Name: "another header", File: "small@1.banyan", Flip: &[2]int{at, 1}, Want: "bundle.not_a_bundle"}, nil)
	}
	for _, at := range []int{n - 8, n - 5, n - 4, n - 1} {
		add(vector{Name: "another checksum", File: "small@1.banyan", Flip: &[2]int{at, 128}, Want: "bundle.damaged"}, nil)
	}
	add(vector{Name: "no bundle", File: "text.banyan", Want: "bundle.not_a_bundle"}, []byte("Hello, this is a letter.\n"))
	raw := func(parts ...string) []byte { return gzipped([]byte(strings.Join(parts, ""))) }
	add(vector{Name: "gzip of something else", File: "gzip.banyan", Want: "bundle.not_a_bundle"}, raw("Hello, this is a letter.\n"))
	add(vector{Name: "the second form of the file", File: "banyan2.banyan", Want: "bundle.not_a_bundle"}, raw("BANYAN2\n"))
	body := func(frames []bundle.Frame) string {
		var b strings.Builder
		for _, f := range frames {
			b.WriteString(frame(byte(f.Kind), string(f.Payload)))
		}
		return b.String()
	}
	whole := body(one)
	end := func(n int) string { return frame('E', string(binary.BigEndian.AppendUint32(nil, uint32(n)))) }
	add(vector{Name: "no end", File: "no-end.banyan", Want: "bundle.damaged"}, raw("BANYAN1\n", whole))
	add(vector{Name: "an end that counts another number", File: "other-count.banyan", Want: "bundle.damaged"}, raw("BANYAN1\n", whole, end(len(one)+1)))
	add(vector{Name: "a frame after the end", File: "after-end.banyan", Want: "bundle.damaged"}, raw("BANYAN1\n", whole, end(len(one)), frame('B', "x")))
	add(vector{Name: "a frame of no kind", File: "no-kind.banyan", Want: "bundle.damaged"}, raw("BANYAN1\n", whole, frame('X', ""), end(len(one)+1)))
	add(vector{Name: "a frame that promises 4 GB", File: "long-frame.banyan", Want: "bundle.damaged"}, raw("BANYAN1\n", whole, "B\xff\xff\xff\xff"))
	add(vector{Name: "a root of 64 kB and one", File: "long-root.banyan", Want: "bundle.damaged"}, raw("BANYAN1\n", frame('R', strings.Repeat("x", 64<<10+1)), end(1)))
	add(vector{Name: "no root", File: "no-root.banyan", Want: "bundle.truncated"}, pack(t, one[:1]))
	add(vector{Name: "a blob before the root", File: "blob-first.banyan", Want: "bundle.damaged"}, pack(t, append(slices.Clone(one[2:3]), one...)))
	add(vector{Name: "two roots", File: "two-roots.banyan", Want: "bundle.damaged"}, pack(t, slices.Insert(slices.Clone(one), 2, one[1])))
	add(vector{Name: "a root at the end", File: "root-last.banyan", Want: "bundle.damaged"}, pack(t, append(slices.Clone(one), one[1])))
	add(vector{Name: "the edition is missing", File: "no-edition.banyan", Want: "bundle.damaged"}, pack(t, slices.Concat(one[:2], one[4:])))
	last := len(one) - 2 // behind it comes the picture
	add(vector{Name: "a text is missing", File: "no-blob.banyan", Want: "bundle.truncated"}, pack(t, slices.Delete(slices.Clone(one), last, last+1)))
	add(vector{Name: "an item's manifest is missing", File: "no-item.banyan", Want: "bundle.damaged"}, pack(t, slices.Delete(slices.Clone(one), 9, 10)))
	add(vector{Name: "all pictures are missing: a bundle of texts", File: "no-picture.banyan", Want: "ok", Rule: &bundle.Rule{Locales: both.Locales, Tier: bundle.TextTier}}, pack(t, one[:len(one)-1]))
	swapped := slices.Clone(one)
	swapped[last].Payload = []byte("<p>Something else.</p>")
	add(vector{Name: "a blob was swapped", File: "swapped.banyan", Want: "bundle.damaged"}, pack(t, swapped))
	swapped = slices.Clone(one)
	swapped[len(one)-1].Payload = []byte("<svg>something else</svg>")
	add(vector{Name: "a picture was swapped", File: "swapped-picture.banyan", Want: "bundle.damaged"}, pack(t, swapped))
	swapped = slices.Clone(one)
	swapped[2].Payload = append(slices.Clone(one[2].Payload), ' ')
	add(vector{Name: "one of two editions was swapped", File: "swapped-edition.banyan", Want: "bundle.damaged"}, pack(t, swapped))
	add(vector{Name: "only the head", File: "head.banyan", Want: "bundle.truncated"}, files["small@2.head.pack"])

	// Who signed.
	with := func(root bundle.Signed, chain []bundle.Signed) []byte {
		changed := w.one
		changed.signed = root
		return pack(t, changed.frames(t, chain, nil, everything))
	}
	resign := func(change func(*bundle.Root), keys ...signing.Key) bundle.Signed {
		r := w.one.root
		change(&r)
		return signed(t, "root", r, keys...)
	}
	a, b := key('a'), key('b')
	keep := func(*bundle.Root) {}
	add(vector{Name: "signed by nobody's key", File: "stranger-key.banyan", Want: "bundle.bad_signature"}, with(resign(keep, key('s')), w.chain[:1]))
	add(vector{Name: "signed by the school and by nobody's key", File: "two-keys.banyan", Want: "bundle.bad_signature"}, with(resign(keep, a, key('s')), w.chain[:1]))
	add(vector{Name: "signed twice by one key", File: "signed-twice.banyan", Want: "bundle.bad_signature"}, with(resign(keep, a, a), w.chain[:1]))
	other := resign(func(r *bundle.Root) { r.Number = 7 }, a)
	add(vector{Name: "a signature of another root", File: "moved-signature.banyan", Want: "bundle.bad_signature"},
		with(bundle.Signed{Text: slices.Concat(other.Document, []byte("\n"), bytes.SplitN(w.one.signed.Text, []byte("\n"), 2)[1])}, w.chain[:1]))
	add(vector{Name: "a signature for another type", File: "other-type.banyan", Want: "bundle.bad_signature"}, with(signed(t, "trust", w.one.root, a), w.chain[:1]))
	noSignature := slices.Concat(w.one.signed.Document, []byte("\n[]\n"))
	add(vector{Name: "no signature", File: "unsigned.banyan", Want: "bundle.damaged"}, with(bundle.Signed{Text: noSignature}, w.chain[:1]))
	spaced := bytes.Replace(w.one.signed.Text, []byte(`","signature"`), []byte(`", "signature"`), 1)
	add(vector{Name: "signatures in another form", File: "spaced.banyan", Want: "bundle.damaged"}, with(bundle.Signed{Text: spaced}, w.chain[:1]))
	add(vector{Name: "nobody trusts the publisher", File: "small@1.banyan", Trusted: []string{}, Want: "bundle.unknown_publisher"}, nil)
	add(vector{Name: "another publisher is trusted", File: "small@1.banyan", Trusted: []string{"publisher-stranger.json"}, Want: "bundle.unknown_publisher"}, nil)
	foreign := build(t, w.m, course(w.m, 1), stranger, day(2), key('s'))
	files["stranger.root"] = foreign.signed.Text
	add(vector{Name: "of another publisher", File: "stranger.banyan", Want: "bundle.unknown_publisher"}, pack(t, foreign.frames(t, w.stranger, nil, everything)))
	add(vector{Name: "another publisher's course of this name is installed", File: "small@1.banyan", Installed: "stranger.root", Want: "bundle.other_publisher"}, nil)
	add(vector{Name: "a root with another publisher's keys", File: "other-chain.banyan", Want: "bundle.mixed"}, pack(t, w.one.frames(t, w.stranger, nil, everything)))

	// How keys change hands.
	p2 := func(change func(*bundle.Publisher), keys ...signing.Key) []bundle.Signed {
		p := publisher(school, 2, w.chain[0].Digest(), holds(a, 1, 20), holds(b, 3, 31))
		change(&p)
		return []bundle.Signed{w.chain[0], signed(t, "publisher", p, keys...)}
	}
	rotated := func(chain []bundle.Signed) []byte { return pack(t, w.two.frames(t, chain, nil, everything)) }
	add(vector{Name: "a serial that the key before did not sign", File: "no-handover.banyan", Want: "bundle.bad_signature"}, rotated(p2(func(p *bundle.Publisher) {
		p.Keys = p.Keys[1:]
	}, b)))
	add(vector{Name: "a serial that no key of its own signed", File: "no-own-key.banyan", Want: "bundle.bad_signature"}, rotated(p2(func(p *bundle.Publisher) {
		p.Keys = p.Keys[1:]
	}, a)))
	add(vector{Name: "a serial behind another one", File: "other-previous.banyan", Want: "bundle.bad_signature"}, rotated(p2(func(p *bundle.Publisher) {
		p.Previous = blob.Of([]byte("x"))
	}, b, a)))
	add(vector{Name: "a serial is left out", File: "gap.banyan", Want: "bundle.bad_signature"}, rotated(p2(func(p *bundle.Publisher) { p.Serial = 3 }, b, a)))
	add(vector{Name: "a chain that begins in the middle", File: "no-first.banyan", Want: "bundle.bad_signature"}, rotated(w.chain[1:]))
	add(vector{Name: "two serials of one number", File: "small@2.banyan", Trusted: []string{"publisher-1.json", "publisher-2-without-a.json"}, Want: "bundle.bad_signature"}, nil)
	add(vector{Name: "a chain of two publishers", File: "two-publishers.banyan", Want: "bundle.mixed"}, rotated(p2(func(p *bundle.Publisher) { p.ID = stranger }, b, a)))
	add(vector{Name: "a key that was left out of the newest serial", File: "left-out.banyan", Want: "bundle.key_expired"}, with(resign(keep, a), w.without))
	add(vector{
		Name: "the newest serial is known already, and leaves the key out", File: "small@1.banyan",
		Trusted: []string{"publisher-1.json", "publisher-2-without-a.json"}, Want: "bundle.key_expired",
	}, nil)
	add(vector{Name: "signed before the key held", File: "too-early.banyan", Want: "bundle.key_expired"},
		with(resign(func(r *bundle.Root) { r.SignedAt = bundle.At(day(1).Add(-time.Second)) }, a), w.chain[:1]))
	add(vector{Name: "signed after the key held", File: "too-late.banyan", Want: "bundle.key_expired"},
		with(resign(func(r *bundle.Root) { r.SignedAt = bundle.At(day(20).Add(time.Second)) }, a), w.chain[:1]))
	after, moment := bundle.At(day(20).Add(time.Second)), day(20)
	add(vector{Name: "the key held when it signed and holds no more", File: "small@1.banyan", Newest: &after, Want: "bundle.key_expired"}, nil)
	add(vector{Name: "the last moment of a key", File: "small@1.banyan", Newest: &moment, Want: "ok", Rule: both}, nil)

	// Older, or something else.
	add(vector{Name: "an older version", File: "small@1.banyan", Installed: "small@2.root", Want: "bundle.rollback"}, nil)
	resigned := resign(func(r *bundle.Root) { r.SignedAt = day(4) }, a)
	files["small@1-resigned.root"] = resigned.Text
	add(vector{Name: "an older signature of the same version", File: "small@1.banyan", Installed: "small@1-resigned.root", Want: "bundle.rollback"}, nil)
	add(vector{Name: "a newer signature of the same version", File: "resigned.banyan", Installed: "small@1.root", Want: "ok", Rule: both}, with(resigned, w.chain[:1]))
	add(vector{Name: "another version of the same number and time", File: "fork.banyan", Installed: "small@1.root", Want: "bundle.rollback"},
		with(resign(func(r *bundle.Root) { r.Licence = "CC0-1.0" }, a), w.chain[:1]))
	add(vector{Name: "another course than the one asked for", File: "small@1.banyan", Course: "large", Want: "bundle.mixed"}, nil)
	add(vector{Name: "a publisher's document in the place of a root", File: "publisher-as-root.banyan", Want: "bundle.mixed"}, with(w.chain[0], w.chain[:1]))
	add(vector{Name: "a root of a later format", File: "later-root.banyan", Want: "bundle.too_new"}, with(resign(func(r *bundle.Root) { r.Format = 2 }, a), w.chain[:1]))
	add(vector{Name: "an edition of another course", File: "other-course.banyan", Want: "bundle.mixed"}, with(resign(func(r *bundle.Root) { r.Course = "other" }, a), w.chain[:1]))
	add(vector{Name: "the editions change places", File: "other-locale.banyan", Want: "bundle.mixed"}, with(resign(func(r *bundle.Root) {
		r.Editions = map[string]bundle.EditionRef{"ar": r.Editions["en"], "en": r.Editions["ar"]}
	}, a), w.chain[:1]))
	add(vector{Name: "a size that is not the edition's", File: "other-size.banyan", Want: "bundle.damaged"}, with(resign(func(r *bundle.Root) {
		r.Editions = maps.Clone(r.Editions)
		e := r.Editions["en"]
		e.Size++
		r.Editions["en"] = e
	}, a), w.chain[:1]))
	// Manifests that a publisher signed and that lie all the same.
	bent := func(change func(e *bundle.Edition, m *bundle.Module, it *bundle.Item), raw func(string) string) []byte {
		e := w.one.tree.Editions["en"]
		doc, mod, it := e.Doc, bundle.Module{Type: "module", ID: e.Modules[0].Ref.ID, Items: []bundle.ItemRef{e.Modules[0].Items[0].Ref}}, *e.Modules[0].Items[0].Doc
		change(&doc, &mod, &it)
		put := func(v any, f func(string) string) (blob.Digest, int64, bundle.Frame) {
			text := onLine(t, v)
			if f != nil {
				text = f(text)
			}
			return blob.Of([]byte(text)), int64(len(text)), bundle.Frame{Kind: bundle.BlobFrame, Payload: []byte(text)}
		}
		var frames [4]bundle.Frame
		mod.Items[0].Digest, mod.Items[0].Size, frames[2] = put(it, raw)
		ref := doc.Modules[0]
		ref.Digest, ref.Size, frames[1] = put(mod, nil)
		doc.Modules = []bundle.ModuleRef{ref}
		r := w.one.root
		eref := r.Editions["en"]
		eref.Digest, eref.Size, frames[0] = put(doc, nil)
		r.Editions = map[string]bundle.EditionRef{"en": eref}
		frames[3] = bundle.Frame{Kind: bundle.BlobFrame, Payload: w.m[it.Blobs[0].Digest]}
		return pack(t, slices.Concat([]bundle.Frame{{Kind: bundle.PublisherFrame, Payload: w.chain[0].Text}, {Kind: bundle.RootFrame, Payload: signed(t, "root", r, a).Text}}, frames[:]))
	}
	none := func(*bundle.Edition, *bundle.Module, *bundle.Item) {}
	add(vector{Name: "a tree of one lesson", File: "one-lesson.banyan", Want: "ok", Rule: &bundle.Rule{Locales: []string{"en"}, Tier: bundle.TextTier}}, bent(none, nil))
	add(vector{Name: "a member that nobody knows yet", File: "unknown-member.banyan", Want: "ok", Rule: &bundle.Rule{Locales: []string{"en"}, Tier: bundle.TextTier}},
		bent(none, func(s string) string { return strings.Replace(s, `{"type"`, `{"later":[{"a":1}],"type"`, 1) }))
	add(vector{Name: "a module under another name", File: "other-module.banyan", Want: "bundle.mixed"}, bent(func(_ *bundle.Edition, m *bundle.Module, _ *bundle.Item) { m.ID = "m9" }, nil))
	add(vector{Name: "an item under another name", File: "other-item.banyan", Want: "bundle.mixed"}, bent(func(_ *bundle.Edition, _ *bundle.Module, it *bundle.Item) { it.ID = "other" }, nil))
	add(vector{Name: "an item of another kind", File: "other-kind.banyan", Want: "bundle.mixed"}, bent(func(_ *bundle.Edition, _ *bundle.Module, it *bundle.Item) { it.Kind = curriculum.Quiz }, nil))
	add(vector{Name: "an item of another type", File: "item-as-module.banyan", Want: "bundle.mixed"}, bent(func(_ *bundle.Edition, _ *bundle.Module, it *bundle.Item) { it.Type = "module" }, nil))
	add(vector{Name: "a name that leads out of a folder", File: "dots.banyan", Want: "bundle.damaged"}, bent(func(e *bundle.Edition, m *bundle.Module, _ *bundle.Item) {
		e.Modules = slices.Clone(e.Modules)
		e.Modules[0].ID, m.ID = "../m1", "../m1"
	}, nil))
	add(vector{Name: "an address that is not the blob's", File: "other-href.banyan", Want: "bundle.damaged"}, bent(func(_ *bundle.Edition, _ *bundle.Module, it *bundle.Item) {
		it.Blobs = slices.Clone(it.Blobs)
		it.Blobs[0].Href = "/media/" + strings.Repeat("0", 64) + ".svg"
	}, nil))
	add(vector{Name: "a member that stands twice", File: "member-twice.banyan", Want: "bundle.damaged"},
		bent(none, func(s string) string { return strings.Replace(s, `{"type"`, `{"id":"x","type"`, 1) }))
	add(vector{Name: "null", File: "null.banyan", Want: "bundle.damaged"}, bent(none, func(s string) string { return strings.Replace(s, `{"type"`, `{"later":null,"type"`, 1) }))
	add(vector{Name: "too deep", File: "deep.banyan", Want: "bundle.damaged"},
		bent(none, func(s string) string {
			return strings.Replace(s, `{"type"`, `{"later":`+strings.Repeat("[", 17)+strings.Repeat("]", 17)+`,"type"`, 1)
		}))
	add(vector{Name: "two lines", File: "two-lines.banyan", Want: "bundle.damaged"}, bent(none, func(s string) string { return strings.Replace(s, `{"type"`, "{\n\"type\"", 1) }))
	add(vector{Name: "no UTF-8", File: "no-utf8.banyan", Want: "bundle.damaged"}, bent(none, func(s string) string { return strings.Replace(s, `{"type"`, "{\"x\":\"\xff\",\"type\"", 1) }))
	add(vector{Name: "a broken number", File: "no-json.banyan", Want: "bundle.damaged"}, bent(none, func(s string) string { return strings.Replace(s, `{"type"`, `{"x":1.,"type"`, 1) }))
	trustOf := func(tr bundle.Trust, keys ...signing.Key) []byte {
		s := signed(t, "trust", tr, keys...)
		return pack(t, w.two.frames(t, w.chain, &s, everything))
	}
	add(vector{Name: "another publisher's word on issuers", File: "other-trust.banyan", Want: "bundle.mixed"},
		trustOf(bundle.Trust{Type: "trust", Format: 1, Publisher: stranger, SignedAt: day(5), Issuers: []bundle.Issuer{}}, b))
	add(vector{Name: "nobody's word on issuers", File: "bad-trust.banyan", Want: "bundle.bad_signature"},
		trustOf(bundle.Trust{Type: "trust", Format: 1, Publisher: school, SignedAt: day(5), Issuers: []bundle.Issuer{}}, key('s')))
	files["vectors.json"] = indented(t, list)

	files["fit.json"] = indented(t, fits(t, w))
	files["diff.json"] = indented(t, diffs(w))
	return files
}

type fitVector struct {
	File   string      `json:"file"` // a bundle; the tree in it, with all manifests
	Rule   bundle.Rule `json:"rule"`
	Budget int64       `json:"budget"`
	Want   bundle.Fit  `json:"want"`
}

func fits(t testing.TB, w world) []fitVector {
	t.Helper()
	var out []fitVector
	for _, rule := range []bundle.Rule{
		{Locales: []string{"en"}, Tier: bundle.TextTier},
		{Locales: []string{"ar", "en"}, Tier: bundle.AllTier},
		{Locales: []string{"en"}, Tier: bundle.ImagesTier, Modules: []string{"m2"}},
		{Locales: []string{"sw", "ar"}, Tier: bundle.ImagesTier}, // the source language stands in
	} {
		whole := rule.Fit(w.two.tree, 1<<30).Bytes
		for _, budget := range []int64{0, whole / 3, whole / 2, whole * 3 / 4, whole - 90, whole - 1, whole, whole + 1} {
			out = append(out, fitVector{"small@2.banyan", rule, budget, rule.Fit(w.two.tree, budget)})
		}
	}
	return out
}

type diffVector struct {
	Old  string      `json:"old"`
	New  string      `json:"new"`
	Rule bundle.Rule `json:"rule"`
	Want bundle.Diff `json:"want"`
}

func diffs(w world) []diffVector {
	var out []diffVector
	for _, rule := range []bundle.Rule{
		{Locales: []string{"en"}, Tier: bundle.TextTier},
		{Locales: []string{"ar", "en"}, Tier: bundle.ImagesTier},
		{Locales: []string{"en"}, Tier: bundle.AllTier, Modules: []string{"m1"}},
		{Locales: []string{"en"}, Tier: bundle.TextTier, Modules: []string{"m2"}}, // what moved here must be fetched
		{Locales: []string{"fr"}, Tier: bundle.TextTier},
	} {
		out = append(out, diffVector{"small@1.banyan", "small@2.banyan", rule, bundle.Compare(w.one.tree, w.two.tree, rule)},
			diffVector{"small@2.banyan", "small@2.banyan", rule, bundle.Compare(w.two.tree, w.two.tree, rule)})
	}
	return out
}

func frame(kind byte, payload string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))) + payload
}

func onLine(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func indented(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestVectorsStand holds the files of testdata to what this program writes, byte for byte.
func TestVectorsStand(t *testing.T) {
	files := vectors(t)
	if *update {
		if err := os.RemoveAll("testdata"); err != nil {
			t.Fatal(err)
		}
		for name, data := range files {
			file := filepath.Join("testdata", filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := fs.WalkDir(os.DirFS("testdata"), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(name, "fuzz/") {
			return err
		}
		got, err := os.ReadFile(filepath.Join("testdata", name))
		if want, ok := files[name]; !ok || !bytes.Equal(got, want) {
			t.Errorf("%s is not what this program writes: go test ./internal/bundle -run Vectors -update", name)
		}
		delete(files, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		t.Errorf("%s is missing", name)
	}
}

func readVectors[V any](t testing.TB, name string) (out []V) {
	t.Helper()
	if err := json.Unmarshal(testfile(t, name), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func testfile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// open gives the file of a vector as it is to be read.
func (v vector) open(t testing.TB) []byte {
	t.Helper()
	data := append(testfile(t, v.File), v.Append...)
	if v.Cut != nil {
		data = data[:*v.Cut]
	}
	if v.Flip != nil {
		data[v.Flip[0]] ^= byte(v.Flip[1])
	}
	return data
}

// known is what the reader of a vector knows.
func (v vector) known(t testing.TB) func(string, string) (bundle.Known, error) {
	t.Helper()
	k := bundle.Known{Course: v.Course}
	var texts [][]byte
	for _, name := range v.Trusted {
		texts = append(texts, testfile(t, name))
	}
	var err error
	if k.Chain, err = bundle.ReadChain(texts...); err != nil {
		t.Fatal(err)
	}
	if v.Newest != nil {
		k.Newest = v.Newest.Time
	}
	if v.Installed != "" {
		k.Current = testfile(t, v.Installed)
	}
	return func(string, string) (bundle.Known, error) { return k, nil }
}

func outcome(err error) string {
	var f *fault.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &f):
		return f.Key
	}
	return err.Error()
}

func TestVectors(t *testing.T) {
	for _, v := range readVectors[vector](t, "vectors.json") {
		r, err := bundle.Verify(t.Context(), bundle.NewReader(bytes.NewReader(v.open(t))), v.known(t))
		if got := outcome(err); got != v.Want {
			t.Errorf("%s (%s, %v %v): %s, want %s (%v)", v.Name, v.File, v.Cut, v.Flip, got, v.Want, err)
			continue
		}
		if v.Want == "ok" && (r.Ignored != v.Ignored || onLine(t, r.Rule) != onLine(t, *v.Rule) || !r.Complete) {
			t.Errorf("%s (%s): %+v %+v", v.Name, v.File, r.Counted, r.Rule)
		}
	}
}

// treeOf reads the tree in a bundle.
func treeOf(t testing.TB, file string) *bundle.Tree {
	t.Helper()
	m := memory{}
	var root bundle.Signed
	r := bundle.NewReader(bytes.NewReader(testfile(t, file)))
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Kind == bundle.RootFrame {
			if root, err = bundle.ReadSigned(f.Payload); err != nil {
				t.Fatal(err)
			}
		}
		m.put(string(f.Payload))
	}
	tree, err := bundle.Load(t.Context(), root, m.open)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestFit(t *testing.T) {
	some := 0
	for _, v := range readVectors[fitVector](t, "fit.json") {
		got := v.Rule.Fit(treeOf(t, v.File), v.Budget)
		if onLine(t, got) != onLine(t, v.Want) || got.Bytes > max(v.Budget, 0) {
			t.Errorf("%+v into %d: %+v, want %+v", v.Rule, v.Budget, got, v.Want)
		}
		if len(got.Items) > 0 && !got.Whole {
			some++
		}
	}
	if some < 8 {
		t.Errorf("only %d vectors fit in part", some)
	}
}

func TestDiff(t *testing.T) {
	for _, v := range readVectors[diffVector](t, "diff.json") {
		got := bundle.Compare(treeOf(t, v.Old), treeOf(t, v.New), v.Rule)
		if onLine(t, got) != onLine(t, v.Want) {
			t.Errorf("%s to %s, %+v: %+v, want %+v", v.Old, v.New, v.Rule, got, v.Want)
		}
		if v.Old == v.New && !got.Empty() {
			t.Errorf("%s differs from itself: %+v", v.Old, got)
		}
	}
	// Said in words, so that -update hides no mistake.
	d := readVectors[diffVector](t, "diff.json")[0].Want
	want := []bundle.ItemChange{{"en", "m1", "what-it-is", bundle.Changed}, {"en", "m2", "check", bundle.Moved}, {"en", "m2", "new-one", bundle.New}, {"en", "m2", "try", bundle.Removed}}
	if !slices.Equal(d.Items, want) || !slices.Equal(d.Details, []string{"en"}) || d.Blobs != 7 {
		t.Errorf("%+v", d)
	}
}

// What somebody wrote with other tools than ours is the same: docs/bundle-format.md shows how openssl checks it.
func TestFormOfADocument(t *testing.T) {
	text := testfile(t, "small@1.root")
	lines := strings.Split(string(text), "\n")
	if len(lines) != 3 || lines[2] != "" || !strings.HasPrefix(lines[0], `{"type":"root","format":1,"publisher":"did:web:`) || !strings.Contains(lines[0], `"signed_at":"2026-01-02T12:00:00Z"`) {
		t.Fatalf("%s", text)
	}
	var sigs []bundle.Signature
	if err := json.Unmarshal([]byte(lines[1]), &sigs); err != nil || len(sigs) != 1 {
		t.Fatal(err)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(sigs[0].Signature); err != nil || len(raw) != 64 {
		t.Fatal(err)
	}
}
