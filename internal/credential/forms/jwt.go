package forms

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/fault"
)

// JWT gives a credential as RS256 VC-JWT, for consumers that take no other. Who has its id may read it, as with the
// document. It is made when it is asked for, and so is the RSA key of its DID. What does not verify is not signed anew:
// fault.Conflict credential.broken.
func (s *Service) JWT(ctx context.Context, id credential.ID) (string, error) {
	c, err := s.Credentials.Find(ctx, id)
	if err != nil {
		return "", err
	}
	claims, err := s.Credentials.Verify(ctx, c)
	if credential.IsRefusal(err) {
		return "", fault.Wrap(fault.Conflict, "credential.broken", err)
	}
	if err != nil {
		return "", err
	}
	row, err := s.Keys.LiveRSA(ctx, c.InstitutionID, claims.Issuer)
	if err != nil {
		return "", err
	}
	// Signing takes milliseconds, and whoever has an id may ask.
	name := sha256.Sum256(append([]byte(row.ID), c.Document...))
	if token, ok := s.tokens.get(name); ok {
		return token, nil
	}
	key, err := s.Keys.OpenRSA(ctx, row)
	if err != nil {
		return "", err
	}
	// One credential and key have one token, whenever it is asked for: it was signed when both were there.
	at := c.IssuedAt
	if row.CreatedAt.After(at) {
		at = row.CreatedAt
	}
	token, err := vcjwt.Sign(c.Document, key, row.Method(), at.Truncate(time.Second))
	if err != nil {
		return "", fmt.Errorf("sign token of credential %s: %w", id, err)
	}
	s.tokens.put(name, token)
	return token, nil
}

// tokens keeps the tokens that were signed last. Its zero value is empty.
type tokens struct {
	mu   sync.Mutex
	kept map[[32]byte]string
}

// mostTokens take some 5 MB.
const mostTokens = 1024

func (t *tokens) get(name [32]byte) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.kept[name]
	return token, ok
}

func (t *tokens) put(name [32]byte, token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) >= mostTokens {
		t.kept = map[[32]byte]string{}
	}
	t.kept[name] = token
}
