package folder

import "strings"

// closest finds the known name that a wrong one comes near to, however far that is; ties fall to the first.
func closest(word string, names []string) string {
	if len(word) > maxArg {
		word = word[:maxArg]
	}
	best, least := "", 0
	for i, n := range names {
		if d := distance(word, n); i == 0 || d < least {
			best, least = n, d
		}
	}
	return best
}

// Near finds the known name that was probably meant; ties fall to the first.
func Near(word string, names []string) string {
	if len(word) > maxArg {
		return strings.Join(names, ", ")
	}
	best, bestDist := "", 3
	for _, n := range names {
		if d := distance(word, n); d < bestDist {
			best, bestDist = n, d
		}
	}
	if best == "" {
		return strings.Join(names, ", ")
	}
	return best
}

// distance is Levenshtein's: the least number of letters to change, add or leave out.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
