package bundle_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/fault"
)

// fresh trusts the school from its first serial on.
func fresh(t testing.TB) func(string, string) (intake.Known, error) {
	t.Helper()
	chain, err := bundle.ReadChain(testfile(t, "publisher-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	return func(string, string) (intake.Known, error) { return intake.Known{Chain: chain}, nil }
}

// refused tells whether an error is one of ours, with words for people.
func refused(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && strings.HasPrefix(f.Key, "bundle.")
}

// inflated gives what is inside of a pack.
func inflated(t testing.TB, data []byte) []byte {
	t.Helper()
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(data[10:])))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A bundle that is cut anywhere is never taken for a whole one.
func TestCutAtEveryByte(t *testing.T) {
	whole, find := testfile(t, "small@2.banyan"), fresh(t)
	for at := range whole {
		_, err := intake.Verify(t.Context(), bundle.NewReader(bytes.NewReader(whole[:at])), find)
		if bundletest.Outcome(err) != "bundle.truncated" {
			t.Fatalf("cut at %d of %d: %v", at, len(whole), err)
		}
	}
}

// Bits that flip on the way are found, wherever they are: the checksum of the file says so.
func TestFlipEveryByteOfTheFile(t *testing.T) {
	whole, find := testfile(t, "small@2.banyan"), fresh(t)
	raw := inflated(t, whole)
	for at := range whole {
		bent := bytes.Clone(whole)
		bent[at] ^= 1 << (at % 8)
		_, err := intake.Verify(t.Context(), bundle.NewReader(bytes.NewReader(bent)), find)
		if err == nil {
			// The last byte of a deflate stream has bits that mean nothing.
			if got := inflated(t, bent); !bytes.Equal(got, raw) {
				t.Fatalf("byte %d was flipped, and nobody saw it", at)
			}
			continue
		}
		if !refused(err) {
			t.Fatalf("byte %d was flipped: %v", at, err)
		}
	}
}

// Who flips bits on purpose mends the checksum too. Then signatures and digests find it, in every region.
func TestFlipInside(t *testing.T) {
	find := fresh(t)
	for file, step := range map[string]int{"one-lesson.banyan": 1, "small@2.banyan": 5} {
		raw := inflated(t, testfile(t, file))
		for at := 0; at < len(raw); at += step {
			bent := bytes.Clone(raw)
			bent[at] ^= 1 << (at / step % 8)
			_, err := intake.Verify(t.Context(), bundle.NewReader(bytes.NewReader(stored(bent))), find)
			if err == nil || !refused(err) {
				t.Fatalf("%s: byte %d was flipped (%q): %v", file, at, raw[max(0, at-20):min(len(raw), at+20)], err)
			}
		}
	}
}

// A frame is left out, comes twice or in another order: what is taken is what was signed.
func TestFramesShuffled(t *testing.T) {
	var frames []bundle.Frame
	r := bundle.NewReader(bytes.NewReader(testfile(t, "small@2.banyan")))
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	find := fresh(t)
	for i := range frames {
		without := append(append([]bundle.Frame{}, frames[:i]...), frames[i+1:]...)
		rep, err := intake.Verify(t.Context(), bundle.NewReader(bytes.NewReader(bundletest.Pack(t, without))), find)
		// Without the word on issuers, or the only picture, it is another whole bundle.
		if err == nil && frames[i].Kind != bundle.TrustFrame && rep.Rule.Tier != choice.TextTier {
			t.Errorf("frame %d of kind %c is missing, and nobody saw it", i, frames[i].Kind)
		}
		if err != nil && !refused(err) {
			t.Errorf("frame %d is missing: %v", i, err)
		}
		for j := range frames {
			moved := append([]bundle.Frame{}, without...)
			moved = append(moved[:min(j, len(moved))], append([]bundle.Frame{frames[i]}, moved[min(j, len(moved)):]...)...)
			if _, err := intake.Verify(t.Context(), bundle.NewReader(bytes.NewReader(bundletest.Pack(t, moved))), find); err != nil && !refused(err) {
				t.Errorf("frame %d in place %d: %v", i, j, err)
			}
		}
	}
}

// stored is a pack around a stream that was not written by a Writer. It does not compress: so flips cost little.
func stored(raw []byte) []byte {
	var b bytes.Buffer
	writeGzip(&b, raw, flate.NoCompression)
	return b.Bytes()
}

// A carrier of many megabytes is read in the room of its largest blob.
func TestMemoryStaysFlat(t *testing.T) {
	const blobs, size = 64, 1 << 20
	m := bundletest.Memory{}
	w := bundletest.NewWorld(t)
	e := *w.One.Tree.Editions["en"]
	item := *e.Modules[0].Items[0].Doc
	for i := range blobs {
		d := blob.Of(big(i, size))
		item.Blobs = append(item.Blobs, bundle.BlobRef{Role: bundle.Media, Digest: d, Size: size, Layer: bundle.Audio, Href: "/media/" + d.Hex() + ".opus"})
	}
	ref := func(v any) (blob.Digest, int64) {
		text := bundletest.OnLine(t, v)
		return m.Put(text), int64(len(text))
	}
	mod := bundle.Module{Type: "module", ID: "m1", Items: []bundle.ItemRef{e.Modules[0].Items[0].Ref}}
	mod.Items[0].Digest, mod.Items[0].Size = ref(item)
	itemText, module := m[mod.Items[0].Digest], e.Modules[0].Ref
	module.Digest, module.Size = ref(mod)
	doc := e.Doc
	doc.Modules = []bundle.ModuleRef{module}
	root := w.One.Root
	top := root.Editions["en"]
	top.Digest, top.Size = ref(doc)
	root.Editions = map[string]bundle.EditionRef{"en": top}
	in, out := io.Pipe()
	go func() {
		pw := bundle.NewWriter(out)
		for _, f := range []bundle.Frame{
			{Kind: bundle.PublisherFrame, Payload: w.Chain[0].Text},
			{Kind: bundle.RootFrame, Payload: bundletest.Signed(t, "root", root, bundletest.Key('a')).Text},
			{Kind: bundle.BlobFrame, Payload: m[top.Digest]},
			{Kind: bundle.BlobFrame, Payload: m[module.Digest]},
			{Kind: bundle.BlobFrame, Payload: itemText},
			{Kind: bundle.BlobFrame, Payload: w.Blobs[item.Blobs[0].Digest]},
		} {
			_ = pw.Write(f)
		}
		for i := range blobs {
			_ = pw.Write(bundle.Frame{Kind: bundle.BlobFrame, Payload: big(i, size)})
		}
		_ = out.CloseWithError(pw.Close())
	}()
	k := &watched{Reader: bundle.NewReader(in)}
	r, err := intake.Verify(t.Context(), k, fresh(t))
	if err != nil || r.Blobs != blobs+4 || r.Rule.Tier != choice.AllTier {
		t.Fatalf("%+v %v", r.Counted, err)
	}
	if k.most > 24<<20 {
		t.Errorf("%d MB are held for %d MB", k.most>>20, blobs*size>>20)
	}
}

func big(i, size int) []byte {
	return bytes.Repeat([]byte{byte(i), byte(i >> 8), 7, byte(i * 31)}, size/4)
}

// watched measures what is alive after each few frames.
type watched struct {
	*bundle.Reader
	n    int
	most uint64
}

func (w *watched) Next() (bundle.Frame, error) {
	if w.n++; w.n%16 == 0 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		w.most = max(w.most, s.HeapAlloc)
	}
	return w.Reader.Next()
}

