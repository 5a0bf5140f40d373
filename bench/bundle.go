package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing/fstest"
	"time"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/signing"
)

// What a learner with a prepaid phone may have to pay for.
const (
	bundleGoal = 1.3
	updateGoal = 8000 // bytes
)

// bundles measures what the shipped course costs on the wire, beside what one solid archive of the same files costs, and what it costs to follow
// when its author mends one paragraph. Everything counts: the publisher's keys, the word on issuers with a status list, the root, all manifests.
func bundles(ctx context.Context, _ *bench) ([]Figure, error) {
	if _, err := exec.LookPath("zstd"); err != nil {
		return nil, errors.New("zstd is needed to compare with")
	}
	first, err := fs.Sub(content.Courses(), "ai-foundations")
	if err != nil {
		return nil, err
	}
	p, err := newPublisher()
	if err != nil {
		return nil, err
	}
	one, err := p.publish(ctx, first, 1)
	if err != nil {
		return nil, err
	}
	mended, err := mend(first)
	if err != nil {
		return nil, err
	}
	two, err := p.publish(ctx, mended, 2)
	if err != nil {
		return nil, err
	}
	var out []Figure
	for _, l := range []string{"en", "ar", "zh"} {
		sel := choice.Selection{Locales: []string{l}, Layers: bundle.Layers[:1]}
		size, err := p.packed(ctx, p.head(one), sel.Blobs(one, nil))
		if err != nil {
			return nil, err
		}
		solid, err := p.solid(ctx, one, l)
		if err != nil {
			return nil, err
		}
		ratio := size / solid
		out = append(out, Figure{
			Name: "bundle-" + l, Value: size, Unit: "bytes", Baseline: &solid, Ratio: &ratio,
			Goal: new(bundleGoal), Met: new(ratio <= bundleGoal), GoalOf: "ratio, at most",
			How: "Head and text pack of ai-foundations in this language; the bare one is tar | zstd -19 of the same fragments and data.",
		})
	}
	have := map[blob.Digest]bool{}
	sel := choice.Selection{Locales: []string{"en"}, Layers: bundle.Layers[:1]}
	for _, d := range sel.Blobs(one, nil) {
		have[d] = true
	}
	blobs := sel.Blobs(two, have)
	size, err := p.packed(ctx, p.head(two), blobs)
	if err != nil {
		return nil, err
	}
	return append(out, Figure{
		Name: "bundle-update", Value: size, Unit: "bytes", Goal: new(float64(updateGoal)), Met: new(size <= updateGoal), GoalOf: "value, at most",
		How: fmt.Sprintf("Head and text pack of English since the version before, after one paragraph of a lesson was mended: %d blobs.", len(blobs)),
	}), nil
}

