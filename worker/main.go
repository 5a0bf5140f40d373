// Command worker runs the jobs that api processes ask for, over Redis.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hibiken/asynq"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/worker/queue"
)

const usage = `worker runs Banyan's jobs: it grades labs and issues certificates.

It takes no arguments. Its configuration is the environment's, the same as the
server's; it needs BANYAN_REDIS_URL and BANYAN_DATABASE_URL. "banyan-api config" prints
what is in force. Ctrl-C lets jobs under way finish.
`

// drain is how long jobs under way may take after a signal: the longest a lab may run, and a little.
const drain = 35 * time.Second

func main() {
	sandbox.RunChildIfAsked()
	if len(os.Args) > 1 {
		fmt.Print(usage)
		if os.Args[1] != "help" && os.Args[1] != "--help" && os.Args[1] != "-h" {
			os.Exit(2)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "banyan worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, err := config.FromEnv()
	if err != nil {
		return err
	}
	app.Log(cfg)
	if cfg.Embedded() {
		return errors.New("BANYAN_REDIS_URL is not set: without Redis the server runs its jobs itself and needs no worker")
	}
	redis, err := asynq.ParseRedisURI(cfg.RedisURL)
	if err != nil {
		return errors.New("BANYAN_REDIS_URL is not an address such as redis://host:6379/0")
	}
	a, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if err := a.Close(); err != nil {
			slog.Error("close", "err", err)
		}
	}()
	if err := a.Schema(ctx); err != nil {
		return err
	}
	table, err := a.Jobs()
	if err != nil {
		return err
	}
	client := asynq.NewClient(redis)
	defer func() { _ = client.Close() }()
	inspector := asynq.NewInspector(redis)
	defer func() { _ = inspector.Close() }()
	relay := &queue.Relay{
		Outbox: a.DB.Outbox(), Client: client, Inspector: inspector, Visibility: cfg.Visibility,
		Poll: 250 * time.Millisecond, Batch: 200, Now: a.Now,
	}
	server := &queue.Server{
		Redis: redis, Outbox: a.DB.Outbox(), Table: table, Concurrency: a.Concurrency(), Drain: drain, Now: a.Now,
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { relay.Run(ctx) })
	slog.InfoContext(ctx, "working", "concurrency", a.Concurrency())
	return server.Run(ctx)
}
