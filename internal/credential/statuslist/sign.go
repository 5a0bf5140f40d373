package statuslist

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Size is the number of places in a status list: the least that the
// specification allows, so that a look-up tells nothing about whose it was.
const Size = 131_072

const (
	// TTL is for how long others may keep a list.
	TTL  = 5 * time.Minute
	life = 7 * 24 * time.Hour // after that an old list proves nothing
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

// signedList is a list as it was last signed, with which bits and by which key.
type signedList struct {
	set []int
	key keyring.KeyID
	at  time.Time
	doc []byte
}

// Document gives a list as Bitstring Status List 1.0, signed by its institution, to
// anyone. A revocation or suspension shows at once here; others may keep what they
// fetched for its ttl.
func (s *Service) Document(ctx context.Context, id ID) ([]byte, error) {
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
	row, err := s.listKey(ctx, list)
	if err != nil {
		return nil, err
	}
	if doc, ok := s.keptList(id, set, row.ID); ok {
		return doc, nil
	}
	s.keeping.Lock() // many who ask at once cause one signature
	defer s.keeping.Unlock()
	for range tries {
		if doc, ok := s.keptList(id, set, row.ID); ok {
			return doc, nil
		}
		doc, err := s.signList(ctx, list, set, row)
		if err != nil {
			return nil, err
		}
		s.kept.Store(id, &signedList{set, row.ID, s.Now(), doc})
		// The key may have been taken back while it signed; what it made is not handed out then, nor kept for long.
		signer := row.ID
		if row, err = s.listKey(ctx, list); err != nil {
			return nil, err
		}
		if row.ID == signer {
			return doc, nil
		}
	}
	return nil, fmt.Errorf("sign status list %s: its key changes all the time", id)
}

// keptList gives a list that was signed a short while ago, says what is so now, and was signed by the key of now: another
// process may have taken back the one before.
func (s *Service) keptList(id ID, set []int, key keyring.KeyID) ([]byte, bool) {
	v, ok := s.kept.Load(id)
	if !ok {
		return nil, false
	}
	l := v.(*signedList)
	return l.doc, l.key == key && slices.Equal(l.set, set) && s.Now().Sub(l.at) < TTL
}

func (s *Service) listKey(ctx context.Context, list List) (keyring.Key, error) {
	row, ok, err := s.Keys.InUse(ctx, list.InstitutionID, list.Issuer)
	if err != nil {
		return keyring.Key{}, err
	}
	if !ok {
		return keyring.Key{}, fmt.Errorf("sign status list %s: %s has no key", list.ID, list.Issuer)
	}
	return row, nil
}

func (s *Service) signList(ctx context.Context, list List, set []int, row keyring.Key) ([]byte, error) {
	a, err := s.Keys.Host()
	if err != nil {
		return nil, err
	}
	key, err := s.Keys.Open(ctx, row)
	if err != nil {
		return nil, err
	}
	encoded, err := encodeBits(set)
	if err != nil {
		return nil, err
	}
	now := s.Keys.SigningTime(row)
	unsigned, err := proof.Marshal(listDocument{
		Context:    []string{proof.CredentialsV2},
		ID:         Address(a, list.ID),
		Type:       []string{"VerifiableCredential", "BitstringStatusListCredential"},
		Issuer:     list.Issuer,
		ValidFrom:  proof.FormatTime(now),
		ValidUntil: proof.FormatTime(now.Add(life)),
		Subject: listSubject{
			ID: Address(a, list.ID) + "#list", Type: "BitstringStatusList", Purpose: string(list.Purpose),
			Encoded: encoded, TTL: TTL.Milliseconds(),
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

// tries is how often we begin anew when the key is another one meanwhile.
const tries = 8

// encodeBits writes the list: place 0 is the leftmost bit; gzip, base64url, multibase u.
func encodeBits(set []int) (string, error) {
	bits := make([]byte, Size/8)
	for _, i := range set {
		if i < 0 || i >= Size {
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

func isUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36 && s == strings.ToLower(s)
}
