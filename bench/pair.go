package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Rounds alternate between the two servers, so that what else the machine does meets both.
const (
	rounds    = 9
	roundTime = 900 * time.Millisecond
	warmTime  = 700 * time.Millisecond
)

// side is one of the two servers that are compared.
type side struct {
	server *server
	job    loadJob
	rates  []float64 // units/s, one a round
	cpu    []float64 // µs of the server process for one request, one a round
	db     []float64 // µs of its connections' processes in Postgres for one request
	total  int       // requests
}

func (s *side) round(ctx context.Context, d time.Duration, units float64, count bool) error {
	s.job.Address, s.job.For = s.server.address, d
	before, err := s.server.cpu()
	if err != nil {
		return err
	}
	dbBefore, err := s.server.dbCPU(ctx)
	if err != nil {
		return err
	}
	r, err := load(ctx, s.job)
	if err != nil {
		return errors.Join(err, errors.New(tail(s.server.log)))
	}
	after, err := s.server.cpu()
	if err != nil {
		return err
	}
	dbAfter, err := s.server.dbCPU(ctx)
	s.total += r.Requests
	if count {
		s.rates = append(s.rates, units*float64(r.Requests)/r.Elapsed.Seconds())
		s.cpu = append(s.cpu, float64((after-before).Microseconds())/float64(r.Requests))
		s.db = append(s.db, float64((dbAfter-dbBefore).Microseconds())/float64(r.Requests))
	}
	return err
}

// compare measures both sides in turns. units is what one request brings, in the figure's unit.
func compare(ctx context.Context, name, unit string, units, goal float64, ours, bare *side, how string) (Figure, error) {
	for i := -1; i < rounds; i++ {
		d := roundTime
		if i < 0 {
			d = warmTime
		}
		order := []*side{ours, bare}
		if i%2 != 0 {
			slices.Reverse(order)
		}
		for _, s := range order {
			if err := s.round(ctx, d, units, i >= 0); err != nil {
				return Figure{}, err
			}
		}
	}
	ratios, cpuRatios := make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		ratios[i] = ours.rates[i] / bare.rates[i]
		cpuRatios[i] = bare.cpu[i] / ours.cpu[i]
	}
	ratio := median(ratios)
	met := ratio >= goal
	return Figure{
		Name: name, Value: median(ours.rates), Unit: unit, Baseline: new(median(bare.rates)), Ratio: &ratio, Goal: &goal, Met: &met,
		GoalOf: "ratio, at least", Best: new(slices.Max(ours.rates)),
		CPU: new(median(ours.cpu)), CPUBaseline: new(median(bare.cpu)), CPURatio: new(median(cpuRatios)),
		DB: new(median(ours.db)), DBBaseline: new(median(bare.db)), How: how,
	}, nil
}

func median(of []float64) float64 {
	s := slices.Sorted(slices.Values(of))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
