package credential

import (
	"context"
	"slices"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Issuer is what others need to check an institution's certificates without asking this server.
type Issuer struct {
	DID     string
	Name    string
	Names   map[string]string // by BCP 47 tag; und is the one whose language nobody knows
	Country string            // ISO 3166-1 alpha-2, "" for none
	Keys    []keyring.Key     // oldest first; Sealed is empty
	Lists   []IssuerList      // oldest first
}

// IssuerList is where a status list is published.
type IssuerList struct {
	ID      statuslist.ID
	URL     string
	Purpose statuslist.Purpose
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

// ListIssuers tells the same of every DID that the institution issues or issued under, the present one first. The others are in the order in which they came.
func (s *Service) ListIssuers(ctx context.Context, id identity.InstitutionID) ([]Issuer, error) {
	a, err := s.addresses()
	if err != nil {
		return nil, err
	}
	in, did, err := s.Keys.Issuer(ctx, id)
	if err != nil {
		return nil, err
	}
	keys, err := s.Keys.All(ctx, id)
	if err != nil {
		return nil, err
	}
	all := []Issuer{{DID: did}}
	for _, k := range keys {
		i := slices.IndexFunc(all, func(i Issuer) bool { return i.DID == k.Controller })
		if i < 0 {
			i, all = len(all), append(all, Issuer{DID: k.Controller})
		}
		all[i].Keys = append(all[i].Keys, k.Bare())
	}
	for i := range all {
		all[i].Name, all[i].Names, all[i].Country = in.Name, in.AllNames(), in.Country
		lists, err := s.Lists.ListOf(ctx, id, all[i].DID)
		if err != nil {
			return nil, err
		}
		for _, l := range lists {
			all[i].Lists = append(all[i].Lists, IssuerList{ID: l.ID, URL: statuslist.Address(a.Host, l.ID), Purpose: l.Purpose})
		}
	}
	return all, nil
}
