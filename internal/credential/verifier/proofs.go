package verifier

import (
	"context"
	"errors"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
)

var errRevokedKey = errors.New("revoked key")

// verifyProofs checks every proof of a document that is known here.
func verifyProofs(ctx context.Context, doc []byte, r proof.Resolver) (proof.Verified, error) {
	return proof.Verify(ctx, doc, r)
}

func keyLost(proof.Verified) time.Time { return time.Time{} }

func method(did string, k Key) proof.Method {
	return proof.Method{Controller: did, Multikey: k.Multikey, NotBefore: k.From, NotAfter: k.Retired}
}
