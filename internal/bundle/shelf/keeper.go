package shelf

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Blobs is where the blobs of imported bundles are kept, and nothing else: what no bundle names is deleted.
type Blobs interface {
	blob.Store
	Delete(ctx context.Context, d blob.Digest) error // absent is no error
	// Each calls fn for every blob with the time at which it was last put.
	Each(ctx context.Context, fn func(d blob.Digest, size int64, put time.Time) error) error
}

// Keeper keeps imported blobs beside those that the curriculum has already.
type Keeper struct {
	Public   blob.Store // of the curriculum: blobs of what is published here
	Imported Blobs
}

var _ intake.Keeper = (*Keeper)(nil)

// Has implements intake.Keeper.
func (k *Keeper) Has(ctx context.Context, d blob.Digest) (bool, error) {
	if has, err := k.Imported.Has(ctx, d); err != nil || has {
		return has, err
	}
	return k.Public.Has(ctx, d)
}

// Open implements intake.Keeper: it gives a blob of any bundle that is here.
func (k *Keeper) Open(ctx context.Context, d blob.Digest) ([]byte, error) {
	data, err := k.Imported.Open(ctx, d)
	if err == nil || !fault.Is(err, fault.NotFound) {
		return data, err
	}
	return k.Public.Open(ctx, d)
}

// Put implements intake.Keeper.
func (k *Keeper) Put(ctx context.Context, data []byte) (blob.Digest, error) {
	return k.Imported.Put(ctx, data)
}
