package sandbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// exercise is what a lab of ours asks for: a perceptron of 25 epochs and 120
// nearest-neighbour questions on 200 points.
const exercise = `
import random
random.seed(7)
points = [(random.random(), random.random()) for _ in range(200)]
labels = [1 if x + y > 1 else -1 for x, y in points]
w = [0.0, 0.0, 0.0]
for epoch in range(25):
    for (x, y), t in zip(points, labels):
        guess = 1 if w[0] * x + w[1] * y + w[2] > 0 else -1
        if guess != t:
            w[0] += 0.1 * t * x
            w[1] += 0.1 * t * y
            w[2] += 0.1 * t
right = 0
for _ in range(120):
    q = (random.random(), random.random())
    near = sorted(range(200), key=lambda i: (points[i][0] - q[0]) ** 2 + (points[i][1] - q[1]) ** 2)[:3]
    vote = 1 if sum(labels[i] for i in near) > 0 else -1
    right += vote == (1 if q[0] + q[1] > 1 else -1)
print(right)
`

func BenchmarkRun(b *testing.B) {
	for _, bb := range []struct{ name, src string }{{"print", "print(1)"}, {"exercise", exercise}} {
		b.Run(bb.name, func(b *testing.B) {
			e := sandboxtest.Open(b)
			p := python(bb.src)
			if _, err := e.Run(context.Background(), p); err != nil {
				b.Fatal(err)
			}
			var cpu time.Duration
			least := time.Hour
			for b.Loop() {
				res, err := e.Run(context.Background(), p)
				if err != nil || res.End != sandbox.Exited {
					b.Fatal(res, err)
				}
				cpu += res.CPU
				least = min(least, res.Wall)
			}
			b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(least.Microseconds())/1000, "least-wall-ms")
			if len(e.Pids()) > 0 {
				b.ReportMetric(resident(b, e.Pids()[0]), "child-MiB")
			}
		})
	}
}
