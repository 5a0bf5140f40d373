package credential

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

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

// didOf is the DID that an institution issues under: of its own domain where it has one.
func (a addresses) didOf(in institution.Institution) string {
	if in.Domain != "" {
		return "did:web:" + in.Domain
	}
	return a.did(in.Slug)
}

// issuer finds an institution and the DID that it issues under.
func (s *Service) issuer(ctx context.Context, id identity.InstitutionID) (institution.Institution, string, error) {
	a, err := parsePublicURL(s.PublicURL)
	if err != nil {
		return institution.Institution{}, "", err
	}
	in, err := s.Institutions.Find(ctx, id)
	return in, a.didOf(in), err
}

// DIDDocument gives the did:web document of an institution's path on this host to anyone: its public
// keys, retired ones too, because what they signed stays good. A revoked key stands there with its date, and may assert nothing. Before the first
// credential there is no key in it.
func (s *Service) DIDDocument(ctx context.Context, slug string) ([]byte, error) {
	a, err := parsePublicURL(s.PublicURL)
	if err != nil {
		return nil, err
	}
	in, err := s.Institutions.FindBySlug(ctx, slug)
	if err != nil {
		return nil, err
	}
	did := a.did(in.Slug)
	keys, err := s.Store.ListKeys(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.document(in, did, keys)
}

// DIDDocumentAt gives the did:web document of a host to anyone who asks that host for it: of the institution whose domain it is, or
// was, while its name still leads here. fault.NotFound institution.not_found for every other host.
func (s *Service) DIDDocumentAt(ctx context.Context, host string) ([]byte, error) {
	a, err := parsePublicURL(s.PublicURL)
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
func (a addresses) document(in institution.Institution, did string, keys []Key) ([]byte, error) {
	d := didDocument{
		Context: []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"},
		ID:      did,
	}
	for _, other := range []string{a.didOf(in), a.did(in.Slug)} {
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
	return marshal(d)
}

// Issuer is what others need to check an institution's certificates without asking this server.
type Issuer struct {
	DID     string
	Name    string
	Names   map[string]string // by BCP 47 tag; und is the one whose language nobody knows
	Country string            // ISO 3166-1 alpha-2, "" for none
	Keys    []Key             // oldest first; Sealed is empty
	Lists   []IssuerList      // oldest first
}

// IssuerList is where a status list is published.
type IssuerList struct {
	ID      ListID
	URL     string
	Purpose Purpose
}

// FindIssuer tells who an institution is as an issuer now, and where its status lists stand. It is open to anyone, as all of it is. Before the
// first certificate there are no keys and no lists.
func (s *Service) FindIssuer(ctx context.Context, in identity.InstitutionID) (Issuer, error) {
	all, err := s.ListIssuers(ctx, in)
	if err != nil {
		return Issuer{}, err
	}
	return all[0], nil
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
		in, did, err := s.issuer(ctx, id)
		if err != nil {
			return nil, err
		}
		out[i] = Issuing{InstitutionID: id, DID: did, Names: in.AllNames()}
	}
	return out, nil
}

// ListIssuers tells the same of every DID that the institution issues or issued under, the present one first. The others are in the order in which they came.
func (s *Service) ListIssuers(ctx context.Context, id identity.InstitutionID) ([]Issuer, error) {
	a, err := parsePublicURL(s.PublicURL)
	if err != nil {
		return nil, err
	}
	in, did, err := s.issuer(ctx, id)
	if err != nil {
		return nil, err
	}
	keys, err := s.Store.ListKeys(ctx, id)
	if err != nil {
		return nil, err
	}
	all := []Issuer{{DID: did}}
	for _, k := range bare(keys) {
		i := slices.IndexFunc(all, func(i Issuer) bool { return i.DID == k.Controller })
		if i < 0 {
			i, all = len(all), append(all, Issuer{DID: k.Controller})
		}
		all[i].Keys = append(all[i].Keys, k)
	}
	for i := range all {
		all[i].Name, all[i].Names, all[i].Country = in.Name, in.AllNames(), in.Country
		lists, err := s.Store.ListLists(ctx, id, all[i].DID)
		if err != nil {
			return nil, err
		}
		for _, l := range lists {
			all[i].Lists = append(all[i].Lists, IssuerList{ID: l.ID, URL: a.list(l.ID), Purpose: l.Purpose})
		}
	}
	return all, nil
}

// PathDID is the DID of an institution's path on this host. It stays when the institution gets a domain: what must not change its name, such
// as a publisher of bundles, goes by it.
func (s *Service) PathDID(ctx context.Context, id identity.InstitutionID) (string, error) {
	a, err := parsePublicURL(s.PublicURL)
	if err != nil {
		return "", err
	}
	in, err := s.Institutions.Find(ctx, id)
	return a.did(in.Slug), err
}