// mend changes one paragraph of a lesson.
func mend(course fs.FS) (fs.FS, error) {
	out := fstest.MapFS{}
	err := fs.WalkDir(course, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(course, name)
		out[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		return nil, err
	}
	lesson := out["lessons/ai-around-you.md"]
	if lesson == nil {
		return nil, errors.New("the course has no lesson ai-around-you any more")
	}
	paragraphs := bytes.Split(lesson.Data, []byte("\n\n"))
	for i, text := range paragraphs {
		// Plain words, not a heading, a list or a block.
		if len(text) > 80 && text[0] >= 'A' && text[0] <= 'Z' {
			paragraphs[i] = append([]byte("Here is a sentence that was not there before. "), text...)
			lesson.Data = bytes.Join(paragraphs, []byte("\n\n"))
			return out, nil
		}
	}
	return nil, errors.New("the lesson has no paragraph")
}

// bundlePublisher signs as an institution does that has issued certificates.
type bundlePublisher struct {
	key          signing.Key
	blobs        map[blob.Digest][]byte
	chain, trust bundle.Signed
	list         []byte
}

const bundleDID = "did:web:learn.example.org:institutions:acacia-school"

func newPublisher() (*bundlePublisher, error) {
	p := &bundlePublisher{blobs: map[blob.Digest][]byte{}}
	var err error
	if p.key, err = signing.Generate(rand.Reader); err != nil {
		return nil, err
	}
	now := bundle.At(time.Now())
	names := map[string]string{"und": "Acacia School"}
	if p.chain, err = bundle.Sign("publisher", bundle.Publisher{
		Type: "publisher", Format: 1, ID: bundleDID, Name: names, Serial: 1, SignedAt: now,
		Keys: []bundle.PublisherKey{{Key: p.key.Multikey(), From: now, Until: bundle.At(now.AddDate(5, 0, 0))}},
	}, p.key); err != nil {
		return nil, err
	}
	// A status list as the program signs one, in which nothing is revoked.
	unsigned := `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"https://learn.example.org/api/status-lists/019a0000-0000-7000-8000-000000000001",` +
		`"type":["VerifiableCredential","BitstringStatusListCredential"],"issuer":"` + bundleDID + `","validFrom":"2026-11-23T05:00:00Z","validUntil":"2026-11-30T05:00:00Z",` +
		`"credentialSubject":{"id":"https://learn.example.org/api/status-lists/019a0000-0000-7000-8000-000000000001#list","type":"BitstringStatusList",` +
		`"statusPurpose":"revocation","encodedList":"uH4sIAAAAAAAA_-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA","ttl":300000}}`
	if p.list, err = proof.Sign([]byte(unsigned), p.key, bundleDID+"#"+p.key.Multikey(), now.Time); err != nil {
		return nil, err
	}
	p.trust, err = bundle.Sign("trust", bundle.Trust{
		Type: "trust", Format: 1, Publisher: bundleDID, SignedAt: now, Issuers: []bundle.Issuer{{
			DID: bundleDID, Names: names, Keys: []bundle.IssuerKey{{Key: p.key.Multikey(), From: now}},
			Lists: []bundle.StatusList{{URL: "https://learn.example.org/api/status-lists/019a0000-0000-7000-8000-000000000001", Digest: blob.Of(p.list), Size: int64(len(p.list))}},
		}},
	}, p.key)
	return p, err
}

func (p *bundlePublisher) open(_ context.Context, d blob.Digest) ([]byte, error) {
	if data, ok := p.blobs[d]; ok {
		return data, nil
	}
	return nil, fault.New(fault.NotFound, "blob.not_found")
}

func (p *bundlePublisher) publish(ctx context.Context, folder fs.FS, number int) (*bundle.Tree, error) {
	c, err := compile.Course(folder, compile.Options{})
	if err != nil {
		return nil, err
	}
	for d, data := range c.Blobs {
		p.blobs[d] = data
	}
	b, err := packing.Build(ctx, curriculum.Version{CourseID: c.Manifest.CourseID, Number: number, Digest: c.Digest, Manifest: c.Manifest, PublishedAt: time.Now()}, p.open)
	if err != nil {
		return nil, err
	}
	for _, m := range b.Manifests {
		p.blobs[blob.Of(m)] = m
	}
	b.Root.Publisher, b.Root.SignedAt = bundleDID, bundle.At(time.Now())
	b.Root.Runtimes = map[string]blob.Digest{"light": blob.Of([]byte("light")), "exact": blob.Of([]byte("exact"))}
	root, err := bundle.Sign("root", b.Root, p.key)
	if err != nil {
		return nil, err
	}
	return bundle.Load(ctx, root, p.open)
}

func (p *bundlePublisher) head(t *bundle.Tree) []bundle.Frame {
	return []bundle.Frame{
		{Kind: bundle.PublisherFrame, Payload: p.chain.Text},
		{Kind: bundle.TrustFrame, Payload: p.trust.Text},
		{Kind: bundle.RootFrame, Payload: t.RootText},
		{Kind: bundle.BlobFrame, Payload: p.list},
	}
}

// packed is what goes over the wire: a pack of the head and one of the blobs.
func (p *bundlePublisher) packed(ctx context.Context, head []bundle.Frame, blobs []blob.Digest) (float64, error) {
	var b bytes.Buffer
	err := errors.Join(bundle.WritePack(ctx, &b, head, nil, p.open), bundle.WritePack(ctx, &b, nil, blobs, p.open))
	return float64(b.Len()), err
}

// solid is the size of one archive of the same texts.
func (p *bundlePublisher) solid(ctx context.Context, t *bundle.Tree, locale string) (float64, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, m := range t.Editions[locale].Modules {
		for _, it := range m.Items {
			for _, b := range it.Doc.Blobs {
				if b.Layer != bundle.Text {
					continue
				}
				name := filepath.Join(m.Ref.ID, it.Ref.ID) + map[bundle.Role]string{bundle.Fragment: ".html", bundle.Data: ".json"}[b.Role]
				if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: b.Size, ModTime: time.Unix(0, 0)}); err != nil {
					return 0, err
				}
				if _, err := w.Write(p.blobs[b.Digest]); err != nil {
					return 0, err
				}
			}
		}
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "zstd", "-19", "-c", "-q")
	cmd.Stdin = &archive
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("zstd: %w: %s", err, said.String())
	}
	return float64(out.Len()), nil
}
