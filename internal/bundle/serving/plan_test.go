package serving_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/servertest"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/identity"
)

// A plan names packs that bring, together with the head, exactly what the rule wants, and says beforehand what they cost.
func TestPlanBringsWhatItSays(t *testing.T) {
	hub := servertest.New(t, "hub.example")
	hub.Publish(t, 1)
	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	ctx := t.Context()
	for _, rule := range []choice.Rule{servertest.Both, servertest.Arabic, servertest.English, {Locales: []string{"en"}, Tier: choice.TextTier, Modules: []string{"m2"}}, {Locales: []string{"fr"}, Tier: choice.TextTier}} {
		for _, from := range []int{0, 1} {
			plan := servertest.Must(hub.Plan(ctx, "small", 0, rule, from, 0))(t)
			node := servertest.New(t, "node.example")
			node.Trusts(t, hub)
			if from > 0 {
				if _, err := node.Take(t, hub.Packed(t, from, rule), &plan.Rule); err != nil {
					t.Fatal(err)
				}
			}
			frames, cost := [][]byte{servertest.Content(t, servertest.Must(hub.Head(ctx, "small", plan.Number))(t))}, int64(0)
			cost += int64(len(frames[0]))
			for _, p := range plan.Packs {
				part := serving.Part{Locale: p.Locale, Layer: p.Layer, From: plan.From, Modules: rule.Modules}
				if part.Href("small", 2) != p.Href {
					t.Fatalf("%s, not %s", p.Href, part.Href("small", 2))
				}
				data := servertest.Content(t, servertest.Must(hub.Pack(ctx, "small", 2, part))(t))
				if int64(len(data)) != p.Bytes {
					t.Errorf("%s has %d bytes, not %d", p.Href, len(data), p.Bytes)
				}
				frames, cost = append(frames, data), cost+p.Bytes
			}
			if cost != plan.TransferBytes {
				t.Errorf("%d bytes, and the plan says %d", cost, plan.TransferBytes)
			}
			got, err := node.Import(ctx, servertest.Operator, &chained{packs: frames}, shelf.ImportOptions{Rule: &plan.Rule})
			if err != nil || !got.Complete {
				t.Errorf("%+v from %d: %+v %v", rule, from, got, err)
			}
			if from > 0 && got.Blobs != plan.Changed.Blobs {
				t.Errorf("%+v: %d blobs, and the plan says %d", rule, got.Blobs, plan.Changed.Blobs)
			}
		}
	}
	if p := servertest.Must(hub.Plan(ctx, "small", 0, servertest.Arabic, 7, 0))(t); p.From != 0 || len(p.Packs) != 1 {
		t.Errorf("from a version that nobody has: %+v", p)
	}
	small := servertest.Must(hub.Plan(ctx, "small", 2, servertest.Arabic, 0, 2600))(t)
	if small.Fit == nil || small.Fit.Whole || len(small.Fit.Items) == 0 || len(small.Packs) != 1 || !strings.Contains(small.Packs[0].Href, "item=what-it-is") {
		t.Errorf("%+v %+v", small, small.Fit)
	}
	full := servertest.Must(hub.Plan(ctx, "small", 2, servertest.Arabic, 0, 1<<20))(t)
	if !full.Fit.Whole || full.Packs[0].Bytes <= small.Packs[0].Bytes {
		t.Errorf("%+v", full)
	}
}

// chained carries several packs as one.
type chained struct {
	packs [][]byte
	now   *bundle.Reader
}

func (c *chained) Next() (bundle.Frame, error) {
	for {
		if c.now == nil {
			if len(c.packs) == 0 {
				return bundle.Frame{}, io.EOF
			}
			c.now, c.packs = bundle.NewReader(bytes.NewReader(c.packs[0])), c.packs[1:]
		}
		f, err := c.now.Next()
		if !errors.Is(err, io.EOF) {
			return f, err
		}
		c.now = nil
	}
}

func TestManyAskAtOnceForTheFirstBundle(t *testing.T) {
	hub := servertest.New(t, "hub.example")
	hub.Publish(t, 1)
	tags := make([]string, 8)
	var wg sync.WaitGroup
	for i := range tags {
		wg.Go(func() {
			p, err := hub.File(context.Background(), "small", 0, servertest.Both)
			if err != nil {
				t.Error(err)
				return
			}
			tags[i] = p.Tag
		})
	}
	wg.Wait()
	if slices.Sort(tags); tags[0] == "" || tags[0] != tags[7] {
		t.Errorf("%v", tags)
	}
	if st := servertest.Must(hub.Publishers(t.Context(), identity.Actor{}))(t); len(st) != 1 || len(st[0].Documents) != 1 {
		t.Errorf("%+v", st)
	}
}