// A frame that promises much and brings nothing costs nothing.
func TestPromisesCostNothing(t *testing.T) {
	data := gzipped([]byte("BANYAN1\n" + "B\x00\xff\xff\xff"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := bundle.NewReader(bytes.NewReader(data)).Next(); bundletest.Outcome(err) != "bundle.damaged" {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / 100; n > 256<<10 {
		t.Errorf("%d bytes for a promise", n)
	}
}

func FuzzReader(f *testing.F) {
	for _, name := range []string{"small@1.banyan", "small@2.banyan", "small@2.head.pack", "small@2-en-image.pack", "text.banyan", "after-end.banyan"} {
		f.Add(testfile(f, name))
	}
	find := fresh(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := intake.Verify(context.Background(), bundle.NewReader(bytes.NewReader(data)), find); err != nil && !refused(err) {
			t.Errorf("%+v %v", r, err)
		}
	})
}

// FuzzFrames fuzzes what is inside of the gzip stream, which the other one seldom reaches.
func FuzzFrames(f *testing.F) {
	for _, name := range []string{"small@1.banyan", "small@2.banyan", "one-lesson.banyan", "swapped.banyan", "later-root.banyan"} {
		f.Add(inflated(f, testfile(f, name)))
	}
	find := fresh(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := intake.Verify(context.Background(), bundle.NewReader(bytes.NewReader(stored(raw))), find)
		if err != nil && !refused(err) {
			t.Errorf("%+v %v", r, err)
		}
		if err == nil && r.Head.Root.Course != "small" {
			t.Errorf("took %+v", r.Head.Root)
		}
	})
}

func FuzzDocuments(f *testing.F) {
	for _, name := range []string{"publisher-1.json", "publisher-2.json", "trust.json", "small@1.root", "small@2.root"} {
		f.Add(testfile(f, name))
	}
	m := bundletest.Memory{}
	if b, err := packing.Build(f.Context(), bundletest.Course(m, 1), m.Open); err == nil {
		for _, raw := range b.Manifests {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var errs []error
		note := func(err error) {
			if err != nil {
				errs = append(errs, err)
			}
		}
		chain, err := bundle.ReadChain(data)
		note(err)
		_, err = chain.VerifyRoot(data, time.Time{})
		note(err)
		_, err = chain.VerifyTrust(data, time.Time{})
		note(err)
		root, err := bundle.ParseRoot(data)
		note(err)
		edition, errEdition := bundle.ParseEdition(data)
		note(errEdition)
		module, errModule := bundle.ParseModule(data)
		note(errModule)
		item, errItem := bundle.ParseItem(data)
		note(errItem)
		for _, err := range errs {
			if !refused(err) {
				t.Errorf("%v", err)
			}
		}
		// What was taken is written again and taken again.
		for _, v := range []struct {
			doc any
			err error
		}{{root, err}, {edition, errEdition}, {module, errModule}, {item, errItem}} {
			if v.err == nil && !json.Valid([]byte(bundletest.OnLine(t, v.doc))) {
				t.Errorf("%+v", v.doc)
			}
		}
	})
}
