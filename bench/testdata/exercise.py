# What a lab asks for: a perceptron of 25 epochs and 120 nearest-neighbour questions on 200 points.
import random

random.seed(7)
points = [(random.random(), random.random()) for _ in range(200)]
labels = [1 if x + y > 1 else -1 for x, y in points]

weights = [0.0, 0.0, 0.0]
for epoch in range(25):
    for (x, y), label in zip(points, labels):
        guess = 1 if weights[0] * x + weights[1] * y + weights[2] > 0 else -1
        if guess != label:
            weights[0] += 0.1 * label * x
            weights[1] += 0.1 * label * y
            weights[2] += 0.1 * label

right = 0
for _ in range(120):
    q = (random.random(), random.random())
    near = sorted(range(200), key=lambda i: (points[i][0] - q[0]) ** 2 + (points[i][1] - q[1]) ** 2)[:3]
    vote = 1 if sum(labels[i] for i in near) > 0 else -1
    right += vote == (1 if q[0] + q[1] > 1 else -1)

assert right > 100
print(right, [round(w, 6) for w in weights])
