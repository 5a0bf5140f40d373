package store

import (
	"context"
	"slices"

	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/identity"
)

// StatusLists keeps the status lists of institutions.
type StatusLists struct{ conn }

var _ statuslist.Store = (*StatusLists)(nil)

// StatusLists gives the store of the status lists.
func (db *DB) StatusLists() *StatusLists { return &StatusLists{conn{db: db}} }

type statusListRow struct {
	ID            key
	InstitutionID key
	Issuer        string
	Purpose       statuslist.Purpose
	TwinID        *key
	CreatedAt     instant
}

func (statusListRow) TableName() string { return "status_lists" }

func (r statusListRow) list() statuslist.List {
	return statuslist.List{
		ID: statuslist.ID(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), Issuer: r.Issuer,
		Purpose: r.Purpose, TwinID: statuslist.ID(r.TwinID.text()), CreatedAt: r.CreatedAt.t,
	}
}

// CreateList implements statuslist.Store.
func (s *StatusLists) CreateList(ctx context.Context, l statuslist.List) error {
	return s.db.fail(s.write(ctx).Create(&statusListRow{
		ID: key(l.ID), InstitutionID: key(l.InstitutionID), Issuer: l.Issuer, Purpose: l.Purpose, TwinID: maybeKey(l.TwinID), CreatedAt: at(l.CreatedAt),
	}).Error)
}

// FindList implements statuslist.Store.
func (s *StatusLists) FindList(ctx context.Context, id statuslist.ID) (statuslist.List, error) {
	r, err := one[statusListRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "credential.list_not_found")
	return r.list(), err
}

// FindLastList implements statuslist.Store.
func (s *StatusLists) FindLastList(ctx context.Context, in identity.InstitutionID, issuer string) (statuslist.List, error) {
	q := s.read(ctx).Where("institution_id = ? AND issuer = ? AND purpose = ? AND twin_id IS NOT NULL", key(in), issuer, statuslist.Revocation)
	r, err := one[statusListRow](s.conn, q.Order("id DESC"), "credential.list_not_found")
	return r.list(), err
}

// ListLists implements statuslist.Store.
func (s *StatusLists) ListLists(ctx context.Context, in identity.InstitutionID, issuer string) ([]statuslist.List, error) {
	if !key(in).valid() {
		return []statuslist.List{}, nil
	}
	return many(s.conn, s.read(ctx).Where("institution_id = ? AND issuer = ?", key(in), issuer).Order("id"), statusListRow.list)
}

// IndexTaken implements statuslist.Store.
func (s *StatusLists) IndexTaken(ctx context.Context, list statuslist.ID, index int) (bool, error) {
	const where = "status_list_id = ? AND status_index = ?"
	places, err := s.places(ctx, "credentials", where, key(list), index)
	if err != nil || len(places) > 0 {
		return len(places) > 0, err
	}
	places, err = s.places(ctx, "recognitions", where, key(list), index)
	return len(places) > 0, err
}

// ListSet implements statuslist.Store.
func (s *StatusLists) ListSet(ctx context.Context, l statuslist.List) ([]int, error) {
	if l.Purpose == statuslist.Suspension {
		return s.places(ctx, "credentials", "suspension_list_id = ? AND suspended_at IS NOT NULL", key(l.ID))
	}
	revoked, err := s.places(ctx, "credentials", "status_list_id = ? AND revoked_at IS NOT NULL", key(l.ID))
	if err != nil {
		return nil, err
	}
	ended, err := s.places(ctx, "recognitions", "status_list_id = ? AND ended_at IS NOT NULL", key(l.ID))
	if err != nil || len(ended) == 0 {
		return revoked, err
	}
	all := slices.Concat(revoked, ended)
	slices.Sort(all)
	return all, nil
}

func (s *StatusLists) places(ctx context.Context, table, where string, args ...any) ([]int, error) {
	type place struct{ StatusIndex int }
	if k, ok := args[0].(key); ok && !k.valid() {
		return []int{}, nil
	}
	q := s.read(ctx).Table(table).Select("status_index").Where(where, args...).Order("status_index")
	return many(s.conn, q, func(r place) int { return r.StatusIndex })
}
