package keyring

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

type didDocument struct {
	Context   []string    `json:"@context"`
	ID        string      `json:"id"`
	Also      []string    `json:"alsoKnownAs,omitempty"`
	Methods   []didMethod `json:"verificationMethod,omitempty"`
	Assertion []string    `json:"assertionMethod,omitempty"`
}

type didMethod struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Controller string          `json:"controller"`
	Multikey   string          `json:"publicKeyMultibase,omitempty"`
	JWK        json.RawMessage `json:"publicKeyJwk,omitempty"`
	Revoked    string          `json:"revoked,omitempty"` // xsd:dateTimeStamp, as Controlled Identifiers 1.0 has it
}

// Issuer finds an institution and the DID that it issues under.
func (s *Service) Issuer(ctx context.Context, id identity.InstitutionID) (institution.Institution, string, error) {
	a, err := s.Host()
	if err != nil {
		return institution.Institution{}, "", err
	}
	in, err := s.Institutions.Find(ctx, id)
	return in, a.DIDOf(in), err
}

// DIDDocument gives the did:web document of an institution's path on this host to anyone: its public
// keys, retired ones too, because what they signed stays good. A revoked key stands there with its date, and may assert nothing. Before the first
// credential there is no key in it.
func (s *Service) DIDDocument(ctx context.Context, slug string) ([]byte, error) {
	a, err := s.Host()
	if err != nil {
		return nil, err
	}
	in, err := s.Institutions.FindBySlug(ctx, slug)
	if err != nil {
		return nil, err
	}
	did := a.DID(in.Slug)
	keys, err := s.Store.ListKeys(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.document(in, did, keys)
}

// DIDDocumentAt gives the did:web document of a host to anyone who asks that host for it: of the institution whose domain it is, or
// was, while its name still leads here. fault.NotFound institution.not_found for every other host.
func (s *Service) DIDDocumentAt(ctx context.Context, host string) ([]byte, error) {
	a, err := s.Host()
	if err != nil {
		return nil, err
	}
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || !strings.Contains(host, ".") {
		return nil, fault.New(fault.NotFound, "institution.not_found") // in a DID a % or : would lead elsewhere
	}
	did := "did:web:" + host
	in, err := s.Institutions.FindByDomain(ctx, host)
	if fault.Is(err, fault.NotFound) {
		keys, err := s.Store.ListKeysOf(ctx, did)
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			return nil, fault.New(fault.NotFound, "institution.not_found")
		}
		if in, err = s.Institutions.Find(ctx, keys[0].InstitutionID); err != nil {
			return nil, err
		}
		return a.document(in, did, keys)
	}
	if err != nil {
		return nil, err
	}
	keys, err := s.Store.ListKeys(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.document(in, did, keys)
}

// ClaimedByAnother tells whether a domain is in the DID of keys of another institution: credentials rest on it, so nobody
// else may have it.
func (s *Service) ClaimedByAnother(ctx context.Context, domain string, by identity.InstitutionID) (bool, error) {
	keys, err := s.Store.ListKeysOf(ctx, "did:web:"+domain)
	return slices.ContainsFunc(keys, func(k Key) bool { return k.InstitutionID != by }), err
}

// document writes the DID document of one of an institution's DIDs.
func (h Host) document(in institution.Institution, did string, keys []Key) ([]byte, error) {
	d := didDocument{
		Context: []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"},
		ID:      did,
	}
	for _, other := range []string{h.DIDOf(in), h.DID(in.Slug)} {
		if other != did && !slices.Contains(d.Also, other) {
			d.Also = append(d.Also, other)
		}
	}
	for _, k := range keys {
		if k.Controller != did || k.InstitutionID != in.ID {
			continue
		}
		m := didMethod{ID: k.Method(), Type: "Multikey", Controller: k.Controller, Multikey: k.Multikey}
		if k.kind() == RSA {
			m.Type, m.Multikey, m.JWK = "JsonWebKey", "", json.RawMessage(k.JWK)
			if jwk := "https://w3id.org/security/jwk/v1"; !slices.Contains(d.Context, jwk) {
				d.Context = append(d.Context, jwk)
			}
		}
		if k.RevokedAt != nil {
			m.Revoked = k.RevokedAt.UTC().Format(time.RFC3339)
		} else {
			d.Assertion = append(d.Assertion, k.Method())
		}
		d.Methods = append(d.Methods, m)
	}
	return proof.Marshal(d)
}

// Issuing is an institution by the name that it issues under now.
type Issuing struct {
	InstitutionID identity.InstitutionID
	DID           string
	Names         map[string]string // by BCP 47 tag; und is the one whose language nobody knows
}

// ListIssuing lists the institutions that issue here, or did. Whoever is signed in may.
func (s *Service) ListIssuing(ctx context.Context, by identity.Actor) ([]Issuing, error) {
	if by.Anonymous() {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	all, err := s.Store.ListIssuing(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Issuing, len(all))
	for i, id := range all {
		in, did, err := s.Issuer(ctx, id)
		if err != nil {
			return nil, err
		}
		out[i] = Issuing{InstitutionID: id, DID: did, Names: in.AllNames()}
	}
	return out, nil
}

// PathDID is the DID of an institution's path on this host. It stays when the institution gets a domain: what must not change its name, such
// as a publisher of bundles, goes by it.
func (s *Service) PathDID(ctx context.Context, id identity.InstitutionID) (string, error) {
	a, err := s.Host()
	if err != nil {
		return "", err
	}
	in, err := s.Institutions.Find(ctx, id)
	return a.DID(in.Slug), err
}
