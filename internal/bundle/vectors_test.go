package bundle_test

import (
	"bytes"
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
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/signing"
)

var update = flag.Bool("update", false, "write internal/bundle/testdata anew")

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
	Rule      *choice.Rule `json:"rule,omitempty"` // what the file offers, when it is ok
}

// vectors makes every file of testdata.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	w := bundletest.NewWorld(t)
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
	for i, p := range w.Chain {
		files["publisher-"+string(rune('1'+i))+".json"] = p.Text
	}
	files["publisher-2-without-a.json"] = w.Without[1].Text
	files["publisher-stranger.json"] = w.Stranger[0].Text
	files["trust.json"] = w.Trust.Text
	files["small@1.root"], files["small@2.root"] = w.One.Signed.Text, w.Two.Signed.Text

	// What is right.
	one := w.One.Frames(t, w.Chain[:1], nil, bundletest.Everything)
	two := w.Two.Frames(t, w.Chain, &w.Trust, bundletest.Everything)
	both := &choice.Rule{Locales: []string{"ar", "en"}, Tier: choice.ImagesTier}
	onePack, twoPack := bundletest.Pack(t, one), bundletest.Pack(t, two)
	add(vector{Name: "the whole first version", File: "small@1.banyan", Want: "ok", Rule: both}, onePack)
	add(vector{Name: "the whole second version, its key handed over", File: "small@2.banyan", Installed: "small@1.root", Want: "ok", Rule: both}, twoPack)
	add(vector{Name: "the second version again", File: "small@2.banyan", Installed: "small@2.root", Want: "ok", Rule: both}, nil)
	add(vector{Name: "the longer chain is known already", File: "small@1.banyan", Trusted: []string{"publisher-1.json", "publisher-2.json"}, Want: "ok", Rule: both}, nil)
	text := w.Two.Frames(t, w.Chain, &w.Trust, choice.Selection{Locales: []string{"ar"}, Layers: bundle.Layers[:1]})
	add(vector{Name: "text in Arabic", File: "small@2-ar-text.banyan", Want: "ok", Rule: &choice.Rule{Locales: []string{"ar"}, Tier: choice.TextTier}}, bundletest.Pack(t, text))
	module := w.Two.Frames(t, w.Chain, nil, choice.Selection{Locales: []string{"en"}, Layers: bundle.Layers, Modules: []string{"m1"}})
	add(vector{Name: "one module", File: "small@2-en-m1.banyan", Want: "ok", Rule: &choice.Rule{Locales: []string{"en"}, Tier: choice.TextTier, Modules: []string{"m1"}}}, bundletest.Pack(t, module))
	extra := append(slices.Clone(one), bundle.Frame{Kind: bundle.BlobFrame, Payload: []byte("nobody names me")})
	add(vector{Name: "a blob that nobody names is left aside", File: "ignored.banyan", Want: "ok", Ignored: 1, Rule: &choice.Rule{Locales: both.Locales, Tier: choice.AllTier}}, bundletest.Pack(t, extra))
	twice := append(slices.Clone(one), one[len(one)-1])
	add(vector{Name: "a blob that comes twice", File: "twice.banyan", Want: "ok", Rule: both}, bundletest.Pack(t, twice))

	// Packs that come over HTTP.
	files["small@2.head.pack"] = bundletest.Pack(t, two[:5])
	have := map[blob.Digest]bool{}
	for _, d := range (choice.Selection{Locales: []string{"en"}, Layers: bundle.Layers}).Blobs(w.One.Tree, nil) {
		have[d] = true
	}
	var from1, image []bundle.Frame
	for _, d := range (choice.Selection{Locales: []string{"en"}, Layers: bundle.Layers[:1]}).Blobs(w.Two.Tree, have) {
		from1 = append(from1, bundle.Frame{Kind: bundle.BlobFrame, Payload: w.Blobs[d]})
	}
	for _, d := range (choice.Selection{Locales: []string{"en"}, Layers: bundle.Layers[1:2]}).Blobs(w.Two.Tree, nil) {
		image = append(image, bundle.Frame{Kind: bundle.BlobFrame, Payload: w.Blobs[d]})
	}
	files["small@2-en-text-from-1.pack"], files["small@2-en-image.pack"] = bundletest.Pack(t, from1), bundletest.Pack(t, image)
	add(vector{Name: "an update alone lacks what did not change", File: "small@2-update.banyan", Want: "bundle.truncated"}, bundletest.Pack(t, append(slices.Clone(two[:5]), from1...)))

	// The folder form.
	for _, f := range two {
		files[path.Join("folder", intake.FolderName(f, "small"))] = f.Payload
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
	add(vector{Name: "no root", File: "no-root.banyan", Want: "bundle.truncated"}, bundletest.Pack(t, one[:1]))
	add(vector{Name: "a blob before the root", File: "blob-first.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, append(slices.Clone(one[2:3]), one...)))
	add(vector{Name: "two roots", File: "two-roots.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, slices.Insert(slices.Clone(one), 2, one[1])))
	add(vector{Name: "a root at the end", File: "root-last.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, append(slices.Clone(one), one[1])))
	add(vector{Name: "the edition is missing", File: "no-edition.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, slices.Concat(one[:2], one[4:])))
	last := len(one) - 2 // behind it comes the picture
	add(vector{Name: "a text is missing", File: "no-blob.banyan", Want: "bundle.truncated"}, bundletest.Pack(t, slices.Delete(slices.Clone(one), last, last+1)))
	add(vector{Name: "an item's manifest is missing", File: "no-item.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, slices.Delete(slices.Clone(one), 9, 10)))
	add(vector{Name: "all pictures are missing: a bundle of texts", File: "no-picture.banyan", Want: "ok", Rule: &choice.Rule{Locales: both.Locales, Tier: choice.TextTier}}, bundletest.Pack(t, one[:len(one)-1]))
	swapped := slices.Clone(one)
	swapped[last].Payload = []byte("<p>Something else.</p>")
	add(vector{Name: "a blob was swapped", File: "swapped.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, swapped))
	swapped = slices.Clone(one)
	swapped[len(one)-1].Payload = []byte("<svg>something else</svg>")
	add(vector{Name: "a picture was swapped", File: "swapped-picture.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, swapped))
	swapped = slices.Clone(one)
	swapped[2].Payload = append(slices.Clone(one[2].Payload), ' ')
	add(vector{Name: "one of two editions was swapped", File: "swapped-edition.banyan", Want: "bundle.damaged"}, bundletest.Pack(t, swapped))
	add(vector{Name: "only the head", File: "head.banyan", Want: "bundle.truncated"}, files["small@2.head.pack"])

	// Who signed.
	with := func(root bundle.Signed, chain []bundle.Signed) []byte {
		changed := w.One
		changed.Signed = root
		return bundletest.Pack(t, changed.Frames(t, chain, nil, bundletest.Everything))
	}
	resign := func(change func(*bundle.Root), keys ...signing.Key) bundle.Signed {
		r := w.One.Root
		change(&r)
		return bundletest.Signed(t, "root", r, keys...)
	}
	a, b := bundletest.Key('a'), bundletest.Key('b')
	keep := func(*bundle.Root) {}
	add(vector{Name: "signed by nobody's key", File: "stranger-key.banyan", Want: "bundle.bad_signature"}, with(resign(keep, bundletest.Key('s')), w.Chain[:1]))
	add(vector{Name: "signed by the school and by nobody's key", File: "two-keys.banyan", Want: "bundle.bad_signature"}, with(resign(keep, a, bundletest.Key('s')), w.Chain[:1]))
	add(vector{Name: "signed twice by one key", File: "signed-twice.banyan", Want: "bundle.bad_signature"}, with(resign(keep, a, a), w.Chain[:1]))
	other := resign(func(r *bundle.Root) { r.Number = 7 }, a)
	add(vector{Name: "a signature of another root", File: "moved-signature.banyan", Want: "bundle.bad_signature"},
		with(bundle.Signed{Text: slices.Concat(other.Document, []byte("\n"), bytes.SplitN(w.One.Signed.Text, []byte("\n"), 2)[1])}, w.Chain[:1]))
	add(vector{Name: "a signature for another type", File: "other-type.banyan", Want: "bundle.bad_signature"}, with(bundletest.Signed(t, "trust", w.One.Root, a), w.Chain[:1]))
	noSignature := slices.Concat(w.One.Signed.Document, []byte("\n[]\n"))
	add(vector{Name: "no signature", File: "unsigned.banyan", Want: "bundle.damaged"}, with(bundle.Signed{Text: noSignature}, w.Chain[:1]))
	spaced := bytes.Replace(w.One.Signed.Text, []byte(`","signature"`), []byte(`", "signature"`), 1)
	add(vector{Name: "signatures in another form", File: "spaced.banyan", Want: "bundle.damaged"}, with(bundle.Signed{Text: spaced}, w.Chain[:1]))
	add(vector{Name: "nobody trusts the publisher", File: "small@1.banyan", Trusted: []string{}, Want: "bundle.unknown_publisher"}, nil)
	add(vector{Name: "another publisher is trusted", File: "small@1.banyan", Trusted: []string{"publisher-stranger.json"}, Want: "bundle.unknown_publisher"}, nil)
	foreign := bundletest.Build(t, w.Blobs, bundletest.Course(w.Blobs, 1), bundletest.Stranger, bundletest.Day(2), bundletest.Key('s'))
	files["stranger.root"] = foreign.Signed.Text
	add(vector{Name: "of another publisher", File: "stranger.banyan", Want: "bundle.unknown_publisher"}, bundletest.Pack(t, foreign.Frames(t, w.Stranger, nil, bundletest.Everything)))
	add(vector{Name: "another publisher's course of this name is installed", File: "small@1.banyan", Installed: "stranger.root", Want: "bundle.other_publisher"}, nil)
	add(vector{Name: "a root with another publisher's keys", File: "other-chain.banyan", Want: "bundle.mixed"}, bundletest.Pack(t, w.One.Frames(t, w.Stranger, nil, bundletest.Everything)))

	// How keys change hands.
	p2 := func(change func(*bundle.Publisher), keys ...signing.Key) []bundle.Signed {
		p := bundletest.Publisher(bundletest.School, 2, w.Chain[0].Digest(), bundletest.Holds(a, 1, 20), bundletest.Holds(b, 3, 31))
		change(&p)
		return []bundle.Signed{w.Chain[0], bundletest.Signed(t, "publisher", p, keys...)}
	}
	rotated := func(chain []bundle.Signed) []byte {
		return bundletest.Pack(t, w.Two.Frames(t, chain, nil, bundletest.Everything))
	}
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
	add(vector{Name: "a chain that begins in the middle", File: "no-first.banyan", Want: "bundle.bad_signature"}, rotated(w.Chain[1:]))
	add(vector{Name: "two serials of one number", File: "small@2.banyan", Trusted: []string{"publisher-1.json", "publisher-2-without-a.json"}, Want: "bundle.bad_signature"}, nil)
	add(vector{Name: "a chain of two publishers", File: "two-publishers.banyan", Want: "bundle.mixed"}, rotated(p2(func(p *bundle.Publisher) { p.ID = bundletest.Stranger }, b, a)))
	add(vector{Name: "a key that was left out of the newest serial", File: "left-out.banyan", Want: "bundle.key_expired"}, with(resign(keep, a), w.Without))
	add(vector{
		Name: "the newest serial is known already, and leaves the key out", File: "small@1.banyan",
		Trusted: []string{"publisher-1.json", "publisher-2-without-a.json"}, Want: "bundle.key_expired",
	}, nil)
	add(vector{Name: "signed before the key held", File: "too-early.banyan", Want: "bundle.key_expired"},
		with(resign(func(r *bundle.Root) { r.SignedAt = bundle.At(bundletest.Day(1).Add(-time.Second)) }, a), w.Chain[:1]))
	add(vector{Name: "signed after the key held", File: "too-late.banyan", Want: "bundle.key_expired"},
		with(resign(func(r *bundle.Root) { r.SignedAt = bundle.At(bundletest.Day(20).Add(time.Second)) }, a), w.Chain[:1]))
	after, moment := bundle.At(bundletest.Day(20).Add(time.Second)), bundletest.Day(20)
	add(vector{Name: "the key held when it signed and holds no more", File: "small@1.banyan", Newest: &after, Want: "bundle.key_expired"}, nil)
	add(vector{Name: "the last moment of a key", File: "small@1.banyan", Newest: &moment, Want: "ok", Rule: both}, nil)

	// Older, or something else.
	add(vector{Name: "an older version", File: "small@1.banyan", Installed: "small@2.root", Want: "bundle.rollback"}, nil)
	resigned := resign(func(r *bundle.Root) { r.SignedAt = bundletest.Day(4) }, a)
	files["small@1-resigned.root"] = resigned.Text
	add(vector{Name: "an older signature of the same version", File: "small@1.banyan", Installed: "small@1-resigned.root", Want: "bundle.rollback"}, nil)
	add(vector{Name: "a newer signature of the same version", File: "resigned.banyan", Installed: "small@1.root", Want: "ok", Rule: both}, with(resigned, w.Chain[:1]))
	add(vector{Name: "another version of the same number and time", File: "fork.banyan", Installed: "small@1.root", Want: "bundle.rollback"},
		with(resign(func(r *bundle.Root) { r.Licence = "CC0-1.0" }, a), w.Chain[:1]))
	add(vector{Name: "another course than the one asked for", File: "small@1.banyan", Course: "large", Want: "bundle.mixed"}, nil)
	add(vector{Name: "a publisher's document in the place of a root", File: "publisher-as-root.banyan", Want: "bundle.mixed"}, with(w.Chain[0], w.Chain[:1]))
	add(vector{Name: "a root of a later format", File: "later-root.banyan", Want: "bundle.too_new"}, with(resign(func(r *bundle.Root) { r.Format = 2 }, a), w.Chain[:1]))
	add(vector{Name: "an edition of another course", File: "other-course.banyan", Want: "bundle.mixed"}, with(resign(func(r *bundle.Root) { r.Course = "other" }, a), w.Chain[:1]))
	add(vector{Name: "the editions change places", File: "other-locale.banyan", Want: "bundle.mixed"}, with(resign(func(r *bundle.Root) {
		r.Editions = map[string]bundle.EditionRef{"ar": r.Editions["en"], "en": r.Editions["ar"]}
	}, a), w.Chain[:1]))
	add(vector{Name: "a size that is not the edition's", File: "other-size.banyan", Want: "bundle.damaged"}, with(resign(func(r *bundle.Root) {
		r.Editions = maps.Clone(r.Editions)
		e := r.Editions["en"]
		e.Size++
		r.Editions["en"] = e
	}, a), w.Chain[:1]))
	// Manifests that a publisher signed and that lie all the same.
	bent := func(change func(e *bundle.Edition, m *bundle.Module, it *bundle.Item), raw func(string) string) []byte {
		e := w.One.Tree.Editions["en"]
		doc, mod, it := e.Doc, bundle.Module{Type: "module", ID: e.Modules[0].Ref.ID, Items: []bundle.ItemRef{e.Modules[0].Items[0].Ref}}, *e.Modules[0].Items[0].Doc
		change(&doc, &mod, &it)
		put := func(v any, f func(string) string) (blob.Digest, int64, bundle.Frame) {
			text := bundletest.OnLine(t, v)
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
		r := w.One.Root
		eref := r.Editions["en"]
		eref.Digest, eref.Size, frames[0] = put(doc, nil)
		r.Editions = map[string]bundle.EditionRef{"en": eref}
		frames[3] = bundle.Frame{Kind: bundle.BlobFrame, Payload: w.Blobs[it.Blobs[0].Digest]}
		return bundletest.Pack(t, slices.Concat([]bundle.Frame{{Kind: bundle.PublisherFrame, Payload: w.Chain[0].Text}, {Kind: bundle.RootFrame, Payload: bundletest.Signed(t, "root", r, a).Text}}, frames[:]))
	}
	none := func(*bundle.Edition, *bundle.Module, *bundle.Item) {}
	add(vector{Name: "a tree of one lesson", File: "one-lesson.banyan", Want: "ok", Rule: &choice.Rule{Locales: []string{"en"}, Tier: choice.TextTier}}, bent(none, nil))
	add(vector{Name: "a member that nobody knows yet", File: "unknown-member.banyan", Want: "ok", Rule: &choice.Rule{Locales: []string{"en"}, Tier: choice.TextTier}},
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
		s := bundletest.Signed(t, "trust", tr, keys...)
		return bundletest.Pack(t, w.Two.Frames(t, w.Chain, &s, bundletest.Everything))
	}
	add(vector{Name: "another publisher's word on issuers", File: "other-trust.banyan", Want: "bundle.mixed"},
		trustOf(bundle.Trust{Type: "trust", Format: 1, Publisher: bundletest.Stranger, SignedAt: bundletest.Day(5), Issuers: []bundle.Issuer{}}, b))
	add(vector{Name: "nobody's word on issuers", File: "bad-trust.banyan", Want: "bundle.bad_signature"},
		trustOf(bundle.Trust{Type: "trust", Format: 1, Publisher: bundletest.School, SignedAt: bundletest.Day(5), Issuers: []bundle.Issuer{}}, bundletest.Key('s')))
	files["vectors.json"] = indented(t, list)

	files["fit.json"] = indented(t, fits(t, w))
	files["diff.json"] = indented(t, diffs(w))
	return files
}

type fitVector struct {
	File   string      `json:"file"` // a bundle; the tree in it, with all manifests
	Rule   choice.Rule `json:"rule"`
	Budget int64       `json:"budget"`
	Want   choice.Fit  `json:"want"`
}

func fits(t testing.TB, w bundletest.World) []fitVector {
	t.Helper()
	var out []fitVector
	for _, rule := range []choice.Rule{
		{Locales: []string{"en"}, Tier: choice.TextTier},
		{Locales: []string{"ar", "en"}, Tier: choice.AllTier},
		{Locales: []string{"en"}, Tier: choice.ImagesTier, Modules: []string{"m2"}},
		{Locales: []string{"sw", "ar"}, Tier: choice.ImagesTier}, // the source language stands in
	} {
		whole := rule.Fit(w.Two.Tree, 1<<30).Bytes
		for _, budget := range []int64{0, whole / 3, whole / 2, whole * 3 / 4, whole - 90, whole - 1, whole, whole + 1} {
			out = append(out, fitVector{"small@2.banyan", rule, budget, rule.Fit(w.Two.Tree, budget)})
		}
	}
	return out
}

type diffVector struct {
	Old  string      `json:"old"`
	New  string      `json:"new"`
	Rule choice.Rule `json:"rule"`
	Want choice.Diff `json:"want"`
}

func diffs(w bundletest.World) []diffVector {
	var out []diffVector
	for _, rule := range []choice.Rule{
		{Locales: []string{"en"}, Tier: choice.TextTier},
		{Locales: []string{"ar", "en"}, Tier: choice.ImagesTier},
		{Locales: []string{"en"}, Tier: choice.AllTier, Modules: []string{"m1"}},
		{Locales: []string{"en"}, Tier: choice.TextTier, Modules: []string{"m2"}}, // what moved here must be fetched
		{Locales: []string{"fr"}, Tier: choice.TextTier},
	} {
		out = append(out, diffVector{"small@1.banyan", "small@2.banyan", rule, choice.Compare(w.One.Tree, w.Two.Tree, rule)},
			diffVector{"small@2.banyan", "small@2.banyan", rule, choice.Compare(w.Two.Tree, w.Two.Tree, rule)})
	}
	return out
}

func frame(kind byte, payload string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))) + payload
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
func (v vector) known(t testing.TB) func(string, string) (intake.Known, error) {
	t.Helper()
	k := intake.Known{Course: v.Course}
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
	return func(string, string) (intake.Known, error) { return k, nil }
}

func TestVectors(t *testing.T) {
	for _, v := range readVectors[vector](t, "vectors.json") {
		r, err := intake.Verify(t.Context(), bundle.NewReader(bytes.NewReader(v.open(t))), v.known(t))
		if got := bundletest.Outcome(err); got != v.Want {
			t.Errorf("%s (%s, %v %v): %s, want %s (%v)", v.Name, v.File, v.Cut, v.Flip, got, v.Want, err)
			continue
		}
		if v.Want == "ok" && (r.Ignored != v.Ignored || bundletest.OnLine(t, r.Rule) != bundletest.OnLine(t, *v.Rule) || !r.Complete) {
			t.Errorf("%s (%s): %+v %+v", v.Name, v.File, r.Counted, r.Rule)
		}
	}
}

// treeOf reads the tree in a bundle.
func treeOf(t testing.TB, file string) *bundle.Tree {
	t.Helper()
	m := bundletest.Memory{}
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
		m.Put(string(f.Payload))
	}
	tree, err := bundle.Load(t.Context(), root, m.Open)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestFit(t *testing.T) {
	some := 0
	for _, v := range readVectors[fitVector](t, "fit.json") {
		got := v.Rule.Fit(treeOf(t, v.File), v.Budget)
		if bundletest.OnLine(t, got) != bundletest.OnLine(t, v.Want) || got.Bytes > max(v.Budget, 0) {
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
		got := choice.Compare(treeOf(t, v.Old), treeOf(t, v.New), v.Rule)
		if bundletest.OnLine(t, got) != bundletest.OnLine(t, v.Want) {
			t.Errorf("%s to %s, %+v: %+v, want %+v", v.Old, v.New, v.Rule, got, v.Want)
		}
		if v.Old == v.New && !got.Empty() {
			t.Errorf("%s differs from itself: %+v", v.Old, got)
		}
	}
	// Said in words, so that -update hides no mistake.
	d := readVectors[diffVector](t, "diff.json")[0].Want
	want := []choice.ItemChange{
		{Locale: "en", Module: "m1", Item: "what-it-is", Change: choice.Changed},
		{Locale: "en", Module: "m2", Item: "check", Change: choice.Moved},
		{Locale: "en", Module: "m2", Item: "new-one", Change: choice.New},
		{Locale: "en", Module: "m2", Item: "try", Change: choice.Removed},
	}
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
