package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"testing/fstest"
	"time"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
)

// What an author may have to wait for, in seconds.
const (
	checkGoal   = 5
	publishGoal = 10
	againGoal   = 0.5
	linearGoal  = 1.25 // ratio
)

// courses measures how long authors wait: for the check of all that is shipped, for publishing a large course, and for
// publishing it again after an edit.
func courses(ctx context.Context, b *bench) ([]Figure, error) {
	e, err := b.onSQLite(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for _, all := range []fs.FS{content.Courses(), content.Examples()} {
		folders, err := fs.Glob(all, "*/course.yaml")
		if err != nil {
			return nil, err
		}
		for _, file := range folders {
			folder, err := fs.Sub(all, file[:len(file)-len("/course.yaml")])
			if err != nil {
				return nil, err
			}
			if _, err := compile.Course(folder, compile.Options{}); err != nil {
				return nil, err
			}
		}
	}
	check := time.Since(began).Seconds()

	cookie, err := signInAs(ctx, e.server, e.data, "trainer")
	if err != nil {
		return nil, err
	}
	var in struct {
		Items []struct{ ID string }
	}
	if err := call(ctx, e.server, "GET", "/api/institutions", "", nil, &in); err != nil || len(in.Items) == 0 {
		return nil, errors.Join(err, errors.New("no institution"))
	}
	publish := func(m fstest.MapFS) (float64, error) {
		packed, err := pack(m)
		if err != nil {
			return 0, err
		}
		began := time.Now()
		err = call(ctx, e.server, "POST", "/api/institutions/"+in.Items[0].ID+"/course-versions", cookie, packed, nil)
		return time.Since(began).Seconds(), err
	}
	m := coursetest.Large(300)
	first, err := publish(m)
	if err != nil {
		return nil, err
	}
	lesson := m["lessons/lesson-7.md"]
	lesson.Data = bytes.Replace(lesson.Data, []byte("Sentence 3 of"), []byte("Sentence three of"), 1)
	again, err := publish(m)
	if err != nil {
		return nil, err
	}
	var each [2]float64 // s a lesson
	for i, lessons := range []int{300, 3000} {
		made := coursetest.Large(lessons)
		began = time.Now()
		if _, err := compile.Course(made, compile.Options{}); err != nil {
			return nil, err
		}
		each[i] = time.Since(began).Seconds() / float64(lessons)
	}
	short, long := each[0]*1000, each[1]*1000
	goal := func(name string, value, goal float64, how string) Figure {
		return Figure{Name: name, Value: value, Unit: "s", Goal: new(goal), Met: new(value <= goal), GoalOf: "value, at most", How: how}
	}
	return []Figure{
		goal("course-check", check, checkGoal, "Every shipped course, compiled in all its languages, without its labs, in this process."),
		goal("course-publish", first, publishGoal, "A made course of 300 lessons and 10 quizzes in two languages, as a zip to the embedded program."),
		goal("course-again", again, againGoal, "The same once more, after an edit of one paragraph."),
		{
			Name: "course-lesson", Value: long, Unit: "ms", Baseline: &short, Ratio: new(long / short), Goal: new(linearGoal), Met: new(long/short <= linearGoal), GoalOf: "ratio, at most",
			How: "Compiling a made course of 3,000 lessons, for each lesson, beside one of 300: the cost grows with the length and no faster.",
		},
	}, nil
}

func pack(m fstest.MapFS) (*bytes.Buffer, error) {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(m[name].Data); err != nil {
			return nil, err
		}
	}
	return &packed, z.Close()
}
