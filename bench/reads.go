package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// catalogue compares the list of 20 courses with a raw read of the same rows.
func catalogue(ctx context.Context, b *bench) ([]Figure, error) {
	w, err := b.onPostgres(ctx)
	if err != nil {
		return nil, err
	}
	if err := sameJSON(ctx, w.ours, "/api/courses", "", w.bare, "/courses"); err != nil {
		return nil, err
	}
	want := fmt.Sprintf(`"course_id":"%s`, courseID)
	ours := &side{server: w.ours, job: loadJob{Conns: conns, Want: want, Times: copies + 1, Requests: [][]byte{request(w.ours, "GET", "/api/courses", nil, nil)}}}
	bare := &side{server: w.bare, job: loadJob{Conns: conns, Want: want, Times: copies + 1, Requests: [][]byte{request(w.bare, "GET", "/courses", nil, nil)}}}
	f, err := compare(ctx, "catalogue", "requests/s", 1, 0.50, ours, bare,
		"GET /api/courses, 20 courses, 16 connections, against Echo with pgx that asks for the same ids, keeps the summaries in memory and writes the same JSON.")
	return []Figure{f}, err
}

// progress compares a learner's progress with a raw read of the same rows.
func progress(ctx context.Context, b *bench) ([]Figure, error) {
	w, err := b.onPostgres(ctx)
	if err != nil {
		return nil, err
	}
	batch, err := w.batch(ctx)
	if err != nil {
		return nil, err
	}
	ours := &side{server: w.ours, job: loadJob{Conns: conns, Want: `"object_id"`, Times: 9}}
	bare := &side{server: w.bare, job: loadJob{Conns: conns, Want: `"object_id"`, Times: 9}}
	for _, l := range w.learners {
		if err := call(ctx, w.ours, "POST", "/api/statements", l.cookie, fill(batch(l)), nil); err != nil {
			return nil, err
		}
		path := "/api/enrollments/" + l.enrollment + "/progress"
		if err := sameJSON(ctx, w.ours, path, l.cookie, w.bare, "/progress/"+l.enrollment); err != nil {
			return nil, err
		}
		ours.job.Requests = append(ours.job.Requests, request(w.ours, "GET", path, []string{"Cookie: " + l.cookie}, nil))
		bare.job.Requests = append(bare.job.Requests, request(w.bare, "GET", "/progress/"+l.enrollment, nil, nil))
	}
	f, err := compare(ctx, "progress", "requests/s", 1, 0.50, ours, bare,
		"GET /api/enrollments/{id}/progress, 16 connections of 320 learners signed in by cookie, against Echo with pgx that reads the same enrollment and progress rows but asks for no session.")
	return []Figure{f}, err
}

// sameJSON makes sure that both servers say the same.
func sameJSON(ctx context.Context, ours *server, path, cookie string, bare *server, barePath string) error {
	var a, b any
	if err := call(ctx, ours, "GET", path, cookie, nil, &a); err != nil {
		return err
	}
	if err := call(ctx, bare, "GET", barePath, "", nil, &b); err != nil {
		return err
	}
	if !reflect.DeepEqual(a, b) {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return fmt.Errorf("the servers differ on %s:\n%.2000s\n%.2000s", path, x, y)
	}
	return nil
}
