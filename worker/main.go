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

  worker          work until a signal comes
  worker health   tell whether the worker of this machine works; for health checks

Its configuration is the environment's, the same as the
server's; it needs BANYAN_REDIS_URL and BANYAN_DATABASE_URL. "banyan-api config" prints
what is in force. Ctrl-C lets jobs under way finish.
`

// drain is how long jobs under way may take after a signal: the longest a lab may run, and a little.
const drain = 35 * time.Second

func main() {
	sandbox.RunChildIfAsked()
	do := run
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "health":
			do = health
		case "help", "--help", "-h":
			fmt.Print(usage)
			return
		default:
			fmt.Fprint(os.Stderr, usage)
			os.Exit(2)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := do(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "banyan worker:", app.Explain(err))
		os.Exit(1)
	}
}

// health asks Redis whether a worker of this host has reported itself lately.
func health(context.Context) error {
	cfg, err := config.FromEnv()
	if err != nil {
		return err
	}
	redis, err := asynq.ParseRedisURI(cfg.RedisURL)
	if err != nil {
		return errNoRedis
	}
	inspector := asynq.NewInspector(redis)
	defer func() { _ = inspector.Close() }()
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	servers, err := inspector.Servers()
	if err != nil {
		return fmt.Errorf("ask Redis: %w", err)
	}
	for _, s := range servers {
		if s.Host == host && s.Status == "active" {
			fmt.Println("well")
			return nil
		}
	}
	return fmt.Errorf("no worker of %s has reported itself", host)
}

var errNoRedis = errors.New("BANYAN_REDIS_URL is not an address such as redis://host:6379/0")

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
		return errNoRedis
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
	if err := a.CheckSandbox(ctx); err != nil {
		return err
	}
	client := queue.Connect(redis)
	defer func() { _ = client.Close() }()
	// Later it may come and go. At the start, what does not answer is more likely a wrong address or password.
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("no Redis answers at BANYAN_REDIS_URL. Check that it runs and that address and password are right (%w)", err)
	}
	relay := &queue.Relay{
		Outbox: a.DB.Outbox(), Redis: client, Visibility: cfg.Visibility,
		Poll: 250 * time.Millisecond, Batch: 200, Now: a.Now,
	}
	server := &queue.Server{
		Redis: redis, Outbox: a.DB.Outbox(), Table: table, Concurrency: a.Concurrency(), Background: a.Background(), Drain: drain, Now: a.Now,
	}
	relaying, stopRelay := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stopRelay() // also when the server cannot start
	wg.Go(func() { relay.Run(relaying) })
	wg.Go(func() { a.Housekeeping(relaying) })
	slog.InfoContext(ctx, "working", "concurrency", a.Concurrency())
	return server.Run(ctx)
}
