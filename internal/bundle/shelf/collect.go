package shelf

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// grace spares what was put a moment ago: another process may be importing, and name it only later.
const grace = time.Hour

// Collect deletes the imported blobs that no bundle in use, none that can be switched back to and none on its way names, and says what that
// freed. While this process imports it is refused with fault.Conflict. For the operator.
func (s *Service) Collect(ctx context.Context, by identity.Actor) (freed intake.Counted, err error) {
	if err := mayChange(by); err != nil {
		return intake.Counted{}, err
	}
	if !s.moving.TryLock() {
		return intake.Counted{}, fault.New(fault.Conflict, "bundle.importing")
	}
	defer s.moving.Unlock()
	before := s.Now().Add(-grace)
	keep, err := s.references(ctx)
	if err != nil {
		return intake.Counted{}, err
	}
	var gone []blob.Digest
	err = s.Keep.Imported.Each(ctx, func(d blob.Digest, size int64, put time.Time) error {
		if !keep[d] && put.Before(before) {
			gone = append(gone, d)
			freed.Bytes += size
			freed.Blobs++
		}
		return nil
	})
	if err != nil {
		return intake.Counted{}, err
	}
	for _, d := range gone {
		if err := s.Keep.Imported.Delete(ctx, d); err != nil {
			return intake.Counted{}, fmt.Errorf("delete blob %s: %w", d, err)
		}
	}
	return freed, nil
}

// references are all digests that a bundle here names.
func (s *Service) references(ctx context.Context) (map[blob.Digest]bool, error) {
	places, err := s.Store.ListPlaces(ctx)
	if err != nil {
		return nil, err
	}
	keep := map[blob.Digest]bool{}
	for _, p := range places {
		for _, text := range slices.DeleteFunc([][]byte{p.Installed, p.Previous, p.Candidate}, func(t []byte) bool { return t == nil }) {
			root, err := bundle.ReadSigned(text)
			if err != nil {
				return nil, err
			}
			t, err := bundle.Load(ctx, root, s.Keep.Open)
			if err != nil {
				return nil, err
			}
			for d := range names(t) {
				keep[d] = true
			}
			// An edition that is not there yet is named all the same.
			for _, e := range t.Root.Editions {
				keep[e.Digest] = true
			}
		}
	}
	words, err := s.Store.ListDocuments(ctx, "", publisher.TrustDocument)
	if err != nil {
		return nil, err
	}
	for _, d := range words {
		if t, err := bundle.ReadTrust(d.Text); err == nil {
			for _, c := range t.Children() {
				keep[c.Digest] = true
			}
		}
	}
	return keep, nil
}

// names gives every digest in the tree.
func names(t *bundle.Tree) map[blob.Digest]bool {
	out := map[blob.Digest]bool{}
	for _, e := range t.Editions {
		out[e.Ref.Digest] = true
		for _, m := range e.Modules {
			out[m.Ref.Digest] = true
			for _, it := range m.Items {
				out[it.Ref.Digest] = true
				if it.Doc != nil {
					for _, b := range it.Doc.Blobs {
						out[b.Digest] = true
					}
				}
			}
		}
	}
	return out
}
