package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/andybalholm/brotli"
)

// Goals of what a device fetches to work without a network, in bytes of brotli.
const (
	workerGoal = 4 << 10
	shellGoal  = 120_000
)

// shellLocale has longer words than most.
const shellLocale = "ar"

// shells weighs the service worker and the shell of one language.
func shells(ctx context.Context, b *bench) ([]Figure, error) {
	e, err := b.onSQLite(ctx)
	if err != nil {
		return nil, err
	}
	worker, err := fetch(ctx, e.server, "/sw.js")
	if err != nil {
		return nil, err
	}
	at := "/shell/" + shellLocale + ".json"
	data, err := fetch(ctx, e.server, at)
	if err != nil {
		return nil, err
	}
	var shell struct{ Files, More []struct{ Address string } }
	if err := json.Unmarshal(data, &shell); err != nil {
		return nil, err
	}
	if len(shell.Files) == 0 {
		return nil, fmt.Errorf("%s names no files: is the front end built?", at)
	}
	// What the page itself has loaded is not fetched again.
	catalogue, err := fetch(ctx, e.server, "/"+shellLocale+"/")
	if err != nil {
		return nil, err
	}
	unasked, whole := weigh(data), weigh(data)
	for i, f := range append(shell.Files, shell.More...) {
		file, err := fetch(ctx, e.server, f.Address)
		if err != nil {
			return nil, err
		}
		whole += weigh(file)
		if i < len(shell.Files) && !bytes.Contains(catalogue, []byte(f.Address)) {
			unasked += weigh(file)
		}
	}
	figure := func(name string, bytes, goal float64, how string) Figure {
		return Figure{Name: name, Value: bytes / 1000, Unit: "kB", Goal: new(goal / 1000), Met: new(bytes <= goal), GoalOf: "value, at most", How: how}
	}
	return []Figure{
		figure("service-worker", weigh(worker), workerGoal, "The service worker in brotli."),
		figure("shell-reading", unasked, 50_000, "What a first visit to the catalogue fetches besides, to read without a network in "+shellLocale+", in brotli: without asking no more than 50 kB."),
		figure("shell", whole, shellGoal, "All that stands on the device then, with the app and the labs."),
	}, nil
}

func weigh(data []byte) float64 {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotli.BestCompression)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return float64(b.Len())
}

func fetch(ctx context.Context, s *server, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(path), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, res.Status)
	}
	return io.ReadAll(res.Body)
}
