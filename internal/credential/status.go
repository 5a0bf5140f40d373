package credential

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/fault"
)

// ListSize is the number of places in a status list: the least that the
// specification allows, so that a look-up tells nothing about whose it was.
const ListSize = 131_072

const (
	// ListTTL is for how long others may keep a list.
	ListTTL  = 5 * time.Minute
	listLife = 7 * 24 * time.Hour // after that an old list proves nothing
)

type listDocument struct {
	Context    []string    `json:"@context"`
	ID         string      `json:"id"`
	Type       []string    `json:"type"`
	Issuer     string      `json:"issuer"`
	ValidFrom  string      `json:"validFrom"`
	ValidUntil string      `json:"validUntil"`
	Subject    listSubject `json:"credentialSubject"`
}

type listSubject struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	Encoded string `json:"encodedList"`
	TTL     int64  `json:"ttl"` // milliseconds
}

// signedList is a list as it was last signed, and with which bits.
type signedList struct {
	set []int
	at  time.Time
	doc []byte
}

// StatusList gives a Bitstring Status List 1.0, signed by its institution, to
// anyone. A revocation or suspension shows at once here; others may keep what they
// fetched for its ttl.
func (s *Service) StatusList(ctx context.Context, id ListID) ([]byte, error) {
	if !isUUID(string(id)) {
		return nil, fault.New(fault.NotFound, "credential.list_not_found")
	}
	list, err := s.Store.FindList(ctx, id)
	if err != nil {
		return nil, err
	}
	set, err := s.Store.ListSet(ctx, list)
	if err != nil {
		return nil, err
	}
	if doc, ok := s.keptList(id, set); ok {
		return doc, nil
	}
	s.keeping.Lock() // many who ask at once cause one signature
	defer s.keeping.Unlock()
	if doc, ok := s.keptList(id, set); ok {
		return doc, nil
	}
	doc, err := s.signList(ctx, list, set)
	if err != nil {
		return nil, err
	}
	s.kept.Store(id, &signedList{set, s.Now(), doc})
	return doc, nil
}

func (s *Service) keptList(id ListID, set []int) ([]byte, bool) {
	v, ok := s.kept.Load(id)
	if !ok {
		return nil, false
	}
	l := v.(*signedList)
	return l.doc, slices.Equal(l.set, set) && s.Now().Sub(l.at) < ListTTL
}

func (s *Service) signList(ctx context.Context, list StatusList, set []int) ([]byte, error) {
	a, err := parsePublicURL(s.PublicURL)
	if err != nil {
		return nil, err
	}
	keys, err := s.Store.ListKeys(ctx, list.InstitutionID)
	if err != nil {
		return nil, err
	}
	row, ok := live(keys, list.Issuer)
	if !ok {
		return nil, fmt.Errorf("sign status list %s: %s has no key", list.ID, list.Issuer)
	}
	key, err := s.open(ctx, row)
	if err != nil {
		return nil, err
	}
	encoded, err := encodeBits(set)
	if err != nil {
		return nil, err
	}
	now := s.signingTime(row)
	unsigned, err := marshal(listDocument{
		Context:    []string{proof.CredentialsV2},
		ID:         a.list(list.ID),
		Type:       []string{"VerifiableCredential", "BitstringStatusListCredential"},
		Issuer:     list.Issuer,
		ValidFrom:  proof.FormatTime(now),
		ValidUntil: proof.FormatTime(now.Add(listLife)),
		Subject: listSubject{
			ID: a.list(list.ID) + "#list", Type: "BitstringStatusList", Purpose: string(list.Purpose),
			Encoded: encoded, TTL: ListTTL.Milliseconds(),
		},
	})
	if err != nil {
		return nil, err
	}
	doc, err := proof.Sign(unsigned, key, row.Method(), now)
	if err != nil {
		return nil, fmt.Errorf("sign status list %s: %w", list.ID, err)
	}
	return doc, nil
}

// encodeBits writes the list: place 0 is the leftmost bit; gzip, base64url, multibase u.
func encodeBits(set []int) (string, error) {
	bits := make([]byte, ListSize/8)
	for _, i := range set {
		if i < 0 || i >= ListSize {
			return "", fmt.Errorf("place %d is not in the list", i)
		}
		bits[i/8] |= 1 << (7 - i%8)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(bits); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return "u" + base64.RawURLEncoding.EncodeToString(b.Bytes()), nil
}
