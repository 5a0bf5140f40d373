package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const batchSize = 100

// statements compares batches of a hundred statements, in rows/s, with one raw insert of each batch.
func statements(ctx context.Context, b *bench) ([]Figure, error) {
	w, err := b.onPostgres(ctx)
	if err != nil {
		return nil, err
	}
	batch, err := w.batch(ctx)
	if err != nil {
		return nil, err
	}
	ours := &side{server: w.ours, job: loadJob{Conns: conns, Want: `"status":"accepted"`, Times: batchSize}}
	bare := &side{server: w.bare, job: loadJob{Conns: conns, Want: fmt.Sprintf(`"accepted":%d}`, batchSize), Times: 1}}
	for _, l := range w.learners {
		ours.job.Requests = append(ours.job.Requests, request(w.ours, "POST", "/api/statements", []string{"Cookie: " + l.cookie}, batch(l)))
		bare.job.Requests = append(bare.job.Requests, request(w.bare, "POST", "/statements", nil, batch(l)))
	}
	before, err := w.count(ctx, "statements")
	if err != nil {
		return nil, err
	}
	f, err := compare(ctx, "statements", "rows/s", batchSize, 0.80, ours, bare,
		"POST /api/statements, batches of 100, 16 connections of 320 learners signed in by cookie, against Echo with pgx that decodes the same JSON and inserts it by one "+
			"INSERT ... SELECT unnest ... ON CONFLICT DO NOTHING into a table with the same indexes. Ours also checks, marks, answers, derives progress and looks up the session.")
	if err != nil {
		return nil, err
	}
	after, err := w.count(ctx, "statements")
	if err == nil && after-before != ours.total*batchSize {
		err = fmt.Errorf("%d statements were accepted and %d stored", ours.total*batchSize, after-before)
	}
	return []Figure{f}, err
}

func (w *world) count(ctx context.Context, table string) (n int, err error) {
	c, err := pgx.Connect(ctx, w.database)
	if err != nil {
		return 0, err
	}
	defer c.Close(context.Background())
	return n, c.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
}

// statement is one of a batch.
type statement struct {
	ID           string         `json:"id"`
	EnrollmentID string         `json:"enrollment_id"`
	Verb         string         `json:"verb"`
	ObjectID     string         `json:"object_id"`
	At           time.Time      `json:"at"`
	Responses    map[string]any `json:"responses,omitempty"`
	Sequence     int            `json:"sequence,omitempty"`
}

// batch gives what makes a learner's batch: walks through the course from its
// first item to its last, again and again. Everything is started, lessons are completed,
// quizzes answered, until there are a hundred: 12 of them are answers to a whole quiz.
func (w *world) batch(ctx context.Context) (func(learner) []byte, error) {
	var walk []statement
	for _, m := range w.version.Modules {
		for _, it := range m.Items {
			walk = append(walk, statement{Verb: "started", ObjectID: it.ID})
			switch it.Kind {
			case "lesson":
				walk = append(walk, statement{Verb: "completed", ObjectID: it.ID})
			case "quiz":
				responses, err := w.respond(ctx, (*it.Data)["en"])
				if err != nil {
					return nil, err
				}
				walk = append(walk, statement{Verb: "answered", ObjectID: it.ID, Responses: responses})
			}
		}
	}
	return func(l learner) []byte {
		list := make([]statement, batchSize)
		for i := range list {
			list[i] = walk[i%len(walk)]
			list[i].ID, list[i].EnrollmentID = freshID, l.enrollment
			list[i].At = time.Date(2026, 3, 1, 9, i/60, i%60, 0, time.UTC)
		}
		raw, err := json.Marshal(list)
		if err != nil {
			panic(err) // these always marshal
		}
		return raw
	}, nil
}

// respond answers every question of a quiz somehow.
func (w *world) respond(ctx context.Context, digest string) (map[string]any, error) {
	type option struct{ ID string }
	var quiz struct {
		Questions []struct {
			ID, Type string
			Options  []option
			Left     []option
			Right    []option
		}
	}
	if err := call(ctx, w.ours, "GET", "/api/blobs/"+digest, "", nil, &quiz); err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, q := range quiz.Questions {
		ids := make([]string, len(q.Options))
		for i, o := range q.Options {
			ids[i] = o.ID
		}
		switch q.Type {
		case "single":
			out[q.ID] = ids[0]
		case "multiple":
			out[q.ID] = ids[:2]
		case "order":
			out[q.ID] = ids
		case "match":
			pairs := map[string]string{}
			for i, l := range q.Left {
				pairs[l.ID] = q.Right[i].ID
			}
			out[q.ID] = pairs
		case "number":
			out[q.ID] = 80
		case "text":
			out[q.ID] = "training"
		}
	}
	return out, nil
}

// fill puts ids into a batch that is sent once.
func fill(batch []byte) json.RawMessage {
	for bytes.Contains(batch, []byte(freshID)) {
		batch = bytes.Replace(batch, []byte(freshID), []byte(uuid.Must(uuid.NewV7()).String()), 1)
	}
	return batch
}
