package store

import (
	"slices"

	"gorm.io/gorm"
)

// forward asks for one page in the order of a column of ids, after a cursor that is "" at first.
func forward(q *gorm.DB, column string, after key, limit int) *gorm.DB {
	if after != "" {
		q = q.Where(column+" > ?", after)
	}
	return q.Order(column).Limit(limit)
}

// each walks page by page through all that list gives.
func each[D any](list func(after key) ([]D, error), id func(D) key, fn func(D) error) error {
	var after key
	for {
		page, err := list(after)
		if err != nil {
			return err
		}
		for _, d := range page {
			if err := fn(d); err != nil {
				return err
			}
		}
		if len(page) < eachPage {
			return nil
		}
		after = id(page[len(page)-1])
	}
}

// among asks for the rows of many ids, some at a time: both databases limit the values in a statement.
func among[R, D any](c conn, ids []key, q func(part []key) *gorm.DB, as func(R) D) ([]D, error) {
	out := []D{}
	for part := range slices.Chunk(ids, eachPage) {
		rows, err := many(c, q(part), as)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}
