package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"time"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/fault"
)

// SeenLists keeps how new the newest status lists of other hosts were.
type SeenLists struct{ conn }

var _ verifier.Book = (*SeenLists)(nil)

// SeenLists gives the store of what was seen of status lists.
func (db *DB) SeenLists() *SeenLists { return &SeenLists{conn{db: db}} }

// MostOfHost is how many lists of one host are remembered: it cannot push out those of others. One list has 131,072 places or more.
const MostOfHost = 512

// seenAnew is how long a row may say that its list was last seen, though it was seen since: reading must not write each time.
const seenAnew = 24 * time.Hour

type seenListRow struct {
	ID       string
	Host     string
	Issuer   string
	Address  string
	Purpose  string
	SignedAt instant
	Digest   string
	SeenAt   instant
}

func (seenListRow) TableName() string { return "seen_lists" }

func (r seenListRow) seen() verifier.Seen {
	return verifier.Seen{Issuer: r.Issuer, Address: r.Address, Purpose: r.Purpose, SignedAt: r.SignedAt.t, Digest: r.Digest, SeenAt: r.SeenAt.t}
}

func seenListID(s verifier.Seen) string {
	sum := sha256.Sum256([]byte(s.Issuer + "\n" + s.Address + "\n" + s.Purpose))
	return hex.EncodeToString(sum[:])
}

// Saw implements verifier.Book.
func (s *SeenLists) Saw(ctx context.Context, seen verifier.Seen) (verifier.Seen, error) {
	id := seenListID(seen)
	find := func(c conn) (verifier.Seen, error) {
		r, err := one[seenListRow](c, c.read(ctx).Where("id = ?", id), "credential.list_not_found")
		return r.seen(), err
	}
	known, err := find(s.conn)
	switch {
	case fault.Is(err, fault.NotFound):
	case err != nil:
		return verifier.Seen{}, err
	case !seen.SignedAt.After(known.SignedAt) && seen.SeenAt.Sub(known.SeenAt) < seenAnew:
		return known, nil
	}
	host := ""
	if u, err := url.Parse(seen.Address); err == nil {
		host = u.Host
	}
	row := seenListRow{id, host, seen.Issuer, seen.Address, seen.Purpose, at(seen.SignedAt), seen.Digest, at(seen.SeenAt)}
	if err := checkText(host, row.Issuer, row.Address, row.Purpose); err != nil {
		return verifier.Seen{}, err
	}
	err = s.inTx(ctx, func(c conn) error {
		res := c.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if res.Error != nil {
			return c.db.fail(res.Error)
		}
		if res.RowsAffected == 0 {
			// Another process may have seen a newer one meanwhile.
			res = c.write(ctx).Model(&seenListRow{}).Where("id = ? AND signed_at < ?", id, row.SignedAt).
				Updates(map[string]any{"signed_at": row.SignedAt, "digest": row.Digest})
			if res.Error == nil {
				res = c.write(ctx).Model(&seenListRow{}).Where("id = ? AND seen_at < ?", id, row.SeenAt).Update("seen_at", row.SeenAt)
			}
			if res.Error != nil {
				return c.db.fail(res.Error)
			}
		} else if err := forgetOldest(ctx, c, host); err != nil {
			return err
		}
		if known, err = find(c); fault.Is(err, fault.NotFound) {
			known, err = seen, nil // the host has others that were seen later
		}
		return err
	})
	return known, err
}

// forgetOldest keeps a host to its share.
func forgetOldest(ctx context.Context, c conn, host string) error {
	old := c.read(ctx).Table("seen_lists").Select("id").Where("host = ?", host).Order("seen_at DESC, id").Offset(MostOfHost).Limit(MostOfHost)
	return c.db.fail(c.write(ctx).Where("id IN (?)", old).Delete(&seenListRow{}).Error)
}

// Purge forgets up to limit lists that were not seen since before, or that are beyond the most that were seen last, and tells how many.
func (s *SeenLists) Purge(ctx context.Context, before time.Time, most, limit int) (int64, error) {
	old := s.read(ctx).Table("seen_lists").Select("id").Where("seen_at < ?", at(before)).Limit(limit)
	res := s.write(ctx).Where("id IN (?)", old).Delete(&seenListRow{})
	if res.Error != nil || res.RowsAffected > 0 {
		return res.RowsAffected, s.db.fail(res.Error)
	}
	beyond := s.read(ctx).Table("seen_lists").Select("id").Order("seen_at DESC, id").Offset(most).Limit(limit)
	res = s.write(ctx).Where("id IN (?)", beyond).Delete(&seenListRow{})
	return res.RowsAffected, s.db.fail(res.Error)
}
